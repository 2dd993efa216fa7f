package dev.edgemat.core.picture

import kotlin.math.roundToInt

/** The raster at another size. */
fun ByteRaster.resized(target: Size, filter: Filter): ByteRaster {
    if (target == size) return copy()
    val result = resizedRows(0 until target.height, target, filter)
    if (filter == Filter.BICUBIC) result.clip(this)
    return result
}

/** The raster at another size. */
fun FloatRaster.resized(target: Size, filter: Filter): FloatRaster =
    if (target == size) {
        FloatRaster(size, channels, values.copyOf())
    } else {
        resizedRows(0 until target.height, target, filter).also {
            if (filter == Filter.BICUBIC) it.clip(this)
        }
    }

/** Some [rows] of the raster resized to [target], without making the others. */
internal fun ByteRaster.resizedRows(
    rows: IntRange,
    target: Size,
    filter: Filter = Filter.BILINEAR,
): ByteRaster {
    val down = AxisWindows.of(height, target.height, rows, filter)
    val across = AxisWindows.of(width, target.width, 0 until target.width, filter)
    // Across first, on the needed rows alone; then down. In between, samples are bytes again.
    val needed = down.sources
    val wide = ByteRaster(Size(needed.count, target.width), channels)
    val weightsAcross = across.fixedPoint()
    forEachWindowAcross(across, needed, width, channels) { place, start, window ->
        var sum = HALF
        for (w in across.starts[window] until across.starts[window + 1]) {
            sum += weightsAcross[w] * this[start + (w - across.starts[window]) * channels]
        }
        wide[place] = (sum shr FRACTION_BITS).coerceIn(0, 255)
    }
    val result = ByteRaster(Size(rows.count, target.width), channels)
    val weightsDown = down.fixedPoint()
    val length = target.width * channels
    forEachWindowDown(down, needed.first, length) { place, start, window ->
        var sum = HALF
        for (w in down.starts[window] until down.starts[window + 1]) {
            sum += weightsDown[w] * wide[start + (w - down.starts[window]) * length]
        }
        result[place] = (sum shr FRACTION_BITS).coerceIn(0, 255)
    }
    return result
}

/** Some [rows] of the raster resized to [target], without making the others. */
internal fun FloatRaster.resizedRows(
    rows: IntRange,
    target: Size,
    filter: Filter = Filter.BILINEAR,
): FloatRaster {
    val down = AxisWindows.of(height, target.height, rows, filter)
    val across = AxisWindows.of(width, target.width, 0 until target.width, filter)
    val needed = down.sources
    val wide = FloatRaster(Size(needed.count, target.width), channels)
    forEachWindowAcross(across, needed, width, channels) { place, start, window ->
        var sum = 0.0
        for (w in across.starts[window] until across.starts[window + 1]) {
            sum += across.weights[w] * values[start + (w - across.starts[window]) * channels]
        }
        wide.values[place] = sum.toFloat()
    }
    val result = FloatRaster(Size(rows.count, target.width), channels)
    val length = target.width * channels
    forEachWindowDown(down, needed.first, length) { place, start, window ->
        var sum = 0.0
        for (w in down.starts[window] until down.starts[window + 1]) {
            sum += down.weights[w] * wide.values[start + (w - down.starts[window]) * length]
        }
        result.values[place] = sum.toFloat()
    }
    return result
}

// Fixed point: 255 times a weight still fits 32 bits, bicubic overshoot included.
private const val FRACTION_BITS = 22
private const val HALF = 1 shl (FRACTION_BITS - 1) // the shift then rounds

private fun AxisWindows.fixedPoint() =
    IntArray(weights.size) { (weights[it] * (1 shl FRACTION_BITS)).roundToInt() }

/** Calls [body] with the sample to make, the first sample that it is made of, and the window. */
private inline fun forEachWindowAcross(
    across: AxisWindows,
    rows: IntRange,
    width: Int,
    channels: Int,
    body: (place: Int, start: Int, window: Int) -> Unit,
) {
    var place = 0
    for (row in rows) {
        for (window in 0 until across.count) {
            val start = (row * width + across.firsts[window]) * channels
            for (channel in 0 until channels) body(place++, start + channel, window)
        }
    }
}

/** The same along columns, of a raster that begins with row [firstRow] of the original. */
private inline fun forEachWindowDown(
    down: AxisWindows,
    firstRow: Int,
    length: Int,
    body: (place: Int, start: Int, window: Int) -> Unit,
) {
    var place = 0
    for (window in 0 until down.count) {
        val start = (down.firsts[window] - firstRow) * length
        for (sample in 0 until length) body(place++, start + sample, window)
    }
}

private fun FloatRaster.clip(range: FloatRaster) {
    val least = range.values.min()
    val most = range.values.max()
    for (i in values.indices) values[i] = values[i].coerceIn(least, most)
}

private fun ByteRaster.clip(range: ByteRaster) {
    val least = range.bytes.indices.minOf { range[it] }
    val most = range.bytes.indices.maxOf { range[it] }
    for (i in bytes.indices) this[i] = this[i].coerceIn(least, most)
}
