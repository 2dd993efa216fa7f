import MattingCore
import SwiftUI

/// Measures the models on this phone by the project's protocol.
struct BenchmarkScreen: View {
    @Environment(ModelLibrary.self) private var library
    @State private var benchmark = BenchmarkModel()
    @State private var running: Task<Void, Never>?

    var body: some View {
        NavigationStack {
            Group {
                if case .failure(let failure) = library.catalog {
                    FailureView(error: failure)
                } else {
                    form
                }
            }
            .navigationTitle("Benchmark")
            .toolbar {
                if case .done = benchmark.stage {
                    ShareLink(item: ResultFile.url)
                }
            }
        }
    }

    private var form: some View {
        Form {
            SettingsSection(benchmark: benchmark).disabled(benchmark.isRunning)
            Section {
                switch benchmark.stage {
                case .running(let share):
                    ProgressView(value: share) { Text("Measuring: leave the phone alone") }
                    Button("Stop", role: .destructive) { running?.cancel() }
                default:
                    Button("Start") {
                        running = Task { await benchmark.run(library: library) }
                    }
                }
            } footer: {
                Text(
                    "Warm-up, then blocks in which the models take turns. Unplug the phone and let it cool down first."
                )
            }
            switch benchmark.stage {
            case .done(let results):
                ForEach(results, id: \.name) { ResultSection(result: $0) }
            case .failed(let error):
                Section { FailureView(error: error) }
            case .ready, .running:
                EmptyView()
            }
        }
    }
}

private struct SettingsSection: View {
    @Bindable var benchmark: BenchmarkModel

    var body: some View {
        Section {
            Picker("Task", selection: $benchmark.task) {
                Text("People").tag(ModelEntry.Task.portrait)
                Text("With a trimap").tag(ModelEntry.Task.trimap)
            }
            Picker("Computes on", selection: $benchmark.choice) {
                ForEach(ComputeChoice.allCases, id: \.self) { choice in
                    Text(choice.title).tag(choice)
                }
            }
            Picker("Runs", selection: $benchmark.thoroughness) {
                ForEach(BenchmarkModel.Thoroughness.allCases) { one in
                    Text(one.title).tag(one)
                }
            }
            Picker("Then without a pause", selection: $benchmark.sustainedMinutes) {
                ForEach([0, 1, 5, 10], id: \.self) { minutes in
                    Text("\(minutes) min").tag(minutes)
                }
            }
        }
    }
}

extension ComputeChoice {
    fileprivate var title: LocalizedStringKey {
        switch self {
        case .cpu: "CPU"
        case .gpu: "GPU"
        case .npu: "Neural Engine"
        case .all: "Core ML's choice"
        }
    }
}

extension BenchmarkModel.Thoroughness {
    fileprivate var title: LocalizedStringKey {
        switch self {
        case .standard: "200 runs, 10 s"
        case .strict: "1,024 runs, 60 s"
        }
    }
}

/// Runs what a computer asked for, writes the file and ends the app, which the computer awaits.
struct UnattendedBenchmark: View {
    let request: BenchmarkRequest
    @Environment(ModelLibrary.self) private var library
    @State private var benchmark = BenchmarkModel()

    var body: some View {
        ProgressView("Measuring: leave the phone alone")
            .task {
                await benchmark.run(request, library: library)
                if case .failed(let error) = benchmark.stage {
                    BenchmarkRequest.complain(error.sentence)
                    exit(EXIT_FAILURE)
                }
                exit(EXIT_SUCCESS)
            }
    }
}
