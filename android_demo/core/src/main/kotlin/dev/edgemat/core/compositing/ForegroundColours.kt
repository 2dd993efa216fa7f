package dev.edgemat.core.compositing

import dev.edgemat.core.matting.times
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.FloatRaster
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.bands
import dev.edgemat.core.picture.resized
import dev.edgemat.core.picture.resizedRows
import dev.edgemat.core.picture.toByteValue
import kotlin.math.sqrt

/** Larger pictures are estimated on a reduced copy, and refined at full size. */
private const val ESTIMATE_PIXELS = 1_000_000.0

/**
 * The colours of the foreground alone, where it shows through and beyond.
 *
 * The multi-level method gives smooth layers F and B. At full size both are then moved, by the
 * smallest step, to where `alpha F + (1 - alpha) B` is the picture again: strands keep their
 * sharpness, and opaque pixels their exact colour.
 */
fun estimateForeground(image: RgbImage, alpha: AlphaMatte): RgbImage {
    val layers = smoothLayers(image, alpha)
    val result = RgbImage(image.size, RGB)
    for (rows in bands(image.size)) {
        val both = layers.resizedRows(rows, image.size).values
        val first = rows.first * image.width
        for (i in 0 until both.size / LAYERS) {
            val a = alpha.values[first + i]
            val gain = a / (a * a + (1 - a) * (1 - a))
            for (channel in 0 until RGB) {
                val front = both[i * LAYERS + channel]
                val back = both[i * LAYERS + RGB + channel]
                val place = (first + i) * RGB + channel
                val missing = image[place] / 255f - a * front - (1 - a) * back
                result[place] = toByteValue((front + gain * missing) * 255)
            }
        }
    }
    return result
}

/** Colours of F and B, 0..1, in six channels; reduced where the picture is large. */
private fun smoothLayers(image: RgbImage, alpha: AlphaMatte): FloatRaster {
    val scale = minOf(1.0, sqrt(ESTIMATE_PIXELS / image.size.pixels))
    val small = image.size * scale
    return ForegroundSolver(
        image.resized(small, Filter.BILINEAR),
        alpha.resized(small, Filter.BILINEAR),
    ).solve()
}
