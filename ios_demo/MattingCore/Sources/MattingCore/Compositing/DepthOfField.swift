extension Compositing {
    /// The largest radius of the blur, in pixels of the picture.
    public static let largestBlur = 500.0

    /// Blurs the background as a wide aperture does.
    ///
    /// Of the background alone, `(1 - alpha) B = I - alpha F`, the mean over a disc is taken and
    /// divided by the mean of `1 - alpha` (normalised convolution), so that the foreground's
    /// colour does not bleed into its surroundings. The sharp foreground is then laid over it.
    ///
    /// - Parameter radius: Of the disc, in pixels of the picture, above 0 and up to `largestBlur`.
    public static func blurBackground(
        of image: RGBImage, alpha: AlphaMatte, radius: Double
    ) -> RGBImage {
        precondition(radius > 0 && radius <= largestBlur, "a disc of that radius cannot be drawn")
        let front = foreground(of: image, alpha: alpha)
        var behind = image
        for pixel in alpha.values.indices {
            let a = alpha.values[pixel]
            for channel in pixel * 3..<pixel * 3 + 3 {
                let rest = Float(image.bytes[channel]) - a * Float(front.bytes[channel])
                behind.bytes[channel] = UInt8(clipping: rest)
            }
        }
        // A large disc is as good on a reduced picture, and quick.
        let shrink = max(1, (radius / reducedRadius).rounded(.toNearestOrEven))
        let small = PixelSize(
            height: max(1, roundToEven(Double(image.height) / shrink)),
            width: max(1, roundToEven(Double(image.width) / shrink))
        )
        let blurred = blur(
            behind.resized(to: small, filter: .area), alpha.resized(to: small, filter: .area),
            radius: radius / shrink)
        return composite(front, over: blurred, alpha: alpha)
    }

    /// Radius of the disc on the reduced picture, in its pixels.
    private static let reducedRadius = 6.0
    /// Keeps the blur finite where no background is in reach, and where therefore none is seen.
    private static let noBackground: Float = 1e-6

    /// The mean of `premultiplied` over a disc, divided by that of `1 - alpha`.
    private static func blur(
        _ premultiplied: RGBImage, _ alpha: AlphaMatte, radius: Double
    ) -> RGBImage {
        let disc = Disc(radius: radius)
        let weight = disc.mean(alpha.map { 1 - $0 })
        var result = premultiplied
        for channel in 0..<3 {
            let colour = disc.mean(premultiplied.plane(channel))
            for pixel in weight.values.indices {
                let share = max(weight.values[pixel], 0) + noBackground
                result.bytes[pixel * 3 + channel] = UInt8(clipping: colour.values[pixel] / share)
            }
        }
        return result
    }
}

/// A disc of equal weight whose rim pixels count as much as they lie inside.
private struct Disc {
    /// Offset from the centre and weight of each pixel; the weights add up to 1.
    private let taps: [(row: Int, column: Int, weight: Float)]

    init(radius: Double) {
        let reach = Int(radius.rounded(.up))
        let inside = (-reach...reach).flatMap { row in
            (-reach...reach).compactMap { column -> (Int, Int, Double)? in
                let distance = Double(row * row + column * column).squareRoot()
                let weight = min(max(radius + 0.5 - distance, 0), 1)
                return weight > 0 ? (row, column, weight) : nil
            }
        }
        let total = inside.reduce(0) { $0 + $1.2 }
        taps = inside.map { ($0.0, $0.1, Float($0.2 / total)) }
    }

    /// The mean over the disc around each pixel; beyond the borders lie zeros.
    func mean(_ plane: Plane<Float>) -> Plane<Float> {
        let (height, width) = (plane.height, plane.width)
        let sums = [Float](unsafeUninitializedCapacity: plane.size.count) { target, count in
            target.initialize(repeating: 0)
            plane.values.withUnsafeBufferPointer { source in
                // Whole rows at a time, so that the compiler can use vector instructions.
                for tap in taps {
                    let columns = max(0, -tap.column)..<max(0, min(width, width - tap.column))
                    guard columns.lowerBound < columns.upperBound else { continue }
                    for row in max(0, -tap.row)..<max(0, min(height, height - tap.row)) {
                        let from = (row + tap.row) * width + tap.column
                        for column in columns {
                            target[row * width + column] += tap.weight * source[from + column]
                        }
                    }
                }
            }
            count = plane.size.count
        }
        return Plane(size: plane.size, values: sums)
    }
}
