import Foundation

/// One tile along one axis, and the weight of each of its pixels in the blend.
public struct Span: Equatable, Sendable {
    public let start: Int
    public let weights: [Float]

    public var range: Range<Int> { start..<start + weights.count }
}

/// Covers `length` pixels with tiles of `size`, neighbours overlapping by a quarter or more.
///
/// The weights are Hann windows divided by their sum: at each pixel they add up to 1, and they
/// are smallest at a tile's border, where the network has seen the least of the surroundings.
///
/// - Precondition: `length >= size >= 1`.
public func tileAxis(length: Int, size: Int) -> [Span] {
    precondition(length >= size && size >= 1, "a tile fits into the picture")
    let step = max(1, size - size / 4)
    let free = length - size
    let gaps = (free + step - 1) / step
    let starts = (0...gaps).map { tile in
        gaps == 0 ? 0 : roundToEven(Double(free) * Double(tile) / Double(gaps))
    }
    let window = (0..<size).map { pixel in
        let sine = sin(.pi * (Double(pixel) + 0.5) / Double(size))
        return sine * sine
    }
    var total = [Double](repeating: 0, count: length)
    for start in starts {
        for pixel in 0..<size { total[start + pixel] += window[pixel] }
    }
    return starts.map { start in
        Span(start: start, weights: (0..<size).map { Float(window[$0] / total[start + $0]) })
    }
}
