package dev.edgemat.core.picture

import java.nio.ByteBuffer

/** Byte offsets of the colours in a pixel of four bytes. */
enum class ChannelOrder(internal val red: Int, internal val green: Int, internal val blue: Int) {
    /** Android's `PixelFormat.RGBA_8888` and `Bitmap.Config.ARGB_8888` in memory. */
    RGBA(0, 1, 2),
    BGRA(2, 1, 0),
}

/**
 * Reads pixels of four bytes whose rows may be padded: hardware likes rows that begin at multiples
 * of 64 bytes, and who ignores the stride scrambles the picture.
 *
 * @param rowStride bytes from the start of a row to that of the next, at least `4 * width`
 */
fun readPacked(
    buffer: ByteBuffer,
    size: Size,
    rowStride: Int,
    order: ChannelOrder = ChannelOrder.RGBA,
): RgbImage {
    require(rowStride >= size.width * 4) { "a row of $rowStride bytes cannot hold $size" }
    val result = RgbImage(size, RGB)
    var place = 0
    for (row in 0 until size.height) {
        var pixel = row * rowStride
        repeat(size.width) {
            result.bytes[place++] = buffer.get(pixel + order.red)
            result.bytes[place++] = buffer.get(pixel + order.green)
            result.bytes[place++] = buffer.get(pixel + order.blue)
            pixel += 4
        }
    }
    return result
}

/**
 * One plane of a camera's picture.
 *
 * @property rowStride bytes from row to row
 * @property pixelStride bytes from sample to sample; 2 where two planes take turns
 */
class CameraPlane(val buffer: ByteBuffer, val rowStride: Int, val pixelStride: Int) {
    internal fun sample(row: Int, column: Int): Int =
        buffer.get(row * rowStride + column * pixelStride).toInt() and 0xff
}

/**
 * Android's `ImageFormat.YUV_420_888` as RGB: BT.601 of full range (JFIF), each chroma sample
 * standing for a square of four pixels.
 */
fun readYuv420(size: Size, luma: CameraPlane, blue: CameraPlane, red: CameraPlane): RgbImage {
    val result = RgbImage(size, RGB)
    var place = 0
    for (row in 0 until size.height) {
        for (column in 0 until size.width) {
            val y = luma.sample(row, column).toFloat()
            val cb = blue.sample(row / 2, column / 2) - 128
            val cr = red.sample(row / 2, column / 2) - 128
            result[place++] = toByteValue(y + 1.402f * cr)
            result[place++] = toByteValue(y - 0.344136f * cb - 0.714136f * cr)
            result[place++] = toByteValue(y + 1.772f * cb)
        }
    }
    return result
}

/** The picture as Android's packed ARGB integers, opaque where there is no alpha channel. */
fun ByteRaster.toArgb(): IntArray = IntArray(size.pixels) { pixel ->
    val start = pixel * channels
    val alpha = if (channels == RGBA) this[start + 3] else 255
    (alpha shl 24) or (this[start] shl 16) or (this[start + 1] shl 8) or this[start + 2]
}

/** A picture of Android's packed ARGB integers; alpha is dropped, the colours are kept. */
fun rgbOfArgb(pixels: IntArray, size: Size): RgbImage {
    val result = RgbImage(size, RGB)
    pixels.forEachIndexed { pixel, colour ->
        result[pixel * RGB] = colour shr 16
        result[pixel * RGB + 1] = colour shr 8
        result[pixel * RGB + 2] = colour
    }
    return result
}
