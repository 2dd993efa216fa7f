private let sureBackground: Float = 0.05
private let sureForeground: Float = 0.95

/// Times the reach, round what is half-opaque over more than that.
private let softReach = 3

extension Plane where Element == UInt8 {
    /// The trimap that a matte suggests by its uncertainty; `trimap_of_matte` in Python.
    ///
    /// Unknown is what lies within `reach` pixels of a half-opaque pixel or of an edge, and twice
    /// as far round what is half-opaque over more than that. The frame's edge is none.
    ///
    /// - Parameter reach: In pixels; by default a hundredth of the longer side.
    public init(suggestedBy alpha: AlphaMatte, reach: Int? = nil) {
        let share = (Double(max(alpha.height, alpha.width)) / 100).rounded(.toNearestOrEven)
        let reach = reach ?? max(1, Int(share))
        let byBackground = alpha.map { $0 <= sureBackground }.near(reach)
        let byForeground = alpha.map { $0 >= sureForeground }.near(reach)
        let byUnsure = alpha.map { $0 > sureBackground && $0 < sureForeground }.near(reach)
        var soft = byBackground
        for pixel in soft.values.indices {
            soft.values[pixel] = !byBackground.values[pixel] && !byForeground.values[pixel]
        }
        let bySoft = soft.near(softReach * reach)
        self = alpha.map {
            ($0 >= sureForeground ? TrimapValue.foreground : .background).rawValue
        }
        for pixel in values.indices {
            let isEdge = byBackground.values[pixel] && byForeground.values[pixel]
            if isEdge || byUnsure.values[pixel] || bySoft.values[pixel] {
                values[pixel] = TrimapValue.unknown.rawValue
            }
        }
    }
}

extension Plane where Element == Bool {
    /// Marks all pixels whose Euclidean distance to a marked one is at most `reach`.
    fileprivate func near(_ reach: Int) -> Plane<Bool> {
        let far = reach + 1
        // The distance along columns; each such distance then marks an interval of its row.
        var down = values.map { $0 ? 0 : far }
        for pixel in down.indices.dropFirst(width) {
            down[pixel] = Swift.min(down[pixel], down[pixel - width] + 1)
        }
        for pixel in down.indices.dropLast(width).reversed() {
            down[pixel] = Swift.min(down[pixel], down[pixel + width] + 1)
        }
        let halves = (0..<far).map { Int(Double(reach * reach - $0 * $0).squareRoot()) }
        var result = Plane<Bool>(size: size, repeating: false)
        for row in 0..<height {
            var steps = [Int](repeating: 0, count: width + 1)
            for column in 0..<width where down[row * width + column] < far {
                let half = halves[down[row * width + column]]
                steps[Swift.max(0, column - half)] += 1
                steps[Swift.min(width, column + half + 1)] -= 1
            }
            var open = 0
            for column in 0..<width {
                open += steps[column]
                result[row, column] = open > 0
            }
        }
        return result
    }
}
