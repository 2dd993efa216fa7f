/// An exponential mean of a camera's mattes, pixel by pixel, begun anew at every cut.
public struct Smoother: Sendable {
    /// Pictures are compared at this size: small motions do not show there.
    private static let glanceSize = PixelSize(height: 18, width: 32)
    /// Mean difference of colours that is a cut; a person who moves makes a tenth of it.
    private static let cut = 0.12

    private let share: Float
    private var before: AlphaMatte?
    private var glance: RGBImage?

    /// - Parameter share: What stays of the matte before, 0 to below 1.
    public init(share: Float) {
        precondition((0..<1).contains(share), "a smoothing of \(share) is impossible")
        self.share = share
    }

    /// The smoothed matte of the next picture.
    public mutating func smooth(_ image: RGBImage, _ alpha: AlphaMatte) -> AlphaMatte {
        let seen = image.resized(to: Self.glanceSize, filter: .area)
        var result = alpha
        if let before, before.size == alpha.size, !isCut(seen) {
            for pixel in result.values.indices {
                result.values[pixel] =
                    share * before.values[pixel] + (1 - share) * alpha.values[pixel]
            }
        }
        before = result
        glance = seen
        return result
    }

    private func isCut(_ seen: RGBImage) -> Bool {
        guard let glance else { return true }
        let sum = zip(seen.bytes, glance.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) > Self.cut * 255 * Double(seen.bytes.count)
    }
}
