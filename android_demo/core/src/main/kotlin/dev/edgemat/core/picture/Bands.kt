package dev.edgemat.core.picture

private const val BAND_PIXELS = 1 shl 21

/**
 * Cuts a picture into bands of rows of about two megapixels each, so that what is computed from
 * a large photograph never needs floats for all its pixels at once.
 */
internal fun bands(size: Size): List<IntRange> {
    val rows = maxOf(1, BAND_PIXELS / size.width)
    return (0 until size.height step rows).map { it until minOf(it + rows, size.height) }
}

internal val IntRange.count: Int get() = last - first + 1
