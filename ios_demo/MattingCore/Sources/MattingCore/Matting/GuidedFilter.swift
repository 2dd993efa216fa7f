/// The guided filter takes a small alpha to full size along the edges of the picture.
///
/// He et al., Guided Image Filtering, TPAMI 2013, eq. 19 and 20; enlarged as in He and Sun, Fast
/// Guided Filter, 2015. Window and regularisation are those that edgemat's figures were made with.
enum GuidedFilter {
    /// Windows are `2 * radius + 1` pixels of the small picture wide.
    static let radius = 2
    /// Variance of the picture below which alpha is averaged instead of followed.
    static let epsilon = 1e-4

    /// Takes an alpha of a reduced picture to full size.
    ///
    /// - Parameters:
    ///   - alpha: Of the size of `small`, 0 to 1.
    ///   - small: `image` reduced.
    ///   - scale: What takes a byte to 0 to 1.
    /// - Returns: Alpha of the size of `image`, not clipped.
    static func upsample(
        _ alpha: AlphaMatte, small: RGBImage, scale: Float, image: RGBImage
    ) -> AlphaMatte {
        let guide = (0..<3).map { small.plane($0, scale: scale) }
        let linear = coefficients(guide: guide, target: alpha)
        var result = AlphaMatte(size: image.size, repeating: 0)
        for rows in bands(of: image.size) {
            let large = linear.map { $0.resizedRows(rows, of: image.size) }
            let start = rows.lowerBound * image.width
            for pixel in 0..<rows.count * image.width {
                let colour = (start + pixel) * 3
                let slope =
                    large[0].values[pixel] * Float(image.bytes[colour])
                    + large[1].values[pixel] * Float(image.bytes[colour + 1])
                    + large[2].values[pixel] * Float(image.bytes[colour + 2])
                result.values[start + pixel] = slope / 255 + large[3].values[pixel]
            }
        }
        return result
    }

    /// In each window `target = a . guide + b` by least squares; then a and b are averaged over
    /// all windows that hold a pixel. Windows are cut off at the borders.
    ///
    /// - Returns: a for red, green and blue, then b.
    static func coefficients(guide: [Plane<Float>], target: Plane<Float>) -> [Plane<Float>] {
        // Double, because a covariance is a small difference of large numbers.
        let colours = guide.map { $0.map(Double.init) }
        let values = target.map(Double.init)
        let window = BoxMean(size: target.size, radius: radius)
        let meanColours = colours.map(window.mean)
        let meanValue = window.mean(values)
        let products = colours.map { colour in window.mean(colour.times(values)) }
        // The upper triangle of the colours' second moments: rr, rg, rb, gg, gb, bb.
        let pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        let moments = pairs.map { window.mean(colours[$0.0].times(colours[$0.1])) }

        var slopes = (0..<3).map { _ in Plane<Double>(size: target.size, repeating: 0) }
        var offset = meanValue
        for pixel in 0..<target.size.count {
            let mean = meanColours.map { $0.values[pixel] }
            var variance = zip(pairs, moments).map { pair, moment in
                moment.values[pixel] - mean[pair.0] * mean[pair.1]
            }
            for diagonal in [0, 3, 5] { variance[diagonal] += epsilon }
            let covariance = (0..<3).map { channel in
                products[channel].values[pixel] - mean[channel] * meanValue.values[pixel]
            }
            let a = solveSymmetric(variance, covariance)
            for channel in 0..<3 {
                slopes[channel].values[pixel] = a[channel]
                offset.values[pixel] -= a[channel] * mean[channel]
            }
        }
        return (slopes + [offset]).map { window.mean($0).map(Float.init) }
    }

    /// Solves a symmetric, positive definite 3x3 system by Cramer's rule.
    ///
    /// - Parameter m: The upper triangle, row by row.
    private static func solveSymmetric(_ m: [Double], _ b: [Double]) -> [Double] {
        let c00 = m[3] * m[5] - m[4] * m[4]
        let c01 = m[2] * m[4] - m[1] * m[5]
        let c02 = m[1] * m[4] - m[2] * m[3]
        let c11 = m[0] * m[5] - m[2] * m[2]
        let c12 = m[1] * m[2] - m[0] * m[4]
        let c22 = m[0] * m[3] - m[1] * m[1]
        let determinant = m[0] * c00 + m[1] * c01 + m[2] * c02
        return [
            (c00 * b[0] + c01 * b[1] + c02 * b[2]) / determinant,
            (c01 * b[0] + c11 * b[1] + c12 * b[2]) / determinant,
            (c02 * b[0] + c12 * b[1] + c22 * b[2]) / determinant,
        ]
    }
}

/// Means over square windows that are cut off at the borders.
private struct BoxMean {
    let size: PixelSize
    let radius: Int

    func mean(_ plane: Plane<Double>) -> Plane<Double> {
        let across = sums(plane.values, lines: size.height, length: size.width, step: 1)
        var both = sums(across, lines: size.width, length: size.height, step: size.width)
        for row in 0..<size.height {
            let rows = covered(row, of: size.height).count
            for column in 0..<size.width {
                let pixels = rows * covered(column, of: size.width).count
                both[row * size.width + column] /= Double(pixels)
            }
        }
        return Plane(size: size, values: both)
    }

    private func covered(_ place: Int, of length: Int) -> ClosedRange<Int> {
        max(0, place - radius)...min(length - 1, place + radius)
    }

    /// Sums along one axis: `step` is the distance of two neighbours on a line.
    private func sums(_ values: [Double], lines: Int, length: Int, step: Int) -> [Double] {
        let betweenLines = step == 1 ? length : 1
        var result = values
        for line in 0..<lines {
            for place in 0..<length {
                var sum = 0.0
                for near in covered(place, of: length) {
                    sum += values[line * betweenLines + near * step]
                }
                result[line * betweenLines + place * step] = sum
            }
        }
        return result
    }
}

extension Plane where Element == Double {
    fileprivate func times(_ other: Plane) -> Plane {
        Plane(size: size, values: zip(values, other.values).map { $0 * $1 })
    }
}
