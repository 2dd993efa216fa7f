package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.ByteRaster
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized
import kotlin.math.abs

/** What is known of each pixel: one channel of [BACKGROUND], [UNKNOWN] and [FOREGROUND]. */
typealias Trimap = ByteRaster

const val BACKGROUND = 0
const val UNKNOWN = 128
const val FOREGROUND = 255

private const val ASPECT_TOLERANCE = 0.02

/** How far an alpha may lie from 0 and 1 to count as known in [trimapAround]. */
private const val CERTAIN = 0.05f

/** Whether a model has anything to decide. */
val Trimap.hasUnknown: Boolean get() = bytes.any { it == UNKNOWN.toByte() }

/**
 * The trimap at the size of a picture, all greys between black and white made [UNKNOWN].
 *
 * @throws MattingException where its aspect ratio is not the picture's, within 2 %
 */
fun Trimap.fitTo(picture: Size): Trimap {
    val stretch = (width.toDouble() / height) / (picture.width.toDouble() / picture.height)
    if (abs(stretch - 1) > ASPECT_TOLERANCE) {
        throw MattingException("The trimap is $size but the picture $picture: another shape.")
    }
    val result = resized(picture, Filter.NEAREST)
    for (i in result.bytes.indices) {
        if (result[i] != BACKGROUND && result[i] != FOREGROUND) result[i] = UNKNOWN
    }
    return result
}

/** The known pixels of the trimap, written over an alpha of the same size. */
fun AlphaMatte.keepKnown(trimap: Trimap) {
    for (i in values.indices) {
        when (trimap[i]) {
            BACKGROUND -> values[i] = 0f
            FOREGROUND -> values[i] = 1f
        }
    }
}

/**
 * A trimap to start from: what [alpha] leaves open, and all within [reach] pixels of it, is
 * unknown.
 */
fun trimapAround(alpha: AlphaMatte, reach: Int): Trimap {
    val open = BooleanArray(alpha.values.size) {
        alpha.values[it] in CERTAIN..1 - CERTAIN
    }
    val near = within(open, alpha.size, reach)
    val result = Trimap(alpha.size, 1)
    for (i in alpha.values.indices) {
        result[i] = when {
            near[i] -> UNKNOWN
            alpha.values[i] > 0.5f -> FOREGROUND
            else -> BACKGROUND
        }
    }
    return result
}

/** Marks all pixels whose Euclidean distance to a marked one is at most [reach]. */
private fun within(marked: BooleanArray, size: Size, reach: Int): BooleanArray {
    val width = size.width
    val far = reach + 1
    // First the distance along columns, then the smallest of the sums of squares along rows.
    val down = IntArray(marked.size) { if (marked[it]) 0 else far }
    for (i in width until down.size) down[i] = minOf(down[i], down[i - width] + 1)
    for (i in down.size - width - 1 downTo 0) down[i] = minOf(down[i], down[i + width] + 1)
    return BooleanArray(marked.size) { i ->
        val column = i % width
        val from = i - minOf(column, reach)
        val to = i + minOf(width - 1 - column, reach)
        (from..to).any { (it - i) * (it - i) + down[it] * down[it] <= reach * reach }
    }
}
