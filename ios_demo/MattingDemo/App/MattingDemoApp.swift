import SwiftUI

@main
struct MattingDemoApp: App {
    @State private var library = ModelLibrary(folder: .bundled)

    var body: some Scene {
        WindowGroup {
            Group {
                if let request = BenchmarkRequest(arguments: ProcessInfo.processInfo.arguments) {
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
