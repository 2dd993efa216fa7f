import CoreGraphics
import MattingCore
import Observation

/// What a finger does to a trimap.
@MainActor @Observable
final class TrimapPainting: Identifiable {
    /// What touching does.
    enum Tool: CaseIterable, Identifiable {
        /// Strokes of unknown: hair, fur, everything half transparent.
        case edge
        /// Fills the inside of an outline with foreground.
        case fill
        /// Strokes of foreground.
        case keep
        /// Strokes of background.
        case remove

        var id: Self { self }
    }

    var tool = Tool.edge
    /// Of the brush, relative to the picture's longer side.
    var brush = 0.03
    private(set) var canvas: TrimapCanvas
    /// The photograph for the screen.
    let photograph: CGImage?
    /// The trimap in colours, to be laid over it.
    private(set) var layer: CGImage?

    private var last: (x: Double, y: Double)?

    init(_ ground: Darkroom.PaintingGround) {
        canvas = TrimapCanvas(ground.trimap)
        layer = ground.trimap.overlay.cgImage
        photograph = ground.photograph.cgImage
    }

    /// - Parameters:
    ///   - point: Where the finger is, in the view's points.
    ///   - shown: The size of the view.
    func drag(to point: CGPoint, in shown: CGSize) {
        let size = canvas.trimap.size
        let here = (
            x: point.x / shown.width * Double(size.width),
            y: point.y / shown.height * Double(size.height)
        )
        if last == nil { canvas.beginStep() }
        if let value = tool.strokeValue {
            let radius = brush * Double(max(size.height, size.width)) / 2
            canvas.stroke(from: last ?? here, to: here, radius: radius, value: value)
        } else if last == nil {
            canvas.fill(row: Int(here.y), column: Int(here.x), value: .foreground)
        }
        last = here
        layer = canvas.trimap.overlay.cgImage
    }

    /// The finger has left the screen.
    func lift() { last = nil }

    func undo() {
        canvas.undo()
        layer = canvas.trimap.overlay.cgImage
    }
}

extension TrimapPainting.Tool {
    /// What strokes leave behind; nil where touching fills.
    fileprivate var strokeValue: TrimapValue? {
        switch self {
        case .edge: .unknown
        case .fill: nil
        case .keep: .foreground
        case .remove: .background
        }
    }
}

extension Trimap {
    /// Half transparent colours that differ in lightness too, for those who see no red or green:
    /// unknown is light yellow, foreground dark blue, background nothing.
    fileprivate var overlay: RGBAImage {
        // Drawn anew with every move of the finger, so nothing is allocated for a pixel.
        var bytes = [UInt8](repeating: 0, count: size.count * RGBAImage.channels)
        for (pixel, value) in values.enumerated() {
            let colour: (red: UInt8, green: UInt8, blue: UInt8)
            switch TrimapValue(rawValue: value) {
            case .unknown: colour = (255, 225, 90)
            case .foreground: colour = (20, 60, 200)
            case .background, nil: continue
            }
            bytes[pixel * 4] = colour.red
            bytes[pixel * 4 + 1] = colour.green
            bytes[pixel * 4 + 2] = colour.blue
            bytes[pixel * 4 + 3] = 140
        }
        return RGBAImage(size: size, bytes: bytes)
    }
}
