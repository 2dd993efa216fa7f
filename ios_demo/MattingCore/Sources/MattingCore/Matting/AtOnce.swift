/// The whole picture through a model at once, as imported ones may want it.
extension Matting {
    /// The picture is resized to the model's size, whatever its aspect ratio, and the alpha back.
    static func matteResized(
        _ image: RGBImage, _ trimap: Trimap?, _ predictor: some AlphaPredictor
    ) async throws -> AlphaMatte {
        let size = predictor.feeding.size
        let alpha = try await predictor.predict(
            image.resized(to: size, filter: .bicubic),
            trimap: trimap?.resized(to: size, filter: .nearest))
        return alpha.resized(to: image.size, filter: .bicubic)
    }

    /// The picture is continued by its own reflection, to the right and below.
    static func mattePadded(
        _ image: RGBImage, _ trimap: Trimap?, _ predictor: some AlphaPredictor
    ) async throws -> AlphaMatte {
        let size = predictor.feeding.size
        let alpha = try await predictor.predict(
            image.reflected(to: size), trimap: trimap?.reflected(to: size))
        return alpha.cropped(rows: 0..<image.height, columns: 0..<image.width)
    }
}

extension Feeding {
    /// Whether a picture is no larger than the model's input; others are cut into tiles.
    func canPad(_ picture: PixelSize) -> Bool {
        picture.height <= height && picture.width <= width
    }
}

extension Plane {
    /// The plane, continued by its reflection to the right and below; its border is not repeated.
    func reflected(to size: PixelSize) -> Plane {
        Plane(
            size: size,
            values: (0..<size.height).flatMap { row in
                let start = reflection(of: row, in: height) * width
                return (0..<size.width).map { values[start + reflection(of: $0, in: width)] }
            })
    }
}

extension RGBImage {
    /// The picture, continued by its reflection to the right and below; its border is not repeated.
    func reflected(to size: PixelSize) -> RGBImage {
        let channels = Self.channels
        return RGBImage(
            size: size,
            bytes: (0..<size.height).flatMap { row in
                let start = reflection(of: row, in: height) * width
                return (0..<size.width).flatMap { column in
                    let pixel = (start + reflection(of: column, in: width)) * channels
                    return bytes[pixel..<pixel + channels]
                }
            })
    }
}

/// The place in `0..<length` that a place from 0 on is the reflection of.
private func reflection(of place: Int, in length: Int) -> Int {
    if length == 1 { return 0 }
    let last = length - 1
    return last - abs(last - place % (2 * last))
}
