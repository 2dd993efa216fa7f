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
    val sums = IntArray(length)
    for (window in 0 until down.count) {
        sums.fill(HALF)
        down.forEachRow(window, needed.first) { w, row ->
            val weight = weightsDown[w]
            val start = row * length
            for (i in sums.indices) sums[i] += weight * wide[start + i]
        }
        val start = window * length
        for (i in sums.indices) result[start + i] = (sums[i] shr FRACTION_BITS).coerceIn(0, 255)
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
    val sums = DoubleArray(length)
    for (window in 0 until down.count) {
        sums.fill(0.0)
        down.forEachRow(window, needed.first) { w, row ->
            val weight = down.weights[w]
            val start = row * length
            for (i in sums.indices) sums[i] += weight * wide.values[start + i]
        }
        val start = window * length
        for (i in sums.indices) result.values[start + i] = sums[i].toFloat()
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

/**
 * Calls [body] with each weight's place and its row of a raster that begins with row [firstRow] of
 * the original. Adding whole rows, one weight after the other, is quicker on a JVM than adding up
 * one sample after the other.
 */
private inline fun AxisWindows.forEachRow(
    window: Int,
    firstRow: Int,
    body: (weight: Int, row: Int) -> Unit,
) {
    val first = firsts[window] - firstRow - starts[window]
    for (w in starts[window] until starts[window + 1]) body(w, first + w)
}

private fun FloatRaster.clip(range: FloatRaster) {
    val least = range.values.min()
    val most = range.values.max()
    for (i in values.indices) values[i] = values[i].coerceIn(least, most)
}

private fun ByteRaster.clip(range: ByteRaster) {
    var least = 255
    var most = 0
    for (i in range.bytes.indices) { // minOf and maxOf would make an object of each sample
        least = minOf(least, range[i])
        most = maxOf(most, range[i])
    }
    for (i in bytes.indices) this[i] = this[i].coerceIn(least, most)
}
