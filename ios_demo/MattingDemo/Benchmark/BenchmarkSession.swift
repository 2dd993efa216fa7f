import CoreML
import Foundation
import MattingCore

/// Measures models against each other on this phone.
actor BenchmarkSession {
    /// A loaded model with its golden input, and what is known of it so far.
    private struct Contestant {
        let file: ModelFile
        let model: MLModel
        let input: MLDictionaryFeatureProvider
        let delegate: Delegate
        let initMs: Double
        let firstMs: Double
        let golden: GoldenCheck?

        var subject: BenchmarkResult.Subject {
            BenchmarkResult.Subject(
                name: file.entry.name, modelSha256: file.entry.sha256,
                modelBytes: file.entry.bytes, delegate: delegate, initMs: initMs,
                firstMs: firstMs, peakMemoryBytes: Phone.peakMemoryBytes(), golden: golden)
        }
    }

    /// Runs the protocol; the results are in the order of `files`.
    ///
    /// - Parameter progress: Called between two blocks of runs, with the blocks that are done and
    ///   all blocks.
    func run(
        _ files: [ModelFile], choice: ComputeChoice, settings: BenchmarkProtocol,
        progress: @Sendable (Int, Int) async -> Void
    ) async throws -> [BenchmarkResult] {
        let before = await Phone.condition()
        var contestants: [Contestant] = []
        for file in files {
            contestants.append(try await load(file, choice))
        }
        let candidates = contestants.map { contestant in
            Candidate(name: contestant.file.entry.name) {
                _ = try contestant.model.prediction(from: contestant.input)
            }
        }
        let measured = try await Measuring(settings).measure(candidates, progress: progress)
        let circumstances = await Phone.circumstances(before: before, after: Phone.condition())
        return try zip(contestants, measured).map { contestant, measurement in
            try BenchmarkResult(
                contestant.subject, measurement, settings: settings, circumstances: circumstances)
        }
    }

    private func load(_ file: ModelFile, _ choice: ComputeChoice) async throws -> Contestant {
        let compiled = try await file.compiled()
        let plan = try await ComputePlan.units(of: compiled, choice: choice)
        let golden = try file.golden()
        let input =
            try golden.map { try Features.input($0.image, trimap: $0.trimap) }
            ?? Features.blank(for: file.entry.feeding)
        // Loaded once untimed: the first time, iOS prepares a model for the unit, and keeps that.
        _ = try MLModel(contentsOf: compiled, configuration: .using(choice))
        let (initMs, model) = try timed {
            try MLModel(contentsOf: compiled, configuration: .using(choice))
        }
        let (firstMs, output) = try timed { try model.prediction(from: input) }
        let alpha = try Features.alpha(in: output, size: file.entry.feeding.size)
        return Contestant(
            file: file, model: model, input: input, delegate: Delegate(asked: choice, plan: plan),
            initMs: initMs, firstMs: firstMs,
            golden: try golden.map { try GoldenCheck(alpha, expected: $0.alpha) })
    }

    private func timed<Value>(_ work: () throws -> Value) rethrows -> (Double, Value) {
        let start = DispatchTime.now().uptimeNanoseconds
        let value = try work()
        return (Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6, value)
    }
}
