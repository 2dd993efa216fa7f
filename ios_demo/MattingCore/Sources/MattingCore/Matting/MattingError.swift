/// What can be wrong with what a user gives.
public enum MattingError: Error, Equatable {
    /// The trimap has another aspect ratio than the picture.
    case trimapShape(trimap: PixelSize, picture: PixelSize)
    /// A trimap model was given no trimap.
    case trimapMissing
    /// A side of the picture lies outside `Matting.sides`.
    case pictureSize(PixelSize)
}
