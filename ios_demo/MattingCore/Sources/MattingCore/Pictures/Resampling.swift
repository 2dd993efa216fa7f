/// How the pixels of a resized picture are weighted from those of the original.
///
/// All but `nearest` are anti-aliased: where the picture shrinks, the window widens. This is what
/// Pillow does, and what the models were trained and measured with; `vImage` and Core Graphics
/// weigh differently.
public enum ResamplingFilter: String, Sendable {
    case area
    case bilinear
    case bicubic
    case nearest

    /// Half the width of the window, in pixels of whichever of the two pictures is coarser.
    fileprivate var support: Double {
        switch self {
        case .nearest: 0
        case .area: 0.5
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    /// The weight at a distance from the window's centre.
    fileprivate func weight(at distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .nearest: return 1
        // The half-open interval, so that a pixel on the border of two boxes counts once.
        case .area: return distance > -0.5 && distance <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - x)
        case .bicubic:  // Keys' cubic with a = -0.5
            if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
            return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
        }
    }
}

/// Which original pixels each pixel along one axis of the result is made of.
struct AxisWeights {
    /// For each pixel of the result: the first original pixel, and where its weights lie.
    var windows: [(first: Int, weights: Range<Int>)] = []
    /// The weights of all windows, one after the other; those of a window add up to 1.
    var weights: [Double] = []

    /// - Parameter wanted: The pixels of the result that are to be made, of `target` in all.
    init(from source: Int, to target: Int, wanted: Range<Int>, filter: ResamplingFilter) {
        let scale = Double(source) / Double(target)
        let widening = max(scale, 1)
        let reach = filter.support * widening
        for pixel in wanted {
            let centre = (Double(pixel) + 0.5) * scale
            guard filter != .nearest else {
                append([1], first: min(Int(centre), source - 1))
                continue
            }
            let first = max(0, Int(centre - reach + 0.5))
            let last = min(source, Int(centre + reach + 0.5))
            let raw = (first..<last).map { pixel in
                filter.weight(at: (Double(pixel) + 0.5 - centre) / widening)
            }
            let total = raw.reduce(0, +)
            append(raw.map { $0 / total }, first: first)
        }
    }

    private mutating func append(_ window: [Double], first: Int) {
        windows.append((first, weights.count..<weights.count + window.count))
        weights += window
    }

    /// The original pixels that are looked at.
    var sourceRange: Range<Int> {
        let first = windows.map(\.first).min() ?? 0
        let last = windows.map { $0.first + $0.weights.count }.max() ?? 0
        return first..<last
    }
}

/// A kind of pixel that can be resampled.
protocol Resamplable: Sendable {
    associatedtype Weight
    static func weight(_ exact: Double) -> Weight
    /// The weighted sum of `samples[0]`, `samples[stride]`, `samples[2 * stride]`, ...
    static func sum(
        _ samples: UnsafePointer<Self>, stride: Int, weights: UnsafeBufferPointer<Weight>
    ) -> Self
}

extension Float: Resamplable {
    static func weight(_ exact: Double) -> Double { exact }

    static func sum(
        _ samples: UnsafePointer<Float>, stride: Int, weights: UnsafeBufferPointer<Double>
    ) -> Float {
        var sum = 0.0
        for (index, weight) in weights.enumerated() {
            sum += Double(samples[index * stride]) * weight
        }
        return Float(sum)
    }
}

extension UInt8: Resamplable {
    // Fixed point: 255 times the largest weight of a bicubic window still fits 32 bits.
    private static let fractionBits = 22

    static func weight(_ exact: Double) -> Int32 {
        Int32((exact * Double(1 << fractionBits)).rounded(.toNearestOrAwayFromZero))
    }

    static func sum(
        _ samples: UnsafePointer<UInt8>, stride: Int, weights: UnsafeBufferPointer<Int32>
    ) -> UInt8 {
        var sum: Int32 = 1 << (fractionBits - 1)  // one half: the shift below then rounds
        for (index, weight) in weights.enumerated() {
            sum += Int32(samples[index * stride]) * weight
        }
        return UInt8(clamping: sum >> fractionBits)
    }
}

/// Interleaved pixels of one or more channels.
struct Raster<Sample: Resamplable> {
    var size: PixelSize
    var channels: Int
    var samples: [Sample]

    /// Some rows of the raster resized to `target`, without making the other rows.
    func resized(to target: PixelSize, rows: Range<Int>, filter: ResamplingFilter) -> Raster {
        let down = AxisWeights(
            from: size.height, to: target.height, wanted: rows, filter: filter)
        let across = AxisWeights(
            from: size.width, to: target.width, wanted: 0..<target.width, filter: filter)
        // Across first, on the needed rows alone; then down. In between, samples are rounded.
        let needed = down.sourceRange
        return combined(across, rows: needed).combined(down, firstRow: needed.lowerBound)
    }

    /// Some rows of the raster, with their columns combined by `across`.
    private func combined(_ across: AxisWeights, rows: Range<Int>) -> Raster {
        let made = PixelSize(height: rows.count, width: across.windows.count)
        let ownWeights = across.weights.map(Sample.weight)
        let total = made.count * channels
        let result = [Sample](unsafeUninitializedCapacity: total) { target, count in
            samples.withUnsafeBufferPointer { source in
                ownWeights.withUnsafeBufferPointer { weights in
                    var next = 0
                    for row in rows {
                        for window in across.windows {
                            let own = UnsafeBufferPointer(rebasing: weights[window.weights])
                            let first = (row * size.width + window.first) * channels
                            for channel in 0..<channels {
                                target[next] = Sample.sum(
                                    source.baseAddress! + first + channel,
                                    stride: channels, weights: own)
                                next += 1
                            }
                        }
                    }
                }
            }
            count = total
        }
        return Raster(size: made, channels: channels, samples: result)
    }

    /// The raster with its rows combined by `down`; its first row is row `firstRow` there.
    private func combined(_ down: AxisWeights, firstRow: Int) -> Raster {
        let length = size.width * channels
        let ownWeights = down.weights.map(Sample.weight)
        let result = [Sample](unsafeUninitializedCapacity: down.windows.count * length) {
            target, count in
            samples.withUnsafeBufferPointer { source in
                ownWeights.withUnsafeBufferPointer { weights in
                    for (row, window) in down.windows.enumerated() {
                        let start = (window.first - firstRow) * length
                        let own = UnsafeBufferPointer(rebasing: weights[window.weights])
                        for place in 0..<length {
                            target[row * length + place] = Sample.sum(
                                source.baseAddress! + start + place, stride: length, weights: own)
                        }
                    }
                }
            }
            count = down.windows.count * length
        }
        let made = PixelSize(height: down.windows.count, width: size.width)
        return Raster(size: made, channels: channels, samples: result)
    }

    /// The whole raster resized; bicubic overshoot is clipped to the range of the input.
    func resized(to target: PixelSize, filter: ResamplingFilter) -> Raster
    where Sample: Comparable {
        guard target != size else { return self }
        var result = resized(to: target, rows: 0..<target.height, filter: filter)
        if filter == .bicubic, let least = samples.min(), let most = samples.max() {
            result.samples = result.samples.map { min(max($0, least), most) }
        }
        return result
    }
}

extension RGBImage {
    private var raster: Raster<UInt8> {
        Raster(size: size, channels: Self.channels, samples: bytes)
    }

    /// The picture at another size.
    public func resized(to target: PixelSize, filter: ResamplingFilter) -> RGBImage {
        let resized = raster.resized(to: target, filter: filter)
        return RGBImage(size: target, bytes: resized.samples)
    }

    /// Some rows of the picture resized bilinearly to `target`.
    func resizedRows(_ rows: Range<Int>, of target: PixelSize) -> RGBImage {
        let resized = raster.resized(to: target, rows: rows, filter: .bilinear)
        return RGBImage(size: resized.size, bytes: resized.samples)
    }
}

extension Plane where Element: Resamplable & Comparable {
    /// The plane at another size.
    func resized(to target: PixelSize, filter: ResamplingFilter) -> Plane {
        let raster = Raster(size: size, channels: 1, samples: values)
        return Plane(size: target, values: raster.resized(to: target, filter: filter).samples)
    }

    /// Some rows of the plane resized bilinearly to `target`.
    func resizedRows(_ rows: Range<Int>, of target: PixelSize) -> Plane {
        let raster = Raster(size: size, channels: 1, samples: values)
        let resized = raster.resized(to: target, rows: rows, filter: .bilinear)
        return Plane(size: resized.size, values: resized.samples)
    }
}

extension AlphaMatte {
    /// The matte at another size.
    public func resized(to target: PixelSize) -> AlphaMatte {
        resized(to: target, filter: .bilinear)
    }
}
