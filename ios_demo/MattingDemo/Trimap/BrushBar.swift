import SwiftUI

/// Chooses the tool and the width of the brush.
struct BrushBar: View {
    @Bindable var painting: TrimapPainting

    var body: some View {
        VStack(spacing: 12) {
            Picker("Tool", selection: $painting.tool) {
                ForEach(TrimapPainting.Tool.allCases) { tool in
                    Text(tool.title).tag(tool)
                }
            }
            .pickerStyle(.segmented)
            HStack {
                Slider(value: $painting.brush, in: 0.005...0.12) {
                    Text("Width of the brush")
                }
                .disabled(painting.tool == .fill)
                Button("Undo", systemImage: "arrow.uturn.backward") { painting.undo() }
                    .labelStyle(.iconOnly)
                    .disabled(!painting.canvas.canUndo)
            }
            Text(painting.tool.hint)
                .font(.footnote)
                .foregroundStyle(.secondary)
        }
        .padding()
        .background(.bar)
    }
}

extension TrimapPainting.Tool {
    fileprivate var title: LocalizedStringKey {
        switch self {
        case .edge: "Edge"
        case .fill: "Fill"
        case .keep: "Keep"
        case .remove: "Remove"
        }
    }

    fileprivate var hint: LocalizedStringKey {
        switch self {
        case .edge: "Trace hair, fur and everything half transparent."
        case .fill: "Tap inside the outline: all of it is kept."
        case .keep: "Paint what is certainly kept."
        case .remove: "Paint what certainly goes."
        }
    }
}
