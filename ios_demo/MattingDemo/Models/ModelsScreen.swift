import MattingCore
import SwiftUI

/// What each model is for, what it learned from and where it fails.
struct ModelsScreen: View {
    @Environment(ModelLibrary.self) private var library

    var body: some View {
        NavigationStack {
            Group {
                if case .failure(let failure) = library.catalog {
                    FailureView(error: failure)
                } else {
                    List(library.models) { ModelSection(entry: $0) }
                }
            }
            .navigationTitle("Models")
        }
    }
}

private struct ModelSection: View {
    let entry: ModelEntry

    private var manifest: ModelManifest { entry.manifest }

    var body: some View {
        Section(entry.name) {
            if manifest.demonstration {
                Label(
                    "Weights of a short training, for demonstration alone",
                    systemImage: "exclamationmark.triangle")
            }
            LabeledContent("Input") {
                Text("\(manifest.feeding.width) x \(manifest.feeding.height)")
            }
            LabeledContent("Size") {
                Text(Int64(manifest.payloadBytes), format: .byteCount(style: .file))
            }
            LabeledContent("Licence", value: manifest.licence)
            Text(verbatim: manifest.dataNotice)
            if let card = manifest.card {
                DisclosureGroup("About this model") {
                    // The card is written in English by who trained the model.
                    Text(verbatim: card.purpose)
                    Text(verbatim: card.data)
                    Text(verbatim: card.limits)
                }
            }
        }
    }
}
