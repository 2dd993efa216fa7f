/// How a picture of any size is brought to a model's input.
public enum Fit: String, Codable, Sendable {
    case letterbox, tiles, resize, pad
}

/// How a model is fed, and what comes back; a part of edgemat's manifest.
public struct Feeding: Codable, Equatable, Sendable {
    /// "image" for Core ML files: they take 8-bit pictures and scale them inside.
    public let layout: String
    public let height: Int
    public let width: Int
    /// 3 (a photograph) or 4 (a photograph and a trimap).
    public let channels: Int
    public let colourOrder: String
    /// What takes a byte to the 0 to 1 that the network was trained with.
    public let scale: Float
    /// nil where the manifest does not say; see `fitting`.
    public let fit: Fit?

    public init(
        layout: String, height: Int, width: Int, channels: Int, colourOrder: String = "RGB",
        scale: Float, fit: Fit? = nil
    ) {
        self.layout = layout
        self.height = height
        self.width = width
        self.channels = channels
        self.colourOrder = colourOrder
        self.scale = scale
        self.fit = fit
    }

    public var size: PixelSize { PixelSize(height: height, width: width) }

    public var needsTrimap: Bool { channels == 4 }

    public var fitting: Fit { fit ?? (needsTrimap ? .tiles : .letterbox) }
}
