import SwiftUI

/// The camera with portrait matting.
struct LiveScreen: View {
    @Environment(ModelLibrary.self) private var library
    @State private var preview = LivePreview()

    var body: some View {
        NavigationStack {
            stage
                .padding()
                .frame(maxWidth: .infinity, maxHeight: .infinity)
                .navigationTitle("Live")
                .toolbar {
                    Button("Turn the camera", systemImage: "arrow.triangle.2.circlepath.camera") {
                        preview.side = preview.side == .front ? .back : .front
                    }
                }
        }
        // Runs while the screen is shown, and anew when the camera is turned.
        .task(id: preview.side) { await preview.run(library: library) }
    }

    @ViewBuilder private var stage: some View {
        if let error = preview.error {
            FailureView(error: error)
        } else if let image = preview.image {
            VStack {
                PictureView(image: image, label: "Live picture with another background")
                if let milliseconds = preview.milliseconds {
                    Text("\(milliseconds, specifier: "%.0f") ms a frame")
                        .font(.footnote.monospacedDigit())
                        .foregroundStyle(.secondary)
                }
            }
        } else {
            ProgressView("Starting the camera")
        }
    }
}
