package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized

/**
 * Where a picture lies inside a model's input: scaled with its aspect ratio kept, centred.
 *
 * @property size of the scaled picture
 * @property enlarges whether the scaled picture is at least as large as the original
 */
data class Letterbox(val frame: Size, val size: Size, val enlarges: Boolean) {
    val top: Int get() = (frame.height - size.height) / 2
    val left: Int get() = (frame.width - size.width) / 2

    /** The picture, scaled to lie inside the frame. */
    fun scale(image: RgbImage): RgbImage =
        image.resized(size, if (enlarges) Filter.BICUBIC else Filter.BILINEAR)

    /** The model's input: the scaled picture, its edge repeated over the margins. */
    fun fill(scaled: RgbImage, feeding: Feeding): FloatArray {
        val input = InputTensor(feeding)
        input.fill(
            scaled,
            firstChannel = 0,
            sourceRow = { (it - top).coerceIn(0, size.height - 1) },
            sourceColumn = { (it - left).coerceIn(0, size.width - 1) },
        )
        return input.values
    }

    /** Takes the picture's alpha out of the model's output. */
    fun crop(output: FloatArray): AlphaMatte {
        val result = AlphaMatte(size)
        for (row in 0 until size.height) {
            val start = (top + row) * frame.width + left
            output.copyInto(result.values, row * size.width, start, start + size.width)
        }
        return result
    }

    companion object {
        fun fit(picture: Size, frame: Size): Letterbox {
            val scale = minOf(
                frame.height.toDouble() / picture.height,
                frame.width.toDouble() / picture.width,
            )
            return Letterbox(frame, picture * scale, enlarges = scale >= 1)
        }
    }
}

/** Both sides times [scale], rounded (halves to the even neighbour), at least 1. */
internal operator fun Size.times(scale: Double) = Size(
    maxOf(1, Math.rint(height * scale).toInt()),
    maxOf(1, Math.rint(width * scale).toInt()),
)
