import CoreGraphics
import MattingCore
import Observation

/// What a finger does to a trimap.
@MainActor @Observable
final class TrimapPainting {
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

    /// Longer side of the canvas, in pixels: finer than a finger, and quick to paint on.
    private static let side = 1024

    /// How far the proposed edge goes beyond what the matte is unsure of, in canvas pixels.
    private static let reach = 12

    /// - Parameter alpha: The matte so far; the trimap then starts around its edge.
    init(picture: RGBImage, alpha: AlphaMatte?) {
        let longest = max(picture.height, picture.width)
        let size = PixelSize(
            height: max(1, picture.height * Self.side / longest),
            width: max(1, picture.width * Self.side / longest))
        let start =
            alpha.map { Trimap(around: $0.resized(to: size), reach: Self.reach) }
            ?? Trimap(size: size, repeating: TrimapValue.background.rawValue)
        canvas = TrimapCanvas(start)
        layer = start.overlay.cgImage
        photograph = picture.resized(to: size, filter: .bilinear).cgImage
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
        var colours = RGBImage(size: size, red: 0, green: 0, blue: 0)
        var alpha = AlphaMatte(size: size, repeating: 0)
        for (pixel, value) in values.enumerated() {
            guard let known = TrimapValue(rawValue: value), known != .background else { continue }
            let colour: [UInt8] = known == .unknown ? [255, 225, 90] : [20, 60, 200]
            colours.bytes.replaceSubrange(pixel * 3..<pixel * 3 + 3, with: colour)
            alpha.values[pixel] = 0.55
        }
        return RGBAImage(colours: colours, alpha: alpha)
    }
}
