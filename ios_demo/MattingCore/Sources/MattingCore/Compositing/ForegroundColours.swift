import Foundation

/// Estimates the colours of foreground and background where the picture shows a mixture.
///
/// The multi-level method of Germer et al., Fast Multi-Level Foreground Estimation, 2020: from one
/// pixel up to full size, each level starts from the one before and solves, pixel by pixel, for
/// the F and B that explain the picture and agree with their neighbours, the more so where alpha
/// changes. The constants are PyMatting's, and edgemat's own.
struct ForegroundColours {
    /// Larger pictures are estimated on a reduced copy, and refined at full size.
    static let largestEstimate = 1_000_000

    private static let regularisation: Float = 1e-5
    private static let smallSide = 32
    private static let (iterationsSmall, iterationsLarge) = (10, 2)

    /// Interleaved red, green, blue, 0 to 1.
    typealias Colours = [Float]

    private let size: PixelSize
    private let colours: Colours
    private let alpha: [Float]

    /// - Parameters:
    ///   - image: The picture.
    ///   - alpha: Of the picture's size.
    init(image: RGBImage, alpha: AlphaMatte) {
        size = image.size
        colours = image.bytes.map { Float($0) * (1 / 255) }
        self.alpha = alpha.values
    }

    /// The smooth layers F and B.
    func layers() -> (foreground: Colours, background: Colours) {
        var level = Level(size: PixelSize(height: 1, width: 1))
        level.foreground = mean { $0 > 0.9 }
        level.background = mean { $0 < 0.1 }
        let steps = Int(log2(Double(max(size.width, size.height))).rounded(.up))
        for step in 0...max(steps, 0) {
            let share = steps == 0 ? 1 : Double(step) / Double(steps)
            let next = PixelSize(
                height: roundToEven(pow(Double(size.height), share)),
                width: roundToEven(pow(Double(size.width), share))
            )
            level = level.enlarged(to: next)
            solve(&level)
        }
        return (level.foreground, level.background)
    }

    /// The mean colour of the pixels whose alpha is `wanted`.
    private func mean(where wanted: (Float) -> Bool) -> Colours {
        var sum: Colours = [0, 0, 0]
        var count: Float = 1e-5  // keeps an empty mean at zero
        for pixel in alpha.indices where wanted(alpha[pixel]) {
            for channel in 0..<3 { sum[channel] += colours[pixel * 3 + channel] }
            count += 1
        }
        return sum.map { $0 / count }
    }

    private func solve(_ level: inout Level) {
        let (height, width) = (level.size.height, level.size.width)
        let picked = level.size.nearestPixels(of: size)
        let levelAlpha = picked.map { alpha[$0] }
        let small = width <= Self.smallSide && height <= Self.smallSide
        for _ in 0..<(small ? Self.iterationsSmall : Self.iterationsLarge) {
            for row in 0..<height {
                for column in 0..<width {
                    let pixel = row * width + column
                    let neighbours = (
                        row * width + max(column - 1, 0),
                        row * width + min(column + 1, width - 1),
                        max(row - 1, 0) * width + column,
                        min(row + 1, height - 1) * width + column
                    )
                    level.relax(
                        pixel, neighbours, alpha: levelAlpha, colours: colours,
                        from: picked[pixel], regularisation: Self.regularisation)
                }
            }
        }
    }
}

/// F and B at one size.
private struct Level {
    let size: PixelSize
    var foreground: [Float] = []
    var background: [Float] = []

    init(size: PixelSize) { self.size = size }

    func enlarged(to next: PixelSize) -> Level {
        var result = Level(size: next)
        let picked = next.nearestPixels(of: size)
        result.foreground = picked.flatMap { foreground[$0 * 3..<$0 * 3 + 3] }
        result.background = picked.flatMap { background[$0 * 3..<$0 * 3 + 3] }
        return result
    }

    /// Sets F and B of one pixel to what minimises, with its neighbours as they are,
    /// `(alpha F + (1 - alpha) B - I)^2 + sum w ((F - F_n)^2 + (B - B_n)^2)`.
    mutating func relax(
        _ pixel: Int, _ neighbours: (Int, Int, Int, Int), alpha: [Float], colours: [Float],
        from source: Int, regularisation: Float
    ) {
        let a = alpha[pixel]
        let rest = 1 - a
        let weights = (
            regularisation + abs(a - alpha[neighbours.0]),
            regularisation + abs(a - alpha[neighbours.1]),
            regularisation + abs(a - alpha[neighbours.2]),
            regularisation + abs(a - alpha[neighbours.3])
        )
        let total = weights.0 + weights.1 + weights.2 + weights.3
        let (ff, fb, bb) = (a * a + total, a * rest, rest * rest + total)
        let inverse = 1 / (ff * bb - fb * fb)
        for channel in 0..<3 {
            func pull(_ layer: [Float]) -> Float {
                weights.0 * layer[neighbours.0 * 3 + channel]
                    + weights.1 * layer[neighbours.1 * 3 + channel]
                    + weights.2 * layer[neighbours.2 * 3 + channel]
                    + weights.3 * layer[neighbours.3 * 3 + channel]
            }
            let seen = colours[source * 3 + channel]
            let front = a * seen + pull(foreground)
            let back = rest * seen + pull(background)
            let place = pixel * 3 + channel
            foreground[place] = min(max(inverse * (bb * front - fb * back), 0), 1)
            background[place] = min(max(inverse * (ff * back - fb * front), 0), 1)
        }
    }
}

extension PixelSize {
    /// For each of the own pixels, the nearest one of another raster.
    fileprivate func nearestPixels(of other: PixelSize) -> [Int] {
        let columns = (0..<width).map { $0 * other.width / width }
        return (0..<height).flatMap { row in
            let start = row * other.height / height * other.width
            return columns.map { start + $0 }
        }
    }
}
