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
    /// One line of the disc.
    private struct Line {
        /// From the disc's centre.
        let row: Int
        /// Pixels lie wholly inside up to so far to both sides; nil for none.
        let half: Int?
        /// Offsets from the centre and weights of the others.
        let rim: [(column: Int, weight: Float)]
    }

    private let reach: Int
    private let lines: [Line]
    /// Of a pixel that lies wholly inside; all weights add up to 1.
    private let weight: Float

    init(radius: Double) {
        let reach = Int(radius.rounded(.up))
        func inside(_ row: Int, _ column: Int) -> Double {
            let distance = Double(row * row + column * column).squareRoot()
            return min(max(radius + 0.5 - distance, 0), 1)
        }
        let offsets = -reach...reach
        let total = offsets.reduce(0) { sum, row in
            sum + offsets.reduce(0) { $0 + inside(row, $1) }
        }
        lines = offsets.map { row in
            let rim = offsets.filter { inside(row, $0) > 0 && inside(row, $0) < 1 }
            return Line(
                row: row, half: offsets.last { inside(row, $0) == 1 },
                rim: rim.map { ($0, Float(inside(row, $0) / total)) })
        }
        self.reach = reach
        weight = Float(1 / total)
    }

    /// The mean over the disc around each pixel; beyond the borders lie zeros.
    func mean(_ plane: Plane<Float>) -> Plane<Float> {
        let (height, width) = (plane.height, plane.width)
        let result = [Float](unsafeUninitializedCapacity: plane.size.count) { target, count in
            target.initialize(repeating: 0)
            plane.values.withUnsafeBufferPointer { source in
                // Whole rows at a time, so that the compiler can use vector instructions.
                for row in 0..<height {
                    let own = source[row * width..<(row + 1) * width]
                    let sums = sums(UnsafeBufferPointer(rebasing: own))
                    for line in lines where (0..<height).contains(row - line.row) {
                        let to = (row - line.row) * width
                        if let half = line.half {
                            let (left, right) = (reach - half, reach + half + 1)
                            for column in 0..<width {
                                let sum = sums[column + right] - sums[column + left]
                                target[to + column] += weight * Float(sum)
                            }
                        }
                        for (across, weight) in line.rim {
                            let columns = max(0, -across)..<max(0, min(width, width - across))
                            guard columns.lowerBound < columns.upperBound else { continue }
                            let from = row * width + across
                            for column in columns {
                                target[to + column] += weight * source[from + column]
                            }
                        }
                    }
                }
            }
            count = plane.size.count
        }
        return Plane(size: plane.size, values: result)
    }

    /// The sums of a row up to each pixel, with `reach` zeros beyond both of its ends.
    private func sums(_ row: UnsafeBufferPointer<Float>) -> [Double] {
        // Double, because what lies under a line is a small difference of large sums.
        var sums = [Double](repeating: 0, count: row.count + 2 * reach + 1)
        var sum = 0.0
        for column in row.indices {
            sum += Double(row[column])
            sums[reach + column + 1] = sum
        }
        for place in reach + row.count + 1..<sums.count { sums[place] = sum }
        return sums
    }
}
