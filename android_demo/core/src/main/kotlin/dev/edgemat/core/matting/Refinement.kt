package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized
import kotlin.math.sqrt

private const val SURE_BACKGROUND = 0.05f
private const val SURE_FOREGROUND = 0.95f
private const val REACH_SHARE = 100.0

/** Times the reach, round what is half-opaque over more than that. */
private const val SOFT_REACH = 3

/**
 * A second look, by a trimap model at full resolution, at what a coarse matte leaves open.
 *
 * @param coarse of any resolution: a portrait model's, or another program's
 */
fun Network.refine(image: RgbImage, coarse: AlphaMatte, progress: Progress? = null): AlphaMatte =
    matte(image, trimapOfMatte(coarse.resized(image.size, Filter.BILINEAR)), progress)

/**
 * The trimap that a matte suggests by its uncertainty; `trimap_of_matte` in Python.
 *
 * Unknown is what lies within [reach] pixels of a half-opaque pixel or of an edge, and twice as far
 * round what is half-opaque over more than that. The frame's edge is none.
 *
 * @param reach in pixels; by default a hundredth of the longer side
 */
fun trimapOfMatte(alpha: AlphaMatte, reach: Int = reachIn(alpha.size)): Trimap {
    fun near(reach: Int, isMarked: (Int) -> Boolean) =
        near(BooleanArray(alpha.values.size, isMarked), alpha.size, reach)

    fun isBackground(pixel: Int) = alpha.values[pixel] <= SURE_BACKGROUND
    fun isForeground(pixel: Int) = alpha.values[pixel] >= SURE_FOREGROUND

    val byBackground = near(reach, ::isBackground)
    val byForeground = near(reach, ::isForeground)
    val byUnsure = near(reach) { !isBackground(it) && !isForeground(it) }
    val bySoft = near(SOFT_REACH * reach) { !byBackground[it] && !byForeground[it] }
    return Trimap(alpha.size, 1).apply {
        for (pixel in alpha.values.indices) {
            this[pixel] = when {
                byBackground[pixel] && byForeground[pixel] -> UNKNOWN
                byUnsure[pixel] || bySoft[pixel] -> UNKNOWN
                isForeground(pixel) -> FOREGROUND
                else -> BACKGROUND
            }
        }
    }
}

private fun reachIn(size: Size): Int =
    maxOf(1, Math.rint(maxOf(size.height, size.width) / REACH_SHARE).toInt())

/** Marks all pixels whose Euclidean distance to a marked one is at most [reach]. */
private fun near(marked: BooleanArray, size: Size, reach: Int): BooleanArray {
    val width = size.width
    val far = reach + 1
    // The distance along columns; each such distance then marks an interval of its row.
    val down = IntArray(marked.size) { if (marked[it]) 0 else far }
    for (i in width until down.size) down[i] = minOf(down[i], down[i - width] + 1)
    for (i in down.size - width - 1 downTo 0) down[i] = minOf(down[i], down[i + width] + 1)
    val halves = IntArray(far) { sqrt((reach * reach - it * it).toDouble()).toInt() }
    val result = BooleanArray(marked.size)
    val steps = IntArray(width + 1)
    for (row in 0 until size.height) {
        steps.fill(0)
        for (column in 0 until width) {
            val half = halves.getOrNull(down[row * width + column]) ?: continue
            steps[maxOf(0, column - half)]++
            steps[minOf(width, column + half + 1)]--
        }
        var open = 0
        for (column in 0 until width) {
            open += steps[column]
            result[row * width + column] = open > 0
        }
    }
    return result
}
