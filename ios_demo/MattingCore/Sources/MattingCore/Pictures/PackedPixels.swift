/// In which order the four bytes of a pixel lie in memory; `x` bytes carry no colour.
public enum ChannelOrder: Sendable {
    /// Core Video's `kCVPixelFormatType_32BGRA`.
    case bgra
    /// What a Core Graphics bitmap of byte order 32 big holds.
    case rgba

    fileprivate var offsets: (red: Int, green: Int, blue: Int) {
        switch self {
        case .bgra: (2, 1, 0)
        case .rgba: (0, 1, 2)
        }
    }
}

/// How a pixel buffer lies in memory. Its rows may be longer than their pixels: hardware likes
/// rows that begin at multiples of 64 bytes.
public struct PackedPixels: Sendable {
    public let size: PixelSize
    public let bytesPerRow: Int
    public let order: ChannelOrder

    public init(size: PixelSize, bytesPerRow: Int, order: ChannelOrder) {
        precondition(bytesPerRow >= size.width * 4, "a row holds all its pixels")
        self.size = size
        self.bytesPerRow = bytesPerRow
        self.order = order
    }

    /// Reads the colours of a buffer.
    ///
    /// - Parameter buffer: At least `bytesPerRow * (height - 1) + width * 4` bytes.
    public func read(_ buffer: UnsafeRawBufferPointer) -> RGBImage {
        let (red, green, blue) = order.offsets
        let bytes = [UInt8](unsafeUninitializedCapacity: size.count * 3) { target, count in
            var next = 0
            for row in 0..<size.height {
                var pixel = row * bytesPerRow
                for _ in 0..<size.width {
                    target[next] = buffer[pixel + red]
                    target[next + 1] = buffer[pixel + green]
                    target[next + 2] = buffer[pixel + blue]
                    next += 3
                    pixel += 4
                }
            }
            count = next
        }
        return RGBImage(size: size, bytes: bytes)
    }

    /// Writes a picture into a buffer, opaque.
    public func write(_ image: RGBImage, into buffer: UnsafeMutableRawBufferPointer) {
        precondition(image.size == size, "the buffer is as large as the picture")
        let (red, green, blue) = order.offsets
        var next = 0
        for row in 0..<size.height {
            var pixel = row * bytesPerRow
            for _ in 0..<size.width {
                buffer[pixel + red] = image.bytes[next]
                buffer[pixel + green] = image.bytes[next + 1]
                buffer[pixel + blue] = image.bytes[next + 2]
                buffer[pixel + 3] = 255
                next += 3
                pixel += 4
            }
        }
    }
}
