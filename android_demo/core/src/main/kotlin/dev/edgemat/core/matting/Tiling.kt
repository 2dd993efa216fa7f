package dev.edgemat.core.matting

import kotlin.math.PI
import kotlin.math.ceil
import kotlin.math.sin

/**
 * One tile along one axis.
 *
 * @property weights of its pixels in the blend
 */
class Span(val start: Int, val weights: FloatArray) {
    val range: IntRange get() = start until start + weights.size
}

/**
 * Covers [length] pixels with tiles of [size], neighbours overlapping by a quarter or more.
 *
 * At each pixel the weights add up to 1, and they are smallest at a tile's border, where the
 * network has seen the least of the surroundings.
 */
fun tileAxis(length: Int, size: Int): List<Span> {
    require(size in 1..length) { "tiles of $size do not fit into $length" }
    val step = maxOf(1, size - size / 4)
    val count = 1 + ceil((length - size).toDouble() / step).toInt()
    val starts = List(count) { n ->
        if (count == 1) 0 else Math.rint(n * ((length - size).toDouble() / (count - 1))).toInt()
    }
    val window = DoubleArray(size) { n ->
        val wave = sin(PI * (n + 0.5) / size)
        wave * wave
    }
    val total = DoubleArray(length)
    for (start in starts) {
        for (n in 0 until size) total[start + n] += window[n]
    }
    return starts.map { start ->
        Span(start, FloatArray(size) { n -> (window[n] / total[start + n]).toFloat() })
    }
}
