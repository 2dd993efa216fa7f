package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.FloatRaster
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.bands
import dev.edgemat.core.picture.resizedRows

private const val RADIUS = 2
private const val EPSILON = 1e-4

/**
 * Takes the alpha of a reduced picture to full size, along the picture's own edges (He and Sun,
 * Fast Guided Filter, 2015). In flat alpha the picture's texture does not show.
 *
 * @param small the picture reduced to the size of [alpha]
 * @param image the picture itself
 * @return alpha of the size of [image], not clipped
 */
internal fun guidedUpsample(alpha: AlphaMatte, small: RgbImage, image: RgbImage): AlphaMatte {
    val coefficients = guidedCoefficients(small, alpha)
    val result = AlphaMatte(image.size)
    for (rows in bands(image.size)) {
        val large = coefficients.resizedRows(rows, image.size).values
        val first = rows.first * image.width
        for (i in 0 until large.size / COEFFICIENTS) {
            val k = i * COEFFICIENTS
            val pixel = (first + i) * RGB
            val colours = large[k] * image[pixel] + large[k + 1] * image[pixel + 1] +
                large[k + 2] * image[pixel + 2]
            result.values[first + i] = colours / 255 + large[k + 3]
        }
    }
    return result
}

private const val COEFFICIENTS = 4

/**
 * The coefficients of the guided filter with a colour guide: in each window, `target = a . guide +
 * b` by least squares with the penalty `EPSILON |a|^2` (He et al., Guided Image Filtering, TPAMI
 * 2013, equations 19 and 20); then their means over all windows that contain a pixel.
 *
 * @param guide read as 0..1
 * @return four channels: a for red, green, blue, and b
 */
internal fun guidedCoefficients(guide: RgbImage, target: AlphaMatte): FloatRaster {
    val box = BoxMean(guide.size)
    // doubles, because a covariance is a small difference of large numbers
    val colours = List(RGB) { c -> DoubleArray(guide.size.pixels) { guide[it * RGB + c] / 255.0 } }
    val values = DoubleArray(guide.size.pixels) { target.values[it].toDouble() }
    val meanColours = colours.map(box::of)
    val meanValue = box.of(values)
    val covariance = List(RGB) { box.covariance(colours[it], values, meanColours[it], meanValue) }
    val variance = PAIRS.map { (i, j) ->
        box.covariance(colours[i], colours[j], meanColours[i], meanColours[j])
    }
    val a = List(RGB) { DoubleArray(guide.size.pixels) }
    val b = DoubleArray(guide.size.pixels)
    for (pixel in b.indices) {
        val solved = solveSymmetric(
            variance[0][pixel] + EPSILON, variance[1][pixel], variance[2][pixel],
            variance[3][pixel] + EPSILON, variance[4][pixel], variance[5][pixel] + EPSILON,
            covariance[0][pixel], covariance[1][pixel], covariance[2][pixel],
        )
        b[pixel] = meanValue[pixel]
        for (c in 0 until RGB) {
            a[c][pixel] = solved[c]
            b[pixel] -= solved[c] * meanColours[c][pixel]
        }
    }
    val means = (a + b).map(box::of)
    return FloatRaster(
        guide.size,
        COEFFICIENTS,
        FloatArray(guide.size.pixels * COEFFICIENTS) {
            means[it % COEFFICIENTS][it / COEFFICIENTS].toFloat()
        },
    )
}

/** The upper triangle of a 3 x 3 matrix, row by row. */
private val PAIRS = listOf(0 to 0, 0 to 1, 0 to 2, 1 to 1, 1 to 2, 2 to 2)

/** Means over windows of `2 RADIUS + 1` pixels, cut off at the borders. */
private class BoxMean(private val size: Size) {
    private val count = sums(DoubleArray(size.pixels) { 1.0 })

    fun of(plane: DoubleArray): DoubleArray {
        val result = sums(plane)
        for (i in result.indices) result[i] /= count[i]
        return result
    }

    fun covariance(
        x: DoubleArray,
        y: DoubleArray,
        meanX: DoubleArray,
        meanY: DoubleArray,
    ): DoubleArray {
        val result = of(DoubleArray(x.size) { x[it] * y[it] })
        for (i in result.indices) result[i] -= meanX[i] * meanY[i]
        return result
    }

    private fun sums(plane: DoubleArray): DoubleArray {
        val across = DoubleArray(plane.size)
        val result = DoubleArray(plane.size)
        for (i in plane.indices) {
            val column = i % size.width
            val left = minOf(RADIUS, column)
            val right = minOf(RADIUS, size.width - 1 - column)
            for (near in i - left..i + right) across[i] += plane[near]
        }
        for (i in plane.indices) {
            val row = i / size.width
            val up = minOf(RADIUS, row)
            val down = minOf(RADIUS, size.height - 1 - row)
            for (step in -up..down) result[i] += across[i + step * size.width]
        }
        return result
    }
}

/** Solves a symmetric 3 x 3 system, given its upper triangle, by the adjugate. */
private fun solveSymmetric(
    rr: Double, rg: Double, rb: Double, gg: Double, gb: Double, bb: Double,
    x: Double, y: Double, z: Double,
): DoubleArray {
    val c00 = gg * bb - gb * gb
    val c01 = rb * gb - rg * bb
    val c02 = rg * gb - rb * gg
    val c12 = rg * rb - rr * gb
    val determinant = rr * c00 + rg * c01 + rb * c02
    return doubleArrayOf(
        (c00 * x + c01 * y + c02 * z) / determinant,
        (c01 * x + (rr * bb - rb * rb) * y + c12 * z) / determinant,
        (c02 * x + c12 * y + (rr * gg - rg * rg) * z) / determinant,
    )
}
