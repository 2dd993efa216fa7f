import SwiftUI
import UIKit

/// A sentence that says what is wrong, with a way to Settings where that helps.
struct FailureView: View {
    let error: any Error

    var body: some View {
        ContentUnavailableView {
            Label("That did not work", systemImage: "exclamationmark.triangle")
        } description: {
            Text(verbatim: error.sentence)
        } actions: {
            if error.isPermission { SettingsButton() }
        }
    }
}

/// Opens the app's page in Settings, where permissions are given.
struct SettingsButton: View {
    @Environment(\.openURL) private var openURL

    var body: some View {
        if let settings = URL(string: UIApplication.openSettingsURLString) {
            Button("Open Settings") { openURL(settings) }
        }
    }
}
