/// Summary of latency samples. Times are in milliseconds, ratios are plain numbers.
public struct Latency: Codable, Equatable, Sendable {
    public let count: Int
    public let minMs: Double
    public let meanMs: Double
    /// Standard deviation of the sample (divided by count - 1); 0 for a single sample.
    public let stdMs: Double
    /// Percentiles, linearly interpolated between the two nearest samples.
    public let p50Ms: Double
    public let p90Ms: Double
    public let p95Ms: Double
    public let p99Ms: Double
    /// Interquartile range, p75 - p25.
    public let iqrMs: Double
    /// Coefficient of variation, std / mean.
    public let cv: Double
    /// Relative change of the median from the first half of the samples to the second; positive
    /// when the device became slower. 0 for a single sample.
    public let drift: Double

    /// - Parameter samplesMs: In the order in which they were taken.
    /// - Throws: `BenchmarkError.samples` when there is none, or one is not a positive number.
    public init(samplesMs: [Double]) throws {
        guard !samplesMs.isEmpty, samplesMs.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw BenchmarkError.samples
        }
        let sorted = samplesMs.sorted()
        let mean = samplesMs.reduce(0, +) / Double(samplesMs.count)
        let squares = samplesMs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        count = samplesMs.count
        minMs = sorted[0]
        meanMs = mean
        stdMs = samplesMs.count > 1 ? (squares / Double(samplesMs.count - 1)).squareRoot() : 0
        p50Ms = percentile(50, of: sorted)
        p90Ms = percentile(90, of: sorted)
        p95Ms = percentile(95, of: sorted)
        p99Ms = percentile(99, of: sorted)
        iqrMs = percentile(75, of: sorted) - percentile(25, of: sorted)
        cv = stdMs / mean
        drift = Self.drift(samplesMs)
    }

    private static func drift(_ samples: [Double]) -> Double {
        guard samples.count > 1 else { return 0 }
        let half = samples.count / 2
        return median(samples[half...]) / median(samples[..<half]) - 1
    }
}

/// A percentile of ascending values, linearly interpolated between the two nearest.
func percentile(_ percent: Double, of sorted: [Double]) -> Double {
    let place = percent / 100 * Double(sorted.count - 1)
    let below = Int(place.rounded(.down))
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
}

func median(_ samples: some Sequence<Double>) -> Double {
    percentile(50, of: samples.sorted())
}
