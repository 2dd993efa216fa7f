import SwiftUI

@main
struct MattingDemoApp: App {
    @State private var library = ModelLibrary(folder: .bundled)
    private let request: BenchmarkRequest?

    init() {
        do {
            request = try BenchmarkRequest(arguments: ProcessInfo.processInfo.arguments)
        } catch {
            // The computer waits for an answer, and would wait for ever for a screen.
            BenchmarkRequest.complain("The settings after --benchmark cannot be read.")
            exit(EXIT_FAILURE)
        }
    }

    var body: some Scene {
        WindowGroup {
            Group {
                if let request {
                    UnattendedBenchmark(request: request)
                } else {
                    HomeView()
                }
            }
            .environment(library)
        }
    }
}

/// The app's four screens.
struct HomeView: View {
    var body: some View {
        TabView {
            PhotoScreen()
                .tabItem { Label("Photo", systemImage: "photo") }
            LiveScreen()
                .tabItem { Label("Live", systemImage: "video") }
            BenchmarkScreen()
                .tabItem { Label("Benchmark", systemImage: "stopwatch") }
            ModelsScreen()
                .tabItem { Label("Models", systemImage: "shippingbox") }
        }
    }
}
