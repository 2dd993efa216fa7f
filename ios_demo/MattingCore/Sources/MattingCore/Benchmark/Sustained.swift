/// How the latency goes on when the phone does nothing else for minutes.
public struct Sustained: Codable, Equatable, Sendable {
    public let seconds: Double
    /// Middle of each window.
    public let atS: [Double]
    /// Median of the inferences in the window.
    public let p50Ms: [Double]
    public let runs: Int

    /// Windows into which the time is cut.
    static let points = 60

    /// - Parameter samplesMs: Latencies of inferences that followed each other without a pause;
    ///   at least one.
    public init(samplesMs: [Double]) {
        var ends: [Double] = []
        var elapsed = 0.0
        for sample in samplesMs {
            elapsed += sample
            ends.append(elapsed / 1000)
        }
        let total = elapsed / 1000
        let windows = Dictionary(grouping: samplesMs.indices) { index in
            min(Int(ends[index] / total * Double(Self.points)), Self.points - 1)
        }
        let filled = windows.keys.sorted()
        seconds = total
        atS = filled.map { (Double($0) + 0.5) * total / Double(Self.points) }
        p50Ms = filled.map { window in median((windows[window] ?? []).map { samplesMs[$0] }) }
        runs = samplesMs.count
    }

    /// The last window's median over the first's, minus 1.
    public var change: Double { p50Ms[p50Ms.count - 1] / p50Ms[0] - 1 }
}
