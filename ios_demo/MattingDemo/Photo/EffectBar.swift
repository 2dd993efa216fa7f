import PhotosUI
import SwiftUI

/// Chooses what is done with the matte, and how much of it.
struct EffectBar: View {
    @Bindable var editor: PhotoEditor
    @State private var picked: PhotosPickerItem?

    var body: some View {
        VStack(spacing: 12) {
            Picker("Effect", selection: $editor.effect) {
                ForEach(Effect.allCases) { effect in
                    Text(effect.title).tag(effect)
                }
            }
            .pickerStyle(.segmented)
            settings
        }
        .padding()
        .background(.bar)
        .task(id: Settings(effect: editor.effect, blur: editor.blur)) { await editor.render() }
        .onChange(of: picked) {
            Task { await setBackground(picked) }
        }
    }

    @ViewBuilder private var settings: some View {
        switch editor.effect {
        case .blur:
            Slider(value: $editor.blur, in: 0.002...0.06) {
                Text("Strength of the blur")
            }
        case .background:
            PhotosPicker(selection: $picked, matching: .images) {
                Label("Choose a background", systemImage: "mountain.2")
            }
        case .cutOut, .alpha:
            EmptyView()
        }
    }

    private func setBackground(_ item: PhotosPickerItem?) async {
        guard let item else { return }
        do {
            guard let data = try await item.loadTransferable(type: Data.self) else {
                throw Failure.unreadablePicture
            }
            await editor.setBackground(data)
        } catch {
            editor.fail(error)
        }
    }

    /// What a new rendering is needed for.
    private struct Settings: Equatable {
        let effect: Effect
        let blur: Double
    }
}

extension Effect {
    var title: LocalizedStringKey {
        switch self {
        case .cutOut: "Cut-out"
        case .background: "Background"
        case .blur: "Blur"
        case .alpha: "Alpha"
        }
    }
}
