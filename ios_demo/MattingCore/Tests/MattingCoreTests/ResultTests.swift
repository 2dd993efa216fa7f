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

    @Test func writesNullWhereTheSchemaAsksForTheKey() throws {
        let settings = try BenchmarkProtocol()
        let result = try BenchmarkResult(
            BenchmarkResult.Subject(
                name: "portrait-fp16", modelSha256: String(repeating: "ab", count: 32),
                modelBytes: 6_000_000, delegate: Delegate(asked: .npu, plan: nil), initMs: 12,
                firstMs: 3, peakMemoryBytes: nil, golden: nil),
            Measurement(samplesMs: [1, 1.01], warmupRuns: 10, sustainedMs: []),
            settings: settings, circumstances: .phone(Condition(), Condition()),
            recordedAt: Date(timeIntervalSince1970: 1_795_428_000))
        let text = String(decoding: try [result].json(), as: UTF8.self)
        #expect(text.contains(#""golden" : null"#))
        #expect(text.contains(#""operators" : null"#))
        #expect(text.contains(#""transport" : "ios""#))
        #expect(text.contains(#""recorded_at" : "2026-11-23T"#))
        #expect(try [BenchmarkResult](json: Data(text.utf8)) == [result])
    }
}
