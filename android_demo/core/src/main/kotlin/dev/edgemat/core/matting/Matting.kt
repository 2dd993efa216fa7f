package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized

/** Sides that a picture may have, in pixels: networks halve it five times, and memory has an end. */
val SIDES = 32..12_000

/** Called with the runs of the model that are done, and the number of all. */
typealias Progress = (done: Int, total: Int) -> Unit

/**
 * The alpha matte of a photograph of any size.
 *
 * A portrait model sees the whole picture at once, fitted into its input with the aspect ratio
 * kept; a guided filter takes the alpha back to full size. A trimap model sees the picture at its
 * own resolution, in overlapping tiles; only tiles that touch the unknown region are run. An
 * imported model is fed as its manifest's [Fit] says, see [matteResized] and [mattePadded]. Known
 * pixels are always the trimap's.
 *
 * @param trimap of any size with the picture's aspect ratio; a portrait model can do without
 * @throws MattingException for a picture whose sides are not among [SIDES], a trimap of another
 * shape, or a trimap model without one
 */
fun Network.matte(image: RgbImage, trimap: Trimap? = null, progress: Progress? = null): AlphaMatte {
    if (image.height !in SIDES || image.width !in SIDES) {
        throw MattingException("A picture of ${image.size} is not matted: $SIDES px a side are.")
    }
    val known = trimap?.fitTo(image.size)
    if (known != null && !known.hasUnknown) {
        return AlphaMatte(image.size).apply { keepKnown(known) }
    }
    val alpha = matteAsFed(image, known, progress)
    for (i in alpha.values.indices) alpha.values[i] = alpha.values[i].coerceIn(0f, 1f)
    if (known != null) alpha.keepKnown(known)
    return alpha
}

/** The alpha as the model gives it, of a picture that is brought to it as its feeding says. */
internal fun Network.matteAsFed(
    image: RgbImage,
    trimap: Trimap?,
    progress: Progress? = null,
): AlphaMatte {
    val seen = if (feeding.needsTrimap) {
        trimap ?: throw MattingException("This model needs a trimap.")
    } else {
        null
    }
    val alpha = when (feeding.fitting) {
        Fit.LETTERBOX -> matteWhole(image)
        Fit.RESIZE -> matteResized(image, seen)
        Fit.PAD if feeding.canPad(image.size) -> mattePadded(image, seen)
        else -> return matteTiles(image, seen, progress)
    }
    progress?.invoke(1, 1)
    return alpha
}

private fun Network.matteWhole(image: RgbImage): AlphaMatte {
    val box = Letterbox.fit(image.size, feeding.size)
    val small = box.scale(image)
    val alpha = box.crop(alpha(box.fill(small, feeding)))
    return if (box.enlarges) {
        alpha.resized(image.size, Filter.BILINEAR)
    } else {
        guidedUpsample(alpha, small, image)
    }
}

/**
 * Runs the tiles that touch the unknown region, all without a trimap, and blends them. The weights
 * of all tiles over a pixel add up to 1, and every tile over an unknown pixel touches the unknown
 * region, so that unknown pixels need no normalisation. A picture smaller than a tile is continued
 * by its edge.
 */
private fun Network.matteTiles(image: RgbImage, trimap: Trimap?, progress: Progress?): AlphaMatte {
    val tiles = tilesOver(image.size, trimap)
    val alpha = AlphaMatte(image.size)
    tiles.forEachIndexed { n, (down, across) ->
        val found = alpha(tileInput(image, trimap, down, across))
        for (row in 0 until minOf(feeding.height, image.height - down.start)) {
            for (column in 0 until minOf(feeding.width, image.width - across.start)) {
                alpha.values[(down.start + row) * image.width + across.start + column] +=
                    down.weights[row] * across.weights[column] * found[row * feeding.width + column]
            }
        }
        progress?.invoke(n + 1, tiles.size)
    }
    return alpha
}

private fun Network.tilesOver(picture: Size, trimap: Trimap?): List<Pair<Span, Span>> {
    val padded = Size(
        maxOf(picture.height, feeding.height),
        maxOf(picture.width, feeding.width),
    )
    return tileAxis(padded.height, feeding.height).flatMap { down ->
        tileAxis(padded.width, feeding.width)
            .filter { across -> trimap == null || trimap.isUnknownSomewhere(down, across) }
            .map { across -> down to across }
    }
}

private fun Trimap.isUnknownSomewhere(down: Span, across: Span): Boolean =
    down.range.any { row ->
        row < height && across.range.any { it < width && this[row * width + it] == UNKNOWN }
    }

private fun Network.tileInput(
    image: RgbImage,
    trimap: Trimap?,
    down: Span,
    across: Span,
): FloatArray = feeding.input(
    image,
    trimap,
    sourceRow = { minOf(down.start + it, image.height - 1) },
    sourceColumn = { minOf(across.start + it, image.width - 1) },
)
