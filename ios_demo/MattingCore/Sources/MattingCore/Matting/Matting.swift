/// A loaded model.
public protocol AlphaPredictor: Sendable {
    /// What the model takes.
    var feeding: Feeding { get }

    /// Runs the model once.
    ///
    /// - Parameters:
    ///   - image: Of `feeding.size`.
    ///   - trimap: Of the same size, for models with `feeding.needsTrimap`.
    /// - Returns: Alpha of the same size.
    func predict(_ image: RGBImage, trimap: Trimap?) async throws -> AlphaMatte
}

/// Mattes of photographs of any size; the same steps as edgemat's `matting.py`.
public enum Matting {
    /// Which sides a picture may have, in pixels.
    public static let sides = 32...12_000

    /// Computes the alpha matte of a photograph.
    ///
    /// A portrait model sees the whole picture at once, fitted into its input; a guided filter
    /// takes the alpha back to full size. A trimap model sees the picture at its own resolution,
    /// in overlapping tiles of which only those that touch the unknown region are run. An
    /// imported model is fed as its manifest's `fit` says.
    ///
    /// - Parameters:
    ///   - trimap: Overwrites the pixels that it knows; a trimap model needs one.
    ///   - progress: Called with the runs that are done and the runs in all.
    /// - Returns: Alpha of the picture's size, 0 to 1.
    public static func matte(
        _ image: RGBImage, trimap: Trimap? = nil, with predictor: some AlphaPredictor,
        progress: @Sendable (Int, Int) async -> Void = { _, _ in }
    ) async throws -> AlphaMatte {
        guard sides.contains(image.height), sides.contains(image.width) else {
            throw MattingError.pictureSize(image.size)
        }
        let trimap = try trimap?.fitted(to: image.size)
        if let trimap, !trimap.hasUnknown { return trimap.map { Float($0) / 255 } }
        var alpha = try await matteAsFed(image, trimap, predictor, progress)
        for pixel in alpha.values.indices {
            alpha.values[pixel] = min(max(alpha.values[pixel], 0), 1)
        }
        trimap?.keepKnown(in: &alpha)
        return alpha
    }

    /// A second look, by a trimap model at full resolution, at what a coarse matte leaves open.
    ///
    /// - Parameter coarse: Of any resolution: a portrait model's, Vision's.
    public static func refine(
        _ image: RGBImage, coarse: AlphaMatte, with predictor: some AlphaPredictor,
        progress: @Sendable (Int, Int) async -> Void = { _, _ in }
    ) async throws -> AlphaMatte {
        let trimap = Trimap(suggestedBy: coarse.resized(to: image.size))
        return try await matte(image, trimap: trimap, with: predictor, progress: progress)
    }

    /// The alpha as the model gives it, of a picture that is brought to it as its feeding says.
    static func matteAsFed(
        _ image: RGBImage, _ trimap: Trimap?, _ predictor: some AlphaPredictor,
        _ progress: @Sendable (Int, Int) async -> Void = { _, _ in }
    ) async throws -> AlphaMatte {
        let feeding = predictor.feeding
        if feeding.needsTrimap, trimap == nil { throw MattingError.trimapMissing }
        let seen = feeding.needsTrimap ? trimap : nil
        let alpha: AlphaMatte
        switch feeding.fitting {
        case .letterbox: alpha = try await matteWhole(image, predictor)
        case .resize: alpha = try await matteResized(image, seen, predictor)
        case .pad where feeding.canPad(image.size):
            alpha = try await mattePadded(image, seen, predictor)
        case .pad, .tiles: return try await matteTiles(image, seen, predictor, progress)
        }
        await progress(1, 1)
        return alpha
    }

    private static func matteWhole(
        _ image: RGBImage, _ predictor: some AlphaPredictor
    ) async throws -> AlphaMatte {
        let fit = Letterbox(fitting: image.size, into: predictor.feeding.size)
        let small = image.resized(to: fit.size, filter: fit.enlarges ? .bicubic : .bilinear)
        let alpha = fit.crop(try await predictor.predict(fit.pad(small), trimap: nil))
        if fit.enlarges { return alpha.resized(to: image.size, filter: .bilinear) }
        return GuidedFilter.upsample(
            alpha, small: small, scale: predictor.feeding.scale, image: image)
    }

    /// Without a trimap all tiles are run. The weights of all tiles over a pixel add up to 1, and
    /// every tile over an unknown pixel touches the unknown region, so that unknown pixels need no
    /// normalisation.
    private static func matteTiles(
        _ image: RGBImage, _ trimap: Trimap?, _ predictor: some AlphaPredictor,
        _ progress: @Sendable (Int, Int) async -> Void
    ) async throws -> AlphaMatte {
        let tile = predictor.feeding.size
        // A picture smaller than a tile is continued by its edge.
        let short = Margins(
            bottom: max(0, tile.height - image.height), right: max(0, tile.width - image.width))
        let (whole, known) = (image.padded(by: short), trimap?.padded(by: short))
        let tiles = tileAxis(length: whole.height, size: tile.height).flatMap { down in
            tileAxis(length: whole.width, size: tile.width).map { across in (down, across) }
        }
        .filter { down, across in
            known?.cropped(rows: down.range, columns: across.range).hasUnknown ?? true
        }
        var alpha = AlphaMatte(size: whole.size, repeating: 0)
        for (done, (down, across)) in tiles.enumerated() {
            try Task.checkCancellation()
            let part = try await predictor.predict(
                whole.cropped(rows: down.range, columns: across.range),
                trimap: known?.cropped(rows: down.range, columns: across.range)
            )
            for (row, weightDown) in down.weights.enumerated() {
                for (column, weightAcross) in across.weights.enumerated() {
                    alpha[down.start + row, across.start + column] +=
                        weightDown * weightAcross * part[row, column]
                }
            }
            await progress(done + 1, tiles.count)
        }
        return alpha.cropped(rows: 0..<image.height, columns: 0..<image.width)
    }
}
