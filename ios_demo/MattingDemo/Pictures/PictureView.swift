import SwiftUI

/// A picture as large as fits, over a chequered ground where it is transparent.
struct PictureView: View {
    let image: CGImage
    let label: LocalizedStringKey

    var body: some View {
        Image(image, scale: 1, label: Text(label))
            .resizable()
            .scaledToFit()
            .background { Chequers() }
            .clipShape(.rect(cornerRadius: 12))
    }
}

/// The ground that shows transparency, lighter or darker with the phone's appearance.
private struct Chequers: View {
    private let side = 12.0

    var body: some View {
        Canvas { context, size in
            for row in 0...Int(size.height / side) {
                for column in 0...Int(size.width / side) where (row + column).isMultiple(of: 2) {
                    let square = CGRect(
                        x: Double(column) * side, y: Double(row) * side, width: side, height: side)
                    context.fill(Path(square), with: .color(.secondary.opacity(0.25)))
                }
            }
        }
        .accessibilityHidden(true)
    }
}
