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
            // Asked only now that there is something to save, and only for adding.
            guard await PHPhotoLibrary.requestAuthorization(for: .addOnly) == .authorized else {
                throw Failure.photosRefused
            }
            try await PHPhotoLibrary.shared().performChanges {
                PHAssetCreationRequest.forAsset().addResource(
                    with: .photo, data: png, options: nil)
            }
            isSaved = true
        } catch {
            editor.fail(error)
        }
    }
}
