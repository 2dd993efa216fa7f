import CoreVideo
import Foundation
import MattingCore

extension RGBImage {
    /// Reads a camera's buffer; nil when it is not BGRA.
    init?(_ buffer: CVPixelBuffer) {
        guard CVPixelBufferGetPixelFormatType(buffer) == kCVPixelFormatType_32BGRA else {
            return nil
        }
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard let base = CVPixelBufferGetBaseAddress(buffer) else { return nil }
        let layout = PackedPixels(
            size: PixelSize(
                height: CVPixelBufferGetHeight(buffer), width: CVPixelBufferGetWidth(buffer)),
            bytesPerRow: CVPixelBufferGetBytesPerRow(buffer), order: .bgra)
        self = layout.read(
            UnsafeRawBufferPointer(start: base, count: layout.bytesPerRow * layout.size.height))
    }

    /// The picture in a buffer that Core ML takes.
    func pixelBuffer() throws -> CVPixelBuffer {
        try CVPixelBuffer.filled(size, format: kCVPixelFormatType_32BGRA) { base, bytesPerRow in
            let layout = PackedPixels(size: size, bytesPerRow: bytesPerRow, order: .bgra)
            layout.write(
                self,
                into: UnsafeMutableRawBufferPointer(
                    start: base, count: bytesPerRow * size.height))
        }
    }
}

extension Trimap {
    /// The trimap in a buffer that Core ML takes.
    func pixelBuffer() throws -> CVPixelBuffer {
        try CVPixelBuffer.filled(size, format: kCVPixelFormatType_OneComponent8) { base, stride in
            values.withUnsafeBytes { source in
                for row in 0..<height {
                    (base + row * stride).copyMemory(
                        from: source.baseAddress! + row * width, byteCount: width)
                }
            }
        }
    }
}

extension CVPixelBuffer {
    /// A new buffer, filled by `fill`, which is given the first byte and the bytes per row.
    fileprivate static func filled(
        _ size: PixelSize, format: OSType, by fill: (UnsafeMutableRawPointer, Int) -> Void
    ) throws -> CVPixelBuffer {
        // Backed by an IOSurface, so that GPU and Neural Engine read it without a copy.
        let attributes: NSDictionary = [kCVPixelBufferIOSurfacePropertiesKey: NSDictionary()]
        var created: CVPixelBuffer?
        CVPixelBufferCreate(
            nil, size.width, size.height, format, attributes as CFDictionary, &created)
        guard let buffer = created else { throw CocoaError(.featureUnsupported) }
        CVPixelBufferLockBaseAddress(buffer, [])
        defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
        guard let base = CVPixelBufferGetBaseAddress(buffer) else {
            throw CocoaError(.featureUnsupported)
        }
        fill(base, CVPixelBufferGetBytesPerRow(buffer))
        return buffer
    }
}
