package dev.edgemat.demo.photo

import android.graphics.Bitmap
import dev.edgemat.core.picture.ByteRaster
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.rgbOfArgb
import dev.edgemat.core.picture.toArgb

/** The colours of a bitmap; what is transparent is shown as it is stored. */
fun Bitmap.toRgb(): RgbImage {
    val pixels = IntArray(width * height)
    getPixels(pixels, 0, width, 0, 0, width, height)
    return rgbOfArgb(pixels, Size(height, width))
}

fun ByteRaster.toBitmap(): Bitmap =
    Bitmap.createBitmap(toArgb(), width, height, Bitmap.Config.ARGB_8888)
