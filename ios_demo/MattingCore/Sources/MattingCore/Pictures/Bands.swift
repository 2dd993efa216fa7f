/// Cuts a picture into bands of rows of about a megapixel each, so that a float copy of a large
/// photograph never exists.
func bands(of size: PixelSize) -> some Sequence<Range<Int>> {
    let rows = max(1, (1 << 20) / size.width)
    return stride(from: 0, to: size.height, by: rows).map { $0..<min($0 + rows, size.height) }
}
