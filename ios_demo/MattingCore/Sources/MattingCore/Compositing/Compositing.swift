/// What one does with a matte: cut out, put before another background, blur the background.
///
/// Colours are mixed as they are stored (gamma encoded), because that is how mattes are trained
/// and measured.
public enum Compositing {
    /// The foreground alone, with the estimated colours: no old background shines through strands.
    public static func cutOut(_ image: RGBImage, alpha: AlphaMatte) -> RGBAImage {
        RGBAImage(colours: foreground(of: image, alpha: alpha), alpha: alpha)
    }

    /// The foreground before another picture, whose centre is cropped to the same aspect ratio.
    public static func replaceBackground(
        of image: RGBImage, alpha: AlphaMatte, with background: RGBImage
    ) -> RGBImage {
        composite(
            foreground(of: image, alpha: alpha),
            over: background.centre(shapedLike: image.size), alpha: alpha)
    }

    /// The colours of the foreground, where it shows through and beyond.
    ///
    /// Smooth layers F and B come from at most one megapixel. At full size both are then moved, by
    /// the smallest step, to where `alpha F + (1 - alpha) B` is the picture again: strands keep
    /// their sharpness, and opaque pixels their exact colour.
    public static func foreground(of image: RGBImage, alpha: AlphaMatte) -> RGBImage {
        precondition(image.size == alpha.size, "one alpha per pixel")
        let scale = min(
            1, (Double(ForegroundColours.largestEstimate) / Double(image.size.count)).squareRoot())
        let small = image.size.scaled(by: scale)
        let layers = ForegroundColours(
            image: image.resized(to: small, filter: .bilinear),
            alpha: alpha.resized(to: small, filter: .bilinear)
        ).layers()
        let smooth = [layers.foreground, layers.background].map {
            Raster(size: small, channels: 3, samples: $0)
        }
        var result = image
        for rows in bands(of: image.size) {
            let both = smooth.map { $0.resized(to: image.size, rows: rows, filter: .bilinear) }
            let start = rows.lowerBound * image.width
            for pixel in 0..<rows.count * image.width {
                let a = alpha.values[start + pixel]
                let share = a / (a * a + (1 - a) * (1 - a))
                for channel in 0..<3 {
                    let front = both[0].samples[pixel * 3 + channel]
                    let back = both[1].samples[pixel * 3 + channel]
                    let place = (start + pixel) * 3 + channel
                    let seen = Float(image.bytes[place]) * (1 / 255)
                    let missing = seen - a * front - (1 - a) * back
                    result.bytes[place] = UInt8(unit: front + share * missing)
                }
            }
        }
        return result
    }

    /// `alpha F + (1 - alpha) B`, the background resized to the foreground's size.
    static func composite(
        _ foreground: RGBImage, over background: RGBImage, alpha: AlphaMatte
    ) -> RGBImage {
        var result = foreground
        for rows in bands(of: foreground.size) {
            let behind = background.resizedRows(rows, of: foreground.size)
            let start = rows.lowerBound * foreground.width
            for pixel in 0..<rows.count * foreground.width {
                let a = alpha.values[start + pixel]
                for channel in 0..<3 {
                    let place = (start + pixel) * 3 + channel
                    let front = Float(foreground.bytes[place])
                    let back = Float(behind.bytes[pixel * 3 + channel])
                    result.bytes[place] = UInt8(clipping: a * front + (1 - a) * back)
                }
            }
        }
        return result
    }

    /// The picture laid over one colour as it is, for a live preview: colours are not estimated.
    public static func preview(
        _ image: RGBImage, alpha: AlphaMatte, over background: RGBImage
    ) -> RGBImage {
        composite(image, over: background.centre(shapedLike: image.size), alpha: alpha)
    }
}

extension PixelSize {
    func scaled(by scale: Double) -> PixelSize {
        PixelSize(
            height: max(1, roundToEven(Double(height) * scale)),
            width: max(1, roundToEven(Double(width) * scale))
        )
    }
}

extension RGBImage {
    /// The picture's centre, cropped to the aspect ratio of `shape`.
    fileprivate func centre(shapedLike shape: PixelSize) -> RGBImage {
        let scale = min(
            Double(height) / Double(shape.height), Double(width) / Double(shape.width))
        let kept = shape.scaled(by: scale)
        let (top, left) = ((height - kept.height) / 2, (width - kept.width) / 2)
        return cropped(rows: top..<top + kept.height, columns: left..<left + kept.width)
    }
}
