import Dispatch

/// Nanoseconds, monotonic.
public typealias Clock = () -> UInt64

/// What was measured of one candidate.
public struct Measurement: Equatable, Sendable {
    /// Raw latencies in milliseconds, in the order in which they were taken.
    public let samplesMs: [Double]
    /// Runs that the warm-up took.
    public let warmupRuns: Int
    /// The raw latencies of the sustained part, empty where there was none.
    public let sustainedMs: [Double]
}

/// A model, ready to be run on the input that it holds.
public struct Candidate {
    public let name: String
    /// Runs the model once; only this call lies between two readings of the clock.
    public let run: () throws -> Void

    public init(name: String, run: @escaping () throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// The candidate of each block, by its index: A-B-B-A, A-B-B-A, ... with `blocks` blocks each.
public func schedule(candidates: Int, blocks: Int) -> [Int] {
    let round = Array(0..<candidates)
    return (0..<blocks / 2).flatMap { _ in round + round.reversed() }
}

/// Measures candidates side by side, in blocks that take turns, so that a slow change of the
/// phone, above all heat, meets all of them alike.
public struct Measuring {
    public let settings: BenchmarkProtocol
    private let clock: Clock

    public init(
        _ settings: BenchmarkProtocol,
        clock: @escaping Clock = { DispatchTime.now().uptimeNanoseconds }
    ) {
        self.settings = settings
        self.clock = clock
    }

    /// Measures all candidates; the results are in their order.
    ///
    /// Runs where it is called from. Between two blocks, and never inside one, it lets others
    /// have the thread; it heeds a cancelled task between two runs.
    ///
    /// - Parameter progress: Called with the blocks that are done and all blocks, warm-up counted
    ///   as one block per candidate.
    public func measure(
        _ candidates: [Candidate], isolation: isolated (any Actor)? = #isolation,
        progress: @Sendable (Int, Int) async -> Void = { _, _ in }
    ) async throws -> [Measurement] {
        let sustained = settings.sustainedSeconds > 0
        let total = candidates.count * (1 + settings.blocks + (sustained ? 1 : 0))
        var done = 0
        func step() async throws {
            done += 1
            await progress(done, total)
            try Task.checkCancellation()
        }

        var warmups: [Int] = []
        for candidate in candidates {
            warmups.append(try warmUp(candidate))
            try await step()
        }
        var samples = [[UInt64]](repeating: [], count: candidates.count)
        for index in schedule(candidates: candidates.count, blocks: settings.blocks) {
            samples[index] += try block(candidates[index])
            try await step()
        }
        var sustainedSamples = [[UInt64]](repeating: [], count: candidates.count)
        if sustained {
            for (index, candidate) in candidates.enumerated() {
                sustainedSamples[index] = try until(
                    candidate, leastRuns: 1, leastNs: nanoseconds(settings.sustainedSeconds))
                try await step()
            }
        }
        return candidates.indices.map { index in
            Measurement(
                samplesMs: milliseconds(samples[index]), warmupRuns: warmups[index],
                sustainedMs: milliseconds(sustainedSamples[index]))
        }
    }

    /// Runs until both warm-up minimums are met, and returns the number of runs.
    private func warmUp(_ candidate: Candidate) throws -> Int {
        let deadline = clock() + nanoseconds(settings.warmupSeconds)
        var runs = 0
        while runs < settings.warmupRuns || clock() < deadline {
            try candidate.run()
            runs += 1
        }
        return runs
    }

    /// The samples of one block: its share of both minimums.
    private func block(_ candidate: Candidate) throws -> [UInt64] {
        for _ in 0..<settings.settleRuns { try candidate.run() }
        let leastRuns = (settings.runs + settings.blocks - 1) / settings.blocks
        let leastNs = settings.seconds * 1e9 / Double(settings.blocks)
        return try until(candidate, leastRuns: leastRuns, leastNs: UInt64(leastNs.rounded(.up)))
    }

    /// The samples, in nanoseconds, of runs until both minimums are met.
    private func until(
        _ candidate: Candidate, leastRuns: Int, leastNs: UInt64
    ) throws -> [UInt64] {
        var samples: [UInt64] = []
        var spent: UInt64 = 0
        while samples.count < leastRuns || spent < leastNs {
            // Before the clock is read: minutes without a pause are to end when asked to.
            try Task.checkCancellation()
            let start = clock()
            try candidate.run()
            let sample = clock() - start
            samples.append(sample)
            spent += sample
        }
        return samples
    }
}

private func nanoseconds(_ seconds: Double) -> UInt64 {
    UInt64((seconds * 1e9).rounded(.toNearestOrEven))
}

private func milliseconds(_ samples: [UInt64]) -> [Double] {
    samples.map { Double($0) / 1e6 }
}
