import CoreGraphics
import MattingCore
import SwiftUI

/// Paints a trimap over a photograph: trace the soft edge, then fill what lies inside.
struct TrimapEditor: View {
    let painting: TrimapPainting
    /// Called with the trimap, or nil when it was given up.
    let onFinish: (Trimap?) -> Void

    var body: some View {
        NavigationStack {
            surface
                .padding()
                .frame(maxWidth: .infinity, maxHeight: .infinity)
                .safeAreaInset(edge: .bottom) { BrushBar(painting: painting) }
                .navigationTitle("Paint the edge")
                .navigationBarTitleDisplayMode(.inline)
                .toolbar {
                    ToolbarItem(placement: .cancellationAction) {
                        Button("Cancel") { onFinish(nil) }
                    }
                    ToolbarItem(placement: .confirmationAction) {
                        Button("Cut out") { onFinish(painting.canvas.trimap) }
                            .disabled(!painting.canvas.isUsable)
                    }
                }
        }
    }

    @ViewBuilder private var surface: some View {
        if let photograph = painting.photograph {
            Image(photograph, scale: 1, label: Text("The photograph"))
                .resizable()
                .scaledToFit()
                .overlay {
                    if let layer = painting.layer {
                        Image(decorative: layer, scale: 1).resizable()
                    }
                }
                .overlay { GeometryReader { touchArea($0.size) } }
                .accessibilityHint("Draw with one finger")
        }
    }

    private func touchArea(_ shown: CGSize) -> some View {
        Color.clear
            .contentShape(.rect)
            // VoiceOver then hands the finger's way to the canvas.
            .accessibilityDirectTouch()
            .gesture(
                DragGesture(minimumDistance: 0)
                    .onChanged { painting.drag(to: $0.location, in: shown) }
                    .onEnded { _ in painting.lift() })
    }
}
