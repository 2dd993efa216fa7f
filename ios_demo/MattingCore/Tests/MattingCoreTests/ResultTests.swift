import Foundation
import Testing

@testable import MattingCore

/// The JSON that `edgemat bench import` reads.
@Suite struct ResultTests {
    struct Case: Decodable {
        let sustainedMs: [Double], result: BenchmarkResult
    }

    @Test func makesPythonsResultAgain() throws {
        for one in try Vectors.load("result", "results") as [Case] {
            let known = one.result
            let made = try BenchmarkResult(
                BenchmarkResult.Subject(
                    name: known.name, modelSha256: known.modelSha256, modelBytes: known.modelBytes,
                    delegate: known.delegate, initMs: known.initMs, firstMs: known.firstMs,
                    peakMemoryBytes: known.peakMemoryBytes, golden: known.golden),
                Measurement(
                    samplesMs: known.samplesMs, warmupRuns: known.warmupRuns,
                    sustainedMs: one.sustainedMs),
                settings: known.protocol, circumstances: known.circumstances)
            #expect(made.verdict == known.verdict && made.reason == known.reason)
            #expect(abs(made.latency.p90Ms - known.latency.p90Ms) < 1e-9)
            #expect(made.sustained?.p50Ms.count == known.sustained?.p50Ms.count)
        }
    }

    /// What Swift writes has every key of Python's, but for those that iOS has no value for.
    @Test func writesPythonsKeys() throws {
        let results = try Vectors.objects("result")["results"] ?? []
        for known in results.compactMap({ $0["result"] as? [String: Any] }) {
            let text = try JSONSerialization.data(withJSONObject: [known])
            let written = try JSONSerialization.jsonObject(
                with: try [BenchmarkResult](json: text).json())
            let first = try #require((written as? [[String: Any]])?.first)
            compare(first, known, at: "")
        }
    }

    private func compare(_ written: [String: Any], _ known: [String: Any], at place: String) {
        #expect(Set(written.keys).isSubset(of: known.keys), "\(place): unknown to the schema")
        for (key, value) in known {
            let here = "\(place).\(key)"
            guard let own = written[key] else {
                #expect(isDefault(value), "\(here) is missing")
                continue
            }
            if let inner = value as? [String: Any], let ownInner = own as? [String: Any] {
                compare(ownInner, inner, at: here)
            } else {
                #expect(own as? NSObject == value as? NSObject, "\(here)")
            }
        }
    }

    /// What the schema takes for granted where a key is missing.
    private func isDefault(_ value: Any) -> Bool {
        value is NSNull || (value as? [Any])?.isEmpty == true
    }

    /// `tests/written/ios.json` is what this writes; Python's tests read it as edgemat does.
    ///
    /// With `EDGEMAT_WRITE` in the environment the file is written anew.
    @Test func writesWhatPythonsTestsRead() throws {
        let file = Vectors.tests.appending(path: "written/ios.json")
        let written = try Self.bothKinds().json()
        if ProcessInfo.processInfo.environment["EDGEMAT_WRITE"] != nil {
            try (written + Data("\n".utf8)).write(to: file)
        }
        let kept = try Data(contentsOf: file)
        #expect(try [BenchmarkResult](json: kept) == [BenchmarkResult](json: written))
        let objects = try [kept, written].map {
            try JSONSerialization.jsonObject(with: $0) as? NSArray
        }
        #expect(objects[0] == objects[1], "the same keys, too")
    }

    /// One result with all that iOS tells, and one with as little as can be.
    private static func bothKinds() throws -> [BenchmarkResult] {
        let steady = (0..<20).map { 4 + Double($0 % 3) / 64 }
        let plan: [ComputeUnit] = [.cpu, .npu, .npu, .npu]
        let cool = Condition(
            thermalStatus: ThermalStatus.none, batteryLevel: 0.75, charging: false,
            lowPowerMode: false)
        let told = try BenchmarkResult(
            BenchmarkResult.Subject(
                name: "portrait-int8", modelSha256: String(repeating: "ab", count: 32),
                modelBytes: 1_900_000, delegate: Delegate(asked: .npu, plan: plan), initMs: 31.5,
                firstMs: 5.25, peakMemoryBytes: 61_000_000,
                golden: GoldenCheck(maxAbs: 0.03125, meanAbs: 0.001)),
            Measurement(samplesMs: steady, warmupRuns: 240, sustainedMs: steady + steady),
            settings: try BenchmarkProtocol(sustainedSeconds: 60),
            circumstances: .phone(cool, cool), recordedAt: recordedAt)
        let untold = try BenchmarkResult(
            BenchmarkResult.Subject(
                name: "portrait-fp16", modelSha256: String(repeating: "cd", count: 32),
                modelBytes: 3_500_000, delegate: Delegate(asked: .gpu, plan: nil), initMs: 40,
                firstMs: 9, peakMemoryBytes: nil, golden: nil),
            Measurement(samplesMs: steady, warmupRuns: 10, sustainedMs: []),
            settings: try BenchmarkProtocol(), circumstances: .phone(Condition(), Condition()),
            recordedAt: recordedAt)
        return [told, untold]
    }

    private static let recordedAt = Date(timeIntervalSince1970: 1_795_428_000)

    @Test func writesNullWhereTheSchemaAsksForTheKey() throws {
        let settings = try BenchmarkProtocol()
        let result = try BenchmarkResult(
            BenchmarkResult.Subject(
                name: "portrait-fp16", modelSha256: String(repeating: "ab", count: 32),
                modelBytes: 6_000_000, delegate: Delegate(asked: .npu, plan: nil), initMs: 12,
                firstMs: 3, peakMemoryBytes: nil, golden: nil),
            Measurement(samplesMs: [1, 1.01], warmupRuns: 10, sustainedMs: []),
            settings: settings, circumstances: .phone(Condition(), Condition()),
            recordedAt: Self.recordedAt)
        let text = String(decoding: try [result].json(), as: UTF8.self)
        #expect(text.contains(#""golden" : null"#))
        #expect(text.contains(#""operators" : null"#))
        #expect(text.contains(#""transport" : "ios""#))
        #expect(text.contains(#""recorded_at" : "2026-11-23T"#))
        #expect(try [BenchmarkResult](json: Data(text.utf8)) == [result])
    }
}
