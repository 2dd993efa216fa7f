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

    var body: some View {
        Section(entry.name) {
            if entry.demonstration {
                Label(
                    "Weights of a short training, for demonstration alone",
                    systemImage: "exclamationmark.triangle")
            }
            LabeledContent("Input") {
                Text("\(entry.feeding.width) x \(entry.feeding.height)")
            }
            LabeledContent("Size") {
                Text(Int64(entry.bytes), format: .byteCount(style: .file))
            }
            LabeledContent("Licence", value: entry.licence)
            Text(verbatim: entry.dataNotice)
            if let card = entry.card {
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
