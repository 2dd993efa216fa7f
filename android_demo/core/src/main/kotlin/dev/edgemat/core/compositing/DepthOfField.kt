package dev.edgemat.core.compositing

import dev.edgemat.core.matting.times
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.FloatRaster
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.resized
import dev.edgemat.core.picture.toByteValue
import kotlin.math.ceil
import kotlin.math.hypot

/** Largest radius of the background's blur, in pixels of the picture. */
const val MAX_BLUR = 500.0

/** A larger disc is as good on a reduced picture, and quick; in pixels of that picture. */
private const val DISC = 6.0

/** Keeps the blur finite where no background is in reach, and where therefore none is seen. */
private const val NO_BACKGROUND = 1e-6f

/**
 * Blurs the background as a wide aperture does.
 *
 * Of the background alone, `(1 - alpha) B = I - alpha F`, the mean over a disc is taken and
 * divided by the mean of `1 - alpha` (normalised convolution), so that the foreground's colour
 * does not bleed into its surroundings. The sharp foreground is then laid over it.
 *
 * @param radius of the disc, in pixels of the picture, above 0 and up to [MAX_BLUR]
 */
fun CutOut.blurred(radius: Double): RgbImage {
    require(radius > 0 && radius <= MAX_BLUR) { "a blur of $radius px is impossible" }
    val behind = RgbImage(image.size, RGB)
    for (i in behind.bytes.indices) {
        behind[i] = toByteValue(image[i] - alpha.values[i / RGB] * foreground[i])
    }
    val shrink = maxOf(1.0, Math.rint(radius / DISC))
    val small = image.size * (1 / shrink)
    val soft = blur(
        behind.resized(small, Filter.AREA),
        alpha.resized(small, Filter.AREA),
        Disc(radius / shrink),
    )
    return composite(foreground, soft, alpha)
}

/** The mean of [premultiplied] over a disc, divided by that of `1 - alpha`. */
private fun blur(premultiplied: RgbImage, alpha: AlphaMatte, disc: Disc): RgbImage {
    val size = premultiplied.size
    val cover = disc.mean(FloatRaster(size, 1, FloatArray(size.pixels) { 1 - alpha.values[it] }))
    val result = RgbImage(size, RGB)
    for (channel in 0 until RGB) {
        val plane = FloatArray(size.pixels) { premultiplied[it * RGB + channel].toFloat() }
        val colour = disc.mean(FloatRaster(size, 1, plane))
        for (pixel in colour.values.indices) {
            val weight = maxOf(cover.values[pixel], 0f) + NO_BACKGROUND
            result[pixel * RGB + channel] = toByteValue(colour.values[pixel] / weight)
        }
    }
    return result
}

/** A disc of equal weight, whose rim counts as much as it lies inside. */
private class Disc(radius: Double) {
    private val reach = ceil(radius).toInt()
    private val side = 2 * reach + 1
    private val weights: FloatArray

    init {
        val inside = DoubleArray(side * side) {
            val distance = hypot((it / side - reach).toDouble(), (it % side - reach).toDouble())
            (radius + 0.5 - distance).coerceIn(0.0, 1.0)
        }
        val total = inside.sum()
        weights = FloatArray(inside.size) { (inside[it] / total).toFloat() }
    }

    /** The mean over the disc around each pixel; beyond the borders lie zeros. */
    fun mean(plane: FloatRaster): FloatRaster {
        val width = plane.width
        val result = FloatRaster(plane.size)
        for (tap in weights.indices) {
            val weight = weights[tap]
            if (weight == 0f) continue
            val down = tap / side - reach
            val across = tap % side - reach
            for (row in maxOf(0, -down) until minOf(plane.height, plane.height - down)) {
                val from = (row + down) * width + across
                val to = row * width
                for (column in maxOf(0, -across) until minOf(width, width - across)) {
                    result.values[to + column] += weight * plane.values[from + column]
                }
            }
        }
        return result
    }
}
