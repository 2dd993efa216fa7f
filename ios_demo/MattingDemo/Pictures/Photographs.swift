import CoreGraphics
import Foundation
import ImageIO
import MattingCore
import UniformTypeIdentifiers

extension RGBImage {
    /// Decodes a photograph of any kind that iOS reads, and turns it upright.
    init(photograph data: Data) throws {
        guard let source = CGImageSourceCreateWithData(data as CFData, nil),
            let stored = CGImageSourceCreateImageAtIndex(source, 0, nil)
        else { throw Failure.unreadablePicture }
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        let number = properties?[kCGImagePropertyOrientation] as? Int
        let orientation = number.flatMap(Orientation.init) ?? .up
        self = try RGBImage(drawing: stored).upright(storedAs: orientation)
    }

    /// The pixels of an image in sRGB; transparency is laid over black.
    private init(drawing image: CGImage) throws {
        guard let space = CGColorSpace(name: CGColorSpace.sRGB),
            let context = CGContext(
                data: nil, width: image.width, height: image.height, bitsPerComponent: 8,
                bytesPerRow: 0, space: space, bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
        else { throw Failure.unreadablePicture }
        context.draw(
            image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
        guard let base = context.data else { throw Failure.unreadablePicture }
        let layout = PackedPixels(
            size: PixelSize(height: image.height, width: image.width),
            bytesPerRow: context.bytesPerRow, order: .rgba)
        self = layout.read(
            UnsafeRawBufferPointer(start: base, count: context.bytesPerRow * image.height))
    }

    /// The picture for the screen.
    var cgImage: CGImage? {
        CGImage.make(size, channels: 3, bytes: bytes, alpha: .none)
    }
}

extension RGBAImage {
    /// The picture for the screen.
    var cgImage: CGImage? {
        CGImage.make(size, channels: 4, bytes: bytes, alpha: .last)
    }

    /// A PNG file with transparency.
    func png() throws -> Data {
        let file = NSMutableData()
        guard let image = cgImage,
            let destination = CGImageDestinationCreateWithData(
                file, UTType.png.identifier as CFString, 1, nil)
        else { throw CocoaError(.fileWriteUnknown) }
        CGImageDestinationAddImage(destination, image, nil)
        guard CGImageDestinationFinalize(destination) else { throw CocoaError(.fileWriteUnknown) }
        return file as Data
    }
}

extension AlphaMatte {
    /// The matte as a grey picture.
    var picture: RGBImage {
        var picture = RGBImage(size: size, red: 0, green: 0, blue: 0)
        for (pixel, value) in values.enumerated() {
            let grey = UInt8(unit: value)
            picture.bytes[pixel * 3] = grey
            picture.bytes[pixel * 3 + 1] = grey
            picture.bytes[pixel * 3 + 2] = grey
        }
        return picture
    }
}

extension CGImage {
    fileprivate static func make(
        _ size: PixelSize, channels: Int, bytes: [UInt8], alpha: CGImageAlphaInfo
    ) -> CGImage? {
        guard let provider = CGDataProvider(data: Data(bytes) as CFData),
            let space = CGColorSpace(name: CGColorSpace.sRGB)
        else { return nil }
        return CGImage(
            width: size.width, height: size.height, bitsPerComponent: 8,
            bitsPerPixel: 8 * channels, bytesPerRow: size.width * channels, space: space,
            bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue), provider: provider, decode: nil,
            shouldInterpolate: true, intent: .defaultIntent)
    }
}
