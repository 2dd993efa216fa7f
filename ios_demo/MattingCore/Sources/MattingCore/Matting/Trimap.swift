/// Known background 0, unknown 128, known foreground 255.
public typealias Trimap = Plane<UInt8>

/// The three values of a trimap.
public enum TrimapValue: UInt8, CaseIterable, Sendable {
    case background = 0
    case unknown = 128
    case foreground = 255
}

extension Plane where Element == UInt8 {
    /// Whether any pixel is left for the model to decide.
    public var hasUnknown: Bool { values.contains(TrimapValue.unknown.rawValue) }

    /// A trimap for a picture of another size, with every grey read as unknown.
    ///
    /// - Throws: `MattingError.trimapShape` when the aspect ratios differ by more than 2 %.
    public func fitted(to picture: PixelSize) throws -> Trimap {
        let stretch =
            Double(width) / Double(height) / (Double(picture.width) / Double(picture.height))
        guard abs(stretch - 1) <= aspectTolerance else {
            throw MattingError.trimapShape(trimap: size, picture: picture)
        }
        return resized(to: picture, filter: .nearest).map { value in
            TrimapValue(rawValue: value)?.rawValue ?? TrimapValue.unknown.rawValue
        }
    }

    /// Writes what the trimap knows over an alpha.
    func keepKnown(in alpha: inout AlphaMatte) {
        for (pixel, value) in values.enumerated() {
            switch TrimapValue(rawValue: value) {
            case .background: alpha.values[pixel] = 0
            case .foreground: alpha.values[pixel] = 1
            case .unknown, nil: break
            }
        }
    }
}

/// How far a trimap's aspect ratio may lie from the picture's, relative.
private let aspectTolerance = 0.02
