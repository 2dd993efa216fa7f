package dev.edgemat.core.compositing

import dev.edgemat.core.matting.times
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RGBA
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.RgbaImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.bands
import dev.edgemat.core.picture.resizedRows
import dev.edgemat.core.picture.rgbOfArgb
import dev.edgemat.core.picture.toByteValue

/**
 * What lies behind a person or a thing that was cut out.
 *
 * Colours are mixed as they are stored (gamma encoded), because that is how mattes are trained
 * and measured.
 */
sealed interface Backdrop {
    /** @property colour packed ARGB; alpha is ignored */
    data class Colour(val colour: Int) : Backdrop

    /** @property image of any size; its centre is cropped to the photograph's aspect ratio */
    class Picture(val image: RgbImage) : Backdrop
}

/**
 * A photograph with its matte, ready to be cut out; its foreground's colours are estimated once,
 * so that no old background shines through the strands.
 */
class CutOut(val image: RgbImage, val alpha: AlphaMatte) {
    val foreground: RgbImage by lazy { estimateForeground(image, alpha) }

    /** The foreground alone, for a transparent PNG; colours are not multiplied by alpha. */
    fun transparent(): RgbaImage {
        val result = RgbaImage(image.size, RGBA)
        for (pixel in alpha.values.indices) {
            foreground.bytes.copyInto(result.bytes, pixel * RGBA, pixel * RGB, (pixel + 1) * RGB)
            result[pixel * RGBA + RGB] = toByteValue(alpha.values[pixel] * 255)
        }
        return result
    }

    /** The foreground before another background. */
    fun before(backdrop: Backdrop): RgbImage = composite(
        foreground,
        when (backdrop) {
            is Backdrop.Colour -> solid(backdrop.colour)
            is Backdrop.Picture -> backdrop.image.centre(image.size)
        },
        alpha,
    )
}

/** `alpha F + (1 - alpha) B`; the background is resized to the foreground's size. */
fun composite(foreground: RgbImage, background: RgbImage, alpha: AlphaMatte): RgbImage {
    val result = RgbImage(foreground.size, RGB)
    for (rows in bands(foreground.size)) {
        val behind = background.resizedRows(rows, foreground.size)
        val first = rows.first * foreground.width * RGB
        for (i in behind.bytes.indices) {
            val a = alpha.values[(first + i) / RGB]
            result[first + i] = toByteValue(a * foreground[first + i] + (1 - a) * behind[i])
        }
    }
    return result
}

/** A background of one colour: a single pixel, since backgrounds are resized. */
fun solid(argb: Int): RgbImage = rgbOfArgb(intArrayOf(argb), Size(1, 1))

/** The centre of a picture, of the aspect ratio of [target]. */
internal fun RgbImage.centre(target: Size): RgbImage {
    val scale = minOf(height.toDouble() / target.height, width.toDouble() / target.width)
    val cropped = target * scale
    val top = (height - cropped.height) / 2
    val left = (width - cropped.width) / 2
    val result = RgbImage(cropped, RGB)
    for (row in 0 until cropped.height) {
        val start = ((top + row) * width + left) * RGB
        bytes.copyInto(result.bytes, row * cropped.width * RGB, start, start + cropped.width * RGB)
    }
    return result
}
