/// A picture of 8-bit red, green and blue, interleaved, row by row without gaps.
public struct RGBImage: Equatable, Sendable {
    public static let channels = 3

    public let size: PixelSize
    /// `size.count * 3` bytes.
    public var bytes: [UInt8]

    public var height: Int { size.height }
    public var width: Int { size.width }

    public init(size: PixelSize, bytes: [UInt8]) {
        precondition(bytes.count == size.count * Self.channels, "three bytes per pixel")
        self.size = size
        self.bytes = bytes
    }

    /// One colour everywhere.
    public init(size: PixelSize, red: UInt8, green: UInt8, blue: UInt8) {
        self.size = size
        bytes = Array(repeating: 0, count: size.count * Self.channels)
        for pixel in 0..<size.count {
            bytes[pixel * 3] = red
            bytes[pixel * 3 + 1] = green
            bytes[pixel * 3 + 2] = blue
        }
    }

    /// One channel (0 red, 1 green, 2 blue), its values multiplied by `scale`.
    public func plane(_ channel: Int, scale: Float = 1) -> Plane<Float> {
        Plane(
            size: size,
            values: (0..<size.count).map { Float(bytes[$0 * Self.channels + channel]) * scale }
        )
    }

    func cropped(rows: Range<Int>, columns: Range<Int>) -> RGBImage {
        var kept: [UInt8] = []
        kept.reserveCapacity(rows.count * columns.count * Self.channels)
        for row in rows {
            let start = (row * width + columns.lowerBound) * Self.channels
            kept += bytes[start..<start + columns.count * Self.channels]
        }
        return RGBImage(size: PixelSize(height: rows.count, width: columns.count), bytes: kept)
    }

    /// The picture with its outermost pixels repeated beyond its borders.
    func padded(by margins: Margins) -> RGBImage {
        let frame = margins.frame(around: size)
        var padded: [UInt8] = []
        padded.reserveCapacity(frame.count * Self.channels)
        for row in 0..<frame.height {
            let source = min(max(row - margins.top, 0), height - 1) * width
            for column in 0..<frame.width {
                let start = (source + min(max(column - margins.left, 0), width - 1)) * Self.channels
                padded += bytes[start..<start + Self.channels]
            }
        }
        return RGBImage(size: frame, bytes: padded)
    }
}

/// A cut-out: 8-bit red, green, blue and alpha, interleaved; the colours are not premultiplied.
public struct RGBAImage: Equatable, Sendable {
    public static let channels = 4

    public let size: PixelSize
    /// `size.count * 4` bytes.
    public let bytes: [UInt8]

    public init(size: PixelSize, bytes: [UInt8]) {
        precondition(bytes.count == size.count * Self.channels, "four bytes per pixel")
        self.size = size
        self.bytes = bytes
    }

    public init(colours: RGBImage, alpha: AlphaMatte) {
        precondition(colours.size == alpha.size, "one alpha per pixel")
        size = colours.size
        var bytes = [UInt8](repeating: 0, count: size.count * Self.channels)
        for pixel in 0..<size.count {
            for channel in 0..<RGBImage.channels {
                bytes[pixel * 4 + channel] = colours.bytes[pixel * 3 + channel]
            }
            bytes[pixel * 4 + 3] = UInt8(unit: alpha.values[pixel])
        }
        self.bytes = bytes
    }
}

extension UInt8 {
    /// A value in 0...1 as 0...255, rounded to even and clipped.
    public init(unit value: Float) {
        self.init(clipping: value * 255)
    }

    /// A value in 0...255, rounded to even and clipped.
    init(clipping value: Float) {
        self = UInt8(Swift.min(Swift.max(value, 0), 255).rounded(.toNearestOrEven))
    }
}

extension RGBImage {
    /// One plane for each channel, the trimap last: what a model takes that takes numbers.
    ///
    /// - Parameters:
    ///   - trimap: Of the same size, for models that take one.
    ///   - scale: What takes a byte to the 0 to 1 that the network was trained with.
    public func planes(trimap: Trimap?, scale: Float) -> [Float] {
        let colours = (0..<Self.channels).flatMap { channel in
            stride(from: channel, to: bytes.count, by: Self.channels).map { bytes[$0] }
        }
        return (colours + (trimap?.values ?? [])).map { Float($0) * scale }
    }
}
