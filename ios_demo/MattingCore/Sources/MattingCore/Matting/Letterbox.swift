/// Where a picture lies inside a model's input: scaled with its aspect ratio kept, centred.
public struct Letterbox: Equatable, Sendable {
    /// Of the scaled picture.
    public let size: PixelSize
    /// What the scaled picture leaves free of the frame.
    public let margins: Margins
    /// True where the scaled picture is at least as large as the original.
    public let enlarges: Bool

    /// Fits a picture into a frame.
    public init(fitting picture: PixelSize, into frame: PixelSize) {
        let scale = min(
            Double(frame.height) / Double(picture.height),
            Double(frame.width) / Double(picture.width)
        )
        size = PixelSize(
            height: max(1, roundToEven(Double(picture.height) * scale)),
            width: max(1, roundToEven(Double(picture.width) * scale))
        )
        let (freeRows, freeColumns) = (frame.height - size.height, frame.width - size.width)
        margins = Margins(
            top: freeRows / 2, bottom: freeRows - freeRows / 2,
            left: freeColumns / 2, right: freeColumns - freeColumns / 2
        )
        enlarges = scale >= 1
    }

    /// The scaled picture in its frame; the margins repeat its edge.
    public func pad(_ picture: RGBImage) -> RGBImage {
        picture.padded(by: margins)
    }

    /// The part of a frame that the picture takes.
    public func crop(_ frame: AlphaMatte) -> AlphaMatte {
        frame.cropped(
            rows: margins.top..<margins.top + size.height,
            columns: margins.left..<margins.left + size.width
        )
    }
}

/// The nearest integer, halves to the even one.
func roundToEven(_ value: Double) -> Int {
    Int(value.rounded(.toNearestOrEven))
}
