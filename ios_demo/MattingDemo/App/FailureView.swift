import SwiftUI
import UIKit

/// A sentence that says what is wrong, with a way to Settings where that helps.
struct FailureView: View {
    let error: any Error

    @Environment(\.openURL) private var openURL

    var body: some View {
        ContentUnavailableView {
            Label("That did not work", systemImage: "exclamationmark.triangle")
        } description: {
            Text(verbatim: error.sentence)
        } actions: {
            if isPermission, let settings = URL(string: UIApplication.openSettingsURLString) {
                Button("Open Settings") { openURL(settings) }
            }
        }
    }

    private var isPermission: Bool {
        let failure = error as? Failure
        return failure == .cameraRefused || failure == .photosRefused
    }
}
