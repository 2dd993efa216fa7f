import Photos
import SwiftUI

/// Saves the cut-out to Photos as a transparent PNG.
struct SaveButton: View {
    let editor: PhotoEditor
    @State private var isSaving = false
    @State private var isSaved = false

    var body: some View {
        Button("Save as PNG", systemImage: "square.and.arrow.down") {
            Task { await save() }
        }
        .disabled(isSaving)
        .sensoryFeedback(.success, trigger: isSaved) { _, saved in saved }
        .alert("Saved to Photos", isPresented: $isSaved) {}
    }

    private func save() async {
        isSaving = true
        defer { isSaving = false }
        do {
            let png = try await editor.png()
            try await PhotoLibrary.add(png)
            isSaved = true
        } catch {
            editor.fail(error)
        }
    }
}

/// The user's photographs, to which the app may only add.
///
/// Apart from the button, because Photos calls the closure on a queue of its own: written in a view
/// it would belong to the main actor, and the app would be ended for breaking that.
private enum PhotoLibrary {
    /// - Throws: `Failure.photosRefused`, or Photos' error.
    static func add(_ png: Data) async throws {
        // Asked only now that there is something to save, and only for adding.
        guard await PHPhotoLibrary.requestAuthorization(for: .addOnly) == .authorized else {
            throw Failure.photosRefused
        }
        try await PHPhotoLibrary.shared().performChanges {
            PHAssetCreationRequest.forAsset().addResource(with: .photo, data: png, options: nil)
        }
    }
}
