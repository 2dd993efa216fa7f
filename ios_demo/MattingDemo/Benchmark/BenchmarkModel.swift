import MattingCore
import Observation
import UIKit

/// The benchmark screen's settings, progress and results.
@MainActor @Observable
final class BenchmarkModel {
    enum Stage {
        case ready
        case running(share: Double)
        case done([BenchmarkResult])
        case failed(any Error)
    }

    /// How long it takes, and what the figures are good for.
    enum Thoroughness: CaseIterable, Identifiable {
        /// edgemat's usual minimums: 200 runs, 10 s.
        case standard
        /// For publication, by MLPerf's rules: 1,024 runs, 60 s.
        case strict

        var id: Self { self }
    }

    var task = ModelEntry.Task.portrait
    var choice = ComputeChoice.npu
    var thoroughness = Thoroughness.standard
    /// Minutes in which each model then runs alone; 0 leaves that out.
    var sustainedMinutes = 0
    private(set) var stage = Stage.ready

    var isRunning: Bool {
        if case .running = stage { true } else { false }
    }

    /// Measures all models of the task in turns: float against int8.
    func run(library: ModelLibrary) async {
        await run(library: library) {
            try library.measurable(for: task)
        } settings: {
            let seconds = Double(sustainedMinutes) * 60
            return switch thoroughness {
            case .standard: try BenchmarkProtocol(sustainedSeconds: seconds)
            case .strict: try BenchmarkProtocol.strict(sustainedSeconds: seconds)
            }
        }
    }

    /// Measures what a computer asked for: all models of the app.
    func run(_ request: BenchmarkRequest, library: ModelLibrary) async {
        choice = request.delegate
        await run(library: library) {
            try library.measurable()
        } settings: {
            request.protocol
        }
    }

    private func run(
        library: ModelLibrary, entries: () throws -> [ModelEntry],
        settings: () throws -> BenchmarkProtocol
    ) async {
        stage = .running(share: 0)
        ResultFile.remove()
        UIApplication.shared.isIdleTimerDisabled = true
        defer { UIApplication.shared.isIdleTimerDisabled = false }
        do {
            let files = try entries().map(library.file)
            let results = try await BenchmarkSession().run(
                files, choice: choice, settings: try settings()
            ) { done, total in
                await self.show(Double(done) / Double(total))
            }
            try ResultFile.write(results)
            stage = .done(results)
        } catch is CancellationError {
            stage = .ready
        } catch {
            stage = .failed(error)
        }
    }

    private func show(_ share: Double) { stage = .running(share: share) }
}
