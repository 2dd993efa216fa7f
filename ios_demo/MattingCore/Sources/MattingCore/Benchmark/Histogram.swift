/// How often which latency was measured, for a chart.
public struct Histogram: Equatable, Sendable {
    public struct Bin: Equatable, Identifiable, Sendable {
        /// In milliseconds, at most `to`.
        public let from: Double
        public let to: Double
        public let count: Int

        public var id: Double { from }
    }

    public let bins: [Bin]

    /// Equally wide bins from the quickest sample to the 99th percentile; the slowest samples
    /// are counted in the last one, so that a single hiccup does not squeeze all others together.
    ///
    /// - Parameter samplesMs: At least one.
    public init(samplesMs: [Double], bins count: Int = 24) {
        let sorted = samplesMs.sorted()
        let (least, most) = (sorted[0], percentile(99, of: sorted))
        let width = max((most - least) / Double(count), least * 1e-6)
        var counts = [Int](repeating: 0, count: count)
        for sample in sorted {
            counts[min(Int((sample - least) / width), count - 1)] += 1
        }
        bins = counts.enumerated().map { index, own in
            Bin(
                from: least + Double(index) * width, to: least + Double(index + 1) * width,
                count: own)
        }
    }
}
