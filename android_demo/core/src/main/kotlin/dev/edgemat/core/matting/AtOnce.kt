package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized
import kotlin.math.abs

/** The alpha of a picture that is resized to the model's size, whatever its aspect ratio. */
internal fun Network.matteResized(image: RgbImage, trimap: Trimap?): AlphaMatte {
    val input = feeding.input(
        image.resized(feeding.size, Filter.BICUBIC),
        trimap?.resized(feeding.size, Filter.NEAREST),
        sourceRow = { it },
        sourceColumn = { it },
    )
    val found = AlphaMatte(feeding.size, 1, alpha(input))
    return found.resized(image.size, Filter.BICUBIC)
}

/** Whether a picture is no larger than the model's input; others are cut into tiles. */
internal fun Feeding.canPad(picture: Size): Boolean =
    picture.height <= height && picture.width <= width

/** The alpha of a picture that is continued by its own reflection, to the right and below. */
internal fun Network.mattePadded(image: RgbImage, trimap: Trimap?): AlphaMatte {
    val found = alpha(
        feeding.input(
            image,
            trimap,
            sourceRow = { reflected(it, image.height) },
            sourceColumn = { reflected(it, image.width) },
        ),
    )
    val result = AlphaMatte(image.size)
    for (row in 0 until image.height) {
        val start = row * feeding.width
        found.copyInto(result.values, row * image.width, start, start + image.width)
    }
    return result
}

/** The place in 0 until [length] that [place] is the reflection of; the border is not repeated. */
private fun reflected(place: Int, length: Int): Int {
    if (length == 1) return 0
    val last = length - 1
    return last - abs(last - place % (2 * last))
}
