package dev.edgemat.core.compositing

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.FloatRaster
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.log2
import kotlin.math.pow

/** Foreground and background, three colours each. */
internal const val LAYERS = 2 * RGB

private const val REGULARISATION = 1e-5f
private const val SMALL_SIDE = 32
private const val SMALL_ITERATIONS = 10
private const val LARGE_ITERATIONS = 2

/**
 * Fast multi-level foreground estimation (Germer et al., 2020): from one pixel up to full size,
 * each level starts from the one before, and moves F and B of each pixel to where they explain
 * the picture and agree with their neighbours, the more so where alpha changes.
 */
internal class ForegroundSolver(private val image: RgbImage, private val alpha: AlphaMatte) {
    /** F and B in six channels, 0..1, at the picture's size. */
    fun solve(): FloatRaster {
        val levels = ceil(log2(maxOf(image.width, image.height).toDouble())).toInt()
        var layers = FloatRaster(Size(1, 1), LAYERS, meanColours())
        for (level in 0..levels) {
            val share = if (levels == 0) 1.0 else level.toDouble() / levels
            layers = layers.enlarged(Size(side(image.height, share), side(image.width, share)))
            relax(layers)
        }
        return layers
    }

    private fun side(full: Int, share: Double) =
        Math.rint(full.toDouble().pow(share)).toInt()

    /** The mean colour of what is surely foreground, and of what is surely background. */
    private fun meanColours(): FloatArray {
        val means = FloatArray(LAYERS)
        val kinds = listOf<(Float) -> Boolean>({ it > 0.9f }, { it < 0.1f })
        for ((layer, belongs) in kinds.withIndex()) {
            val sums = DoubleArray(RGB)
            var count = 1e-5 // keeps the mean of nothing at zero
            for (pixel in alpha.values.indices) {
                if (!belongs(alpha.values[pixel])) continue
                for (channel in 0 until RGB) sums[channel] += image[pixel * RGB + channel] / 255.0
                count++
            }
            for (channel in 0 until RGB) {
                means[layer * RGB + channel] = (sums[channel] / count).toFloat()
            }
        }
        return means
    }

    private fun relax(layers: FloatRaster) {
        val size = layers.size
        val source = size.nearestOf(image.size)
        val levelAlpha = FloatArray(size.pixels) { alpha.values[source[it]] }
        val isSmall = size.width <= SMALL_SIDE && size.height <= SMALL_SIDE
        repeat(if (isSmall) SMALL_ITERATIONS else LARGE_ITERATIONS) {
            for (row in 0 until size.height) {
                val up = if (row > 0) -size.width else 0
                val down = if (row < size.height - 1) size.width else 0
                for (column in 0 until size.width) {
                    val pixel = row * size.width + column
                    val left = if (column > 0) -1 else 0
                    val right = if (column < size.width - 1) 1 else 0
                    relaxPixel(
                        layers.values, levelAlpha, source[pixel], pixel,
                        pixel + left, pixel + right, pixel + up, pixel + down,
                    )
                }
            }
        }
    }

    /**
     * Sets F and B of one pixel to what minimises, with its neighbours n, e, s, w as they are,
     * `(alpha F + (1 - alpha) B - I)^2 + sum w ((F - F_n)^2 + (B - B_n)^2)`.
     */
    private fun relaxPixel(
        layers: FloatArray, alpha: FloatArray, source: Int, pixel: Int,
        n0: Int, n1: Int, n2: Int, n3: Int,
    ) {
        val a = alpha[pixel]
        val rest = 1 - a
        val w0 = REGULARISATION + abs(a - alpha[n0])
        val w1 = REGULARISATION + abs(a - alpha[n1])
        val w2 = REGULARISATION + abs(a - alpha[n2])
        val w3 = REGULARISATION + abs(a - alpha[n3])
        val total = w0 + w1 + w2 + w3
        // doubles: where alpha is flat, the determinant is a small difference
        val ff = a.toDouble() * a + total
        val fb = a.toDouble() * rest
        val bb = rest.toDouble() * rest + total
        val inverse = 1 / (ff * bb - fb * fb)
        for (channel in 0 until RGB) {
            val seen = image[source * RGB + channel] / 255f
            val f = channel
            val b = RGB + channel
            val front = a * seen + w0 * layers[n0 * LAYERS + f] + w1 * layers[n1 * LAYERS + f] +
                w2 * layers[n2 * LAYERS + f] + w3 * layers[n3 * LAYERS + f]
            val back = rest * seen + w0 * layers[n0 * LAYERS + b] + w1 * layers[n1 * LAYERS + b] +
                w2 * layers[n2 * LAYERS + b] + w3 * layers[n3 * LAYERS + b]
            val newFront = inverse * (bb * front - fb * back)
            val newBack = inverse * (ff * back - fb * front)
            layers[pixel * LAYERS + f] = newFront.toFloat().coerceIn(0f, 1f)
            layers[pixel * LAYERS + b] = newBack.toFloat().coerceIn(0f, 1f)
        }
    }
}

private fun FloatRaster.enlarged(target: Size): FloatRaster {
    val source = target.nearestOf(size)
    return FloatRaster(
        target,
        channels,
        FloatArray(target.pixels * channels) {
            values[source[it / channels] * channels + it % channels]
        },
    )
}

/** For each own pixel, the index of the nearest one of [other]. */
private fun Size.nearestOf(other: Size) = IntArray(pixels) { pixel ->
    val row = (pixel / width).toLong() * other.height / height
    val column = (pixel % width).toLong() * other.width / width
    (row * other.width + column).toInt()
}
