package dev.edgemat.core.matting

import dev.edgemat.core.picture.ByteRaster

/** The input that is already of the model's size: [pixels] are bytes H,W,C. */
fun Feeding.tensor(pixels: ByteArray): FloatArray {
    val input = InputTensor(this)
    input.fill(ByteRaster(size, channels, pixels), 0, { it }, { it })
    return input.values
}

/**
 * The input of a picture, and of its [trimap] where the model takes one.
 *
 * @param sourceRow row of the picture for a row of the input
 * @param sourceColumn the same for columns
 */
internal inline fun Feeding.input(
    image: ByteRaster,
    trimap: Trimap?,
    sourceRow: (Int) -> Int,
    sourceColumn: (Int) -> Int,
): FloatArray {
    val input = InputTensor(this)
    input.fill(image, if (trimapChannel == 0) 1 else 0, sourceRow, sourceColumn)
    if (trimap != null && trimapChannel != null) {
        input.fill(trimap, trimapChannel, sourceRow, sourceColumn)
    }
    return input.values
}

/** A model's input of one picture, filled channel by channel in the manifest's layout. */
class InputTensor(private val feeding: Feeding) {
    val values = FloatArray(feeding.height * feeding.width * feeding.channels)

    /**
     * Writes [count] channels of [source], from [firstChannel] of the input on, multiplied by the
     * manifest's scale.
     *
     * @param sourceRow row of the source for a row of the input; margins repeat the edge so
     * @param sourceColumn the same for columns
     */
    inline fun fill(
        source: ByteRaster,
        firstChannel: Int,
        sourceRow: (Int) -> Int,
        sourceColumn: (Int) -> Int,
    ) {
        for (row in 0 until height) {
            val start = sourceRow(row) * source.width
            for (column in 0 until width) {
                val pixel = (start + sourceColumn(column)) * source.channels
                for (channel in 0 until source.channels) {
                    set(row, column, firstChannel + channel, source[pixel + channel])
                }
            }
        }
    }

    @PublishedApi internal val height: Int get() = feeding.height

    @PublishedApi internal val width: Int get() = feeding.width

    @PublishedApi
    internal fun set(row: Int, column: Int, channel: Int, byte: Int) {
        val place = when (feeding.layout) {
            Layout.NHWC -> (row * width + column) * feeding.channels + channel
            Layout.NCHW -> (channel * height + row) * width + column
        }
        values[place] = byte * feeding.scale
    }
}
