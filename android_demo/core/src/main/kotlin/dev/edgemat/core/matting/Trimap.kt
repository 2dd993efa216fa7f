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
