package dev.edgemat.core.picture

/**
 * Interleaved 8-bit pixels, row after row without padding.
 *
 * @property channels samples of a pixel
 * @property bytes `size.pixels * channels` samples; [get] reads them as 0..255
 */
class ByteRaster(
    val size: Size,
    val channels: Int,
    val bytes: ByteArray = ByteArray(size.pixels * channels),
) {
    init {
        require(bytes.size == size.pixels * channels) { "$size of $channels has other bytes" }
    }

    val height: Int get() = size.height
    val width: Int get() = size.width

    /** The sample at [index] of [bytes], 0..255. */
    operator fun get(index: Int): Int = bytes[index].toInt() and 0xff

    operator fun set(index: Int, value: Int) {
        bytes[index] = value.toByte()
    }

    fun copy() = ByteRaster(size, channels, bytes.copyOf())
}

/** Interleaved float samples, row after row without padding. */
class FloatRaster(
    val size: Size,
    val channels: Int = 1,
    val values: FloatArray = FloatArray(size.pixels * channels),
) {
    init {
        require(values.size == size.pixels * channels) { "$size of $channels has other values" }
    }

    val height: Int get() = size.height
    val width: Int get() = size.width
}

/** Red, green, blue, as stored (gamma encoded). */
typealias RgbImage = ByteRaster

/** Red, green, blue, alpha; the colours are not multiplied by alpha. */
typealias RgbaImage = ByteRaster

/** How much of each pixel belongs to the foreground, 0..1; one channel. */
typealias AlphaMatte = FloatRaster

const val RGB = 3
const val RGBA = 4

/** The nearest of 0..255; a half goes to the even neighbour, as in Python. */
internal fun toByteValue(value: Float): Int = Math.rint(value.toDouble()).toInt().coerceIn(0, 255)
