/// Height and width in pixels.
public struct PixelSize: Hashable, Sendable {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Pixels in all.
    public var count: Int { height * width }
}

/// One value per pixel, row by row from the top left, without gaps between rows.
public struct Plane<Element: Sendable>: Sendable {
    public let size: PixelSize
    /// `size.count` values.
    public var values: [Element]

    public var height: Int { size.height }
    public var width: Int { size.width }

    public init(size: PixelSize, values: [Element]) {
        precondition(values.count == size.count, "a plane has one value per pixel")
        self.size = size
        self.values = values
    }

    public init(size: PixelSize, repeating value: Element) {
        self.size = size
        values = Array(repeating: value, count: size.count)
    }

    public subscript(row: Int, column: Int) -> Element {
        get { values[row * size.width + column] }
        set { values[row * size.width + column] = newValue }
    }

    public func map<Other>(_ transform: (Element) -> Other) -> Plane<Other> {
        Plane<Other>(size: size, values: values.map(transform))
    }
}

extension Plane: Equatable where Element: Equatable {}

/// Share of the foreground in each pixel, 0 to 1.
public typealias AlphaMatte = Plane<Float>

extension Plane {
    /// The `area` that lies inside the plane.
    func cropped(rows: Range<Int>, columns: Range<Int>) -> Plane {
        var kept: [Element] = []
        kept.reserveCapacity(rows.count * columns.count)
        for row in rows {
            let start = row * width
            kept += values[start + columns.lowerBound..<start + columns.upperBound]
        }
        return Plane(size: PixelSize(height: rows.count, width: columns.count), values: kept)
    }

    /// The plane with its outermost values repeated beyond its borders.
    func padded(by margins: Margins) -> Plane {
        let frame = margins.frame(around: size)
        var padded: [Element] = []
        padded.reserveCapacity(frame.count)
        for row in 0..<frame.height {
            let source = min(max(row - margins.top, 0), height - 1) * width
            for column in 0..<frame.width {
                padded.append(values[source + min(max(column - margins.left, 0), width - 1)])
            }
        }
        return Plane(size: frame, values: padded)
    }
}

/// Pixels that are added on each side.
public struct Margins: Equatable, Sendable {
    public var top: Int, bottom: Int, left: Int, right: Int

    public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
        (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
    }

    var isEmpty: Bool { self == Margins() }

    func frame(around size: PixelSize) -> PixelSize {
        PixelSize(height: top + size.height + bottom, width: left + size.width + right)
    }
}
