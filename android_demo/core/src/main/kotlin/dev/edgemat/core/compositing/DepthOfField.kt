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
    private val lines: List<Line>
    private val weight: Float

    init {
        val offsets = -reach..reach
        val inside = offsets.map { down ->
            offsets.map { (radius + 0.5 - hypot(down.toDouble(), it.toDouble())).coerceIn(0.0, 1.0) }
        }
        val total = inside.sumOf { it.sum() }
        weight = (1 / total).toFloat()
        lines = offsets.map { down ->
            val shares = inside[down + reach]
            val rim = offsets.filter { shares[it + reach] > 0 && shares[it + reach] < 1 }
            Line(
                down,
                half = offsets.lastOrNull { shares[it + reach] == 1.0 } ?: -1,
                rim = rim.toIntArray(),
                weights = FloatArray(rim.size) { (shares[rim[it] + reach] / total).toFloat() },
            )
        }
    }

    /**
     * One line of the disc, [down] from its centre: pixels that are wholly inside up to [half] to
     * both sides, -1 for none, and those of the [rim], by their places from the centre.
     */
    private class Line(
        val down: Int,
        val half: Int,
        val rim: IntArray,
        val weights: FloatArray,
    )

    /** The mean over the disc around each pixel; beyond the borders lie zeros. */
    fun mean(plane: FloatRaster): FloatRaster {
        val result = FloatRaster(plane.size)
        val sums = DoubleArray(plane.width + 2 * reach + 1)
        for (row in 0 until plane.height) {
            addUp(plane, row, sums)
            for (line in lines) {
                val target = row - line.down
                if (target !in 0 until plane.height) continue
                if (line.half >= 0) addWhole(line.half, sums, result, target)
                for (n in line.rim.indices) {
                    addShifted(plane, row, line.rim[n], line.weights[n], result, target)
                }
            }
        }
        return result
    }

    /** The sums of a row up to each pixel, [reach] zeros beyond both of its ends included. */
    private fun addUp(plane: FloatRaster, row: Int, sums: DoubleArray) {
        // doubles, because what lies under a line is a small difference of large sums
        var sum = 0.0
        for (column in 0 until plane.width) {
            sum += plane.values[row * plane.width + column]
            sums[reach + column + 1] = sum
        }
        sums.fill(sum, reach + plane.width + 1)
    }

    private fun addWhole(half: Int, sums: DoubleArray, result: FloatRaster, target: Int) {
        val to = target * result.width
        val left = reach - half
        val right = reach + half + 1
        for (column in 0 until result.width) {
            val sum = sums[column + right] - sums[column + left]
            result.values[to + column] += weight * sum.toFloat()
        }
    }

    private fun addShifted(
        plane: FloatRaster, row: Int, across: Int, weight: Float,
        result: FloatRaster, target: Int,
    ) {
        val width = plane.width
        val from = row * width + across
        val to = target * width
        for (column in maxOf(0, -across) until minOf(width, width - across)) {
            result.values[to + column] += weight * plane.values[from + column]
        }
    }
}
