extension Plane where Element == UInt8 {
    /// The trimap to go on painting from: unknown wherever a matte is not sure, and around that.
    ///
    /// - Parameters:
    ///   - alpha: Of a portrait model. Within 0.05 of 0 or 1 it is taken at its word.
    ///   - reach: How far the unknown region goes beyond the unsure pixels, in pixels.
    public init(around alpha: AlphaMatte, reach: Int) {
        self = alpha.map { $0 > 0.95 ? TrimapValue.foreground.rawValue : 0 }
        var core = alpha.map { $0 >= 0.05 && $0 <= 0.95 }
        // A matte without soft pixels: the edge lies between its two values.
        if !core.values.contains(true) { core = steps }
        let across = core.distancesAcross(upTo: reach)
        for row in 0..<height {
            let rows = max(0, row - reach)...min(height - 1, row + reach)
            for column in 0..<width {
                let isNear = rows.contains { other in
                    guard let aside = across[other, column] else { return false }
                    return aside * aside + (other - row) * (other - row) <= reach * reach
                }
                if isNear { self[row, column] = TrimapValue.unknown.rawValue }
            }
        }
    }

    /// The pixels that differ from one beside, above or below them.
    private var steps: Plane<Bool> {
        var result = Plane<Bool>(size: size, repeating: false)
        for row in 0..<height {
            for column in 0..<width {
                let here = self[row, column]
                result[row, column] =
                    (row > 0 && self[row - 1, column] != here)
                    || (row < height - 1 && self[row + 1, column] != here)
                    || (column > 0 && self[row, column - 1] != here)
                    || (column < width - 1 && self[row, column + 1] != here)
            }
        }
        return result
    }
}

extension Plane where Element == Bool {
    /// How far each pixel is from the nearest true one of its row; nil beyond `limit`.
    fileprivate func distancesAcross(upTo limit: Int) -> Plane<Int?> {
        var result = Plane<Int?>(size: size, repeating: nil)
        for row in 0..<height {
            for columns in [Array(0..<width), (0..<width).reversed()] {
                var last: Int?
                for column in columns {
                    if self[row, column] { last = column }
                    guard let distance = last.map({ abs(column - $0) }), distance <= limit else {
                        continue
                    }
                    result[row, column] = min(result[row, column] ?? distance, distance)
                }
            }
        }
        return result
    }
}
