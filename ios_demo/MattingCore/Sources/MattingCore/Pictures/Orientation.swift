/// How a stored picture is to be turned so that it is upright; the numbers are those of EXIF.
public enum Orientation: Int, CaseIterable, Sendable {
    case up = 1
    case upMirrored
    case down
    case downMirrored
    case leftMirrored
    case right
    case rightMirrored
    case left

    /// Whether height and width change places.
    var swapsSides: Bool { rawValue >= 5 }

    /// The stored pixel that is shown at (`row`, `column`) of the upright picture.
    fileprivate func stored(row: Int, column: Int, size: PixelSize) -> (row: Int, column: Int) {
        let (bottom, right) = (size.height - 1, size.width - 1)
        return switch self {
        case .up: (row, column)
        case .upMirrored: (row, right - column)
        case .down: (bottom - row, right - column)
        case .downMirrored: (bottom - row, column)
        case .leftMirrored: (column, row)
        case .right: (bottom - column, row)
        case .rightMirrored: (bottom - column, right - row)
        case .left: (column, right - row)
        }
    }
}

extension RGBImage {
    /// The picture turned upright, given how it was stored.
    public func upright(storedAs orientation: Orientation) -> RGBImage {
        guard orientation != .up else { return self }
        let turned =
            orientation.swapsSides ? PixelSize(height: width, width: height) : size
        var upright: [UInt8] = []
        upright.reserveCapacity(bytes.count)
        for row in 0..<turned.height {
            for column in 0..<turned.width {
                let from = orientation.stored(row: row, column: column, size: size)
                let start = (from.row * width + from.column) * Self.channels
                upright += bytes[start..<start + Self.channels]
            }
        }
        return RGBImage(size: turned, bytes: upright)
    }
}
