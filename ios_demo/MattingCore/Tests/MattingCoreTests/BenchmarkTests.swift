import Foundation
import Testing

@testable import MattingCore

/// Statistics, protocol and verdict, compared with Python's.
@Suite struct BenchmarkTests {
    struct Summary: Decodable {
        let name: String, samplesMs: [Double], latency: Latency
    }
    struct Curve: Decodable {
        let samplesMs: [Double], sustained: Sustained
    }
    struct Refused: Decodable {
        let samplesMs: [Double]
    }

    @Test func summarisesLikeNumpy() throws {
        for one in try Vectors.load("statistics", "summaries") as [Summary] {
            let found = try Latency(samplesMs: one.samplesMs)
            #expect(found.count == one.latency.count)
            #expect(try largestDifference(found.figures, one.latency.figures) < 1e-9, "\(one.name)")
        }
        for one in try Vectors.load("statistics", "refused") as [Refused] {
            #expect(throws: BenchmarkError.samples) { try Latency(samplesMs: one.samplesMs) }
        }
    }

    @Test func showsThePhoneSlowing() throws {
        for one in try Vectors.load("statistics", "sustained") as [Curve] {
            let found = Sustained(samplesMs: one.samplesMs)
            #expect(found.runs == one.sustained.runs)
            #expect(try largestDifference([found.seconds], [one.sustained.seconds]) < 1e-9)
            #expect(try largestDifference(found.atS, one.sustained.atS) < 1e-9)
            #expect(try largestDifference(found.p50Ms, one.sustained.p50Ms) < 1e-9)
        }
    }

    struct Settings: Decodable {
        let name: String
        let `protocol`: BenchmarkProtocol
    }
    struct Order: Decodable {
        let names: [String], blocks: Int, order: [String]
    }

    @Test func hasPythonsSettings() throws {
        let known: [Settings] = try Vectors.load("protocol", "settings")
        #expect(known.map(\.name) == ["default", "strict"])
        #expect(try BenchmarkProtocol() == known[0].protocol)
        #expect(try BenchmarkProtocol.strict() == known[1].protocol)
        #expect(throws: BenchmarkError.setting("runs")) { try BenchmarkProtocol(runs: 0) }
        #expect(throws: BenchmarkError.setting("blocks")) { try BenchmarkProtocol(blocks: 3) }
        #expect(throws: BenchmarkError.setting("max_cv")) { try BenchmarkProtocol(maxCv: -0.1) }
    }

    @Test func takesTurns() throws {
        for one in try Vectors.load("protocol", "schedule") as [Order] {
            let order = schedule(candidates: one.names.count, blocks: one.blocks)
            #expect(order.map { one.names[$0] } == one.order)
        }
    }

    struct Measured: Decodable {
        let warmupRuns: Int, samplesMs: [Double], sustainedMs: [Double]
    }
    struct Run: Decodable {
        let `protocol`: BenchmarkProtocol
        let durationsNs: [String: [UInt64]], order: [String], measured: [String: Measured]
    }

    @Test func measuresAsPythonDoes() async throws {
        for one in try Vectors.load("protocol", "measurements") as [Run] {
            let names = one.order.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            let toy = ToyClock(durations: one.durationsNs)
            let candidates = names.map { name in Candidate(name: name) { toy.run(name) } }
            let measuring = Measuring(one.protocol) { toy.now }
            let found = try await measuring.measure(candidates)
            #expect(toy.order == one.order)
            for (name, measurement) in zip(names, found) {
                let expected = try #require(one.measured[name])
                #expect(measurement.warmupRuns == expected.warmupRuns)
                #expect(measurement.samplesMs == expected.samplesMs)
                #expect(measurement.sustainedMs == expected.sustainedMs)
            }
        }
    }

    @Test func countsItsStepsAndStopsWhenCancelled() async throws {
        let settings = try BenchmarkProtocol(
            warmupRuns: 1, warmupSeconds: 0, runs: 2, seconds: 0, blocks: 2, settleRuns: 0)
        let steps = Steps()
        _ = try await Measuring(settings).measure([Candidate(name: "one") {}]) { done, total in
            await steps.note(done, total)
        }
        #expect(await steps.noted == ["1/3", "2/3", "3/3"])
        let cancelled = Task {
            try await Measuring(settings).measure([Candidate(name: "one") {}]) { _, _ in
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let endless = Task {
            let hours = try BenchmarkProtocol(
                warmupRuns: 0, warmupSeconds: 0, runs: 2, seconds: 0, blocks: 2, settleRuns: 0,
                sustainedSeconds: 10_000)
            var runs = 0
            let candidate = Candidate(name: "one") {
                runs += 1
                if runs == 5 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            _ = try await Measuring(hours).measure([candidate])
        }
        await #expect(throws: CancellationError.self) { try await endless.value }
    }

    struct Judged: Decodable {
        let samplesMs: [Double], delegate: Delegate, before: Condition, after: Condition
        let golden: GoldenCheck?, verdict: String, reason: String
    }
    struct Compared: Decodable {
        let expected: Array3, found: Array3, check: GoldenCheck
    }

    @Test func judgesInPythonsWords() throws {
        let settings = try BenchmarkProtocol()
        for one in try Vectors.load("verdict", "judged") as [Judged] {
            let verdict = Verdict(
                latency: try Latency(samplesMs: one.samplesMs), settings: settings,
                delegate: one.delegate, circumstances: .phone(one.before, one.after),
                golden: one.golden)
            #expect(verdict.reasons.joined(separator: "; ") == one.reason)
            #expect(verdict.isValid == (one.verdict == "valid"))
        }
    }

    @Test func comparesWithTheGoldenMatte() throws {
        for one in try Vectors.load("verdict", "golden") as [Compared] {
            let check = try GoldenCheck(one.found.matte, expected: one.expected.matte)
            #expect(abs(check.maxAbs - one.check.maxAbs) < rounding)
            #expect(abs(check.meanAbs - one.check.meanAbs) < rounding)
            #expect(check.limit == one.check.limit && check.passed == one.check.passed)
        }
        let small = AlphaMatte(size: PixelSize(height: 1, width: 1), repeating: 0)
        let large = AlphaMatte(size: PixelSize(height: 1, width: 2), repeating: 0)
        #expect(throws: BenchmarkError.matte) { try GoldenCheck(small, expected: large) }
        let broken = AlphaMatte(size: small.size, repeating: .nan)
        #expect(throws: BenchmarkError.matte) { try GoldenCheck(broken, expected: small) }
    }

    @Test func readsTheUnitFromThePlan() {
        let plan: [ComputeUnit] = [.cpu, .npu, .npu, .cpu, .npu]
        let delegate = Delegate(asked: .npu, plan: plan)
        #expect(delegate.used == "npu" && !delegate.fellBack)
        #expect(delegate.operators == 5 && delegate.delegated == 3 && delegate.partitions == 2)
        #expect(Delegate(asked: .gpu, plan: plan).fellBack)
        #expect(!Delegate(asked: .all, plan: plan).fellBack, "the choice was left to Core ML")
        let untold = Delegate(asked: .gpu, plan: nil)
        #expect(untold.used == "unknown" && untold.fellBack && untold.operators == nil)
    }
}

extension Latency {
    fileprivate var figures: [Double] {
        [minMs, meanMs, stdMs, p50Ms, p90Ms, p95Ms, p99Ms, iqrMs, cv, drift]
    }
}

extension Circumstances {
    static func phone(_ before: Condition, _ after: Condition) -> Circumstances {
        Circumstances(
            deviceKind: .physical, device: "iPhone", soc: "iPhone16,1", cores: 6, os: "iOS 17.5",
            abi: "arm64", runtime: "Core ML, iOS 17.5", before: before, after: after)
    }
}

/// A clock that the runs of the candidates push on.
private final class ToyClock {
    private(set) var now: UInt64 = 0
    private(set) var order: [String] = []
    private let durations: [String: [UInt64]]

    init(durations: [String: [UInt64]]) {
        self.durations = durations
    }

    func run(_ name: String) {
        let own = durations[name] ?? []
        now += own[order.count { $0 == name } % own.count]
        order.append(name)
    }
}

private actor Steps {
    private(set) var noted: [String] = []

    func note(_ done: Int, _ total: Int) { noted.append("\(done)/\(total)") }
}
