/// The settings of one measurement. All minimums hold per candidate.
public struct BenchmarkProtocol: Codable, Equatable, Sendable {
    /// Both warm-up minimums must be met before anything is measured.
    public var warmupRuns: Int
    public var warmupSeconds: Double
    /// Both minimums of the measured part; `seconds` is the sum of the samples.
    public var runs: Int
    public var seconds: Double
    /// Blocks per candidate, even, so that every A-B-B-A is complete.
    public var blocks: Int
    /// Unmeasured runs at the start of a block: the caches still hold the other candidate.
    public var settleRuns: Int
    /// Above these the measurement is called invalid.
    public var maxCv: Double
    public var maxDrift: Double
    /// Afterwards each candidate runs alone for so long, without a pause; 0 leaves that out.
    public var sustainedSeconds: Double

    /// - Throws: `BenchmarkError.setting` naming what is impossible.
    public init(
        warmupRuns: Int = 10, warmupSeconds: Double = 1, runs: Int = 200, seconds: Double = 10,
        blocks: Int = 10, settleRuns: Int = 1, maxCv: Double = 0.10, maxDrift: Double = 0.10,
        sustainedSeconds: Double = 0
    ) throws {
        self.warmupRuns = warmupRuns
        self.warmupSeconds = warmupSeconds
        self.runs = runs
        self.seconds = seconds
        self.blocks = blocks
        self.settleRuns = settleRuns
        self.maxCv = maxCv
        self.maxDrift = maxDrift
        self.sustainedSeconds = sustainedSeconds
        try check()
    }

    /// The settings of a figure for publication: MLPerf's single-stream minimums.
    public static func strict(sustainedSeconds: Double = 0) throws -> BenchmarkProtocol {
        try BenchmarkProtocol(runs: 1024, seconds: 60, sustainedSeconds: sustainedSeconds)
    }

    private func check() throws {
        let counts = [
            ("warmup_runs", warmupRuns, 0), ("runs", runs, 1), ("settle_runs", settleRuns, 0),
        ]
        for (name, value, least) in counts where value < least {
            throw BenchmarkError.setting(name)
        }
        let amounts = [
            ("warmup_seconds", warmupSeconds), ("seconds", seconds), ("max_cv", maxCv),
            ("max_drift", maxDrift), ("sustained_seconds", sustainedSeconds),
        ]
        for (name, value) in amounts where !(value.isFinite && value >= 0) {
            throw BenchmarkError.setting(name)
        }
        if blocks < 2 || blocks % 2 != 0 { throw BenchmarkError.setting("blocks") }
    }
}

/// What makes a measurement impossible.
public enum BenchmarkError: Error, Equatable {
    /// There is no sample, or one is not a positive number of milliseconds.
    case samples
    /// A setting of the protocol, by its name in the result file.
    case setting(String)
    /// The model's matte has another size than the golden one, or is not finite.
    case matte
}
