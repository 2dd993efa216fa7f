/// A trimap that is painted by finger: strokes of a round brush, filled areas, undo.
public struct TrimapCanvas: Sendable {
    public private(set) var trimap: Trimap
    private var earlier: [Trimap] = []

    /// How many steps can be undone.
    public static let undoLimit = 20

    /// Goes on from a trimap.
    public init(_ trimap: Trimap) {
        self.trimap = trimap
    }

    public var canUndo: Bool { !earlier.isEmpty }

    /// Whether a trimap model has something to decide, and something to hold on to.
    public var isUsable: Bool { trimap.hasUnknown }

    /// Remembers the trimap as it is; called when a finger comes down.
    public mutating func beginStep() {
        earlier.append(trimap)
        if earlier.count > Self.undoLimit { earlier.removeFirst() }
    }

    /// Takes back all that was painted since the last `beginStep`.
    public mutating func undo() {
        if let last = earlier.popLast() { trimap = last }
    }

    /// Paints a straight piece of a stroke with a round brush.
    ///
    /// - Parameters:
    ///   - start: Where the piece begins, in pixels; pixel centres lie at half-integers.
    ///   - end: Where it ends.
    ///   - radius: Of the brush, in pixels.
    public mutating func stroke(
        from start: (x: Double, y: Double), to end: (x: Double, y: Double), radius: Double,
        value: TrimapValue
    ) {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let squaredLength = dx * dx + dy * dy
        let rows = pixels(min(start.y, end.y) - radius, max(start.y, end.y) + radius, trimap.height)
        let columns = pixels(
            min(start.x, end.x) - radius, max(start.x, end.x) + radius, trimap.width)
        for row in rows {
            for column in columns {
                let (x, y) = (Double(column) + 0.5 - start.x, Double(row) + 0.5 - start.y)
                // The nearest point of the piece, as a share of its length.
                let along =
                    squaredLength == 0 ? 0 : min(max((x * dx + y * dy) / squaredLength, 0), 1)
                let (offX, offY) = (x - along * dx, y - along * dy)
                if offX * offX + offY * offY <= radius * radius {
                    trimap[row, column] = value.rawValue
                }
            }
        }
    }

    /// Fills the area of equal value around a pixel, up to what was painted otherwise: draw the
    /// outline as unknown, then fill its inside as foreground.
    public mutating func fill(row: Int, column: Int, value: TrimapValue) {
        guard (0..<trimap.height).contains(row), (0..<trimap.width).contains(column) else { return }
        let replaced = trimap[row, column]
        guard replaced != value.rawValue else { return }
        var waiting = [row * trimap.width + column]
        trimap.values[waiting[0]] = value.rawValue
        while let pixel = waiting.popLast() {
            let column = pixel % trimap.width
            let neighbours = [
                column > 0 ? pixel - 1 : nil,
                column < trimap.width - 1 ? pixel + 1 : nil,
                pixel >= trimap.width ? pixel - trimap.width : nil,
                pixel + trimap.width < trimap.values.count ? pixel + trimap.width : nil,
            ]
            for case let next? in neighbours where trimap.values[next] == replaced {
                trimap.values[next] = value.rawValue
                waiting.append(next)
            }
        }
    }

    private func pixels(_ first: Double, _ last: Double, _ count: Int) -> Range<Int> {
        let start = min(max(Int(first.rounded(.down)), 0), count)
        return start..<min(max(Int(last.rounded(.up)), start), count)
    }
}
