package dev.edgemat.core.picture

import kotlin.math.abs

/**
 * How the pixels of a resized picture are weighted from those of the original.
 *
 * All but [NEAREST] are anti-aliased: where the picture shrinks, the window widens. The models
 * were trained and measured with it; `Bitmap.createScaledBitmap` weighs differently.
 *
 * @property support half the window's width, in pixels of the coarser of the two pictures
 */
enum class Filter(internal val support: Double) {
    AREA(0.5) {
        // half-open: a pixel on the border of two boxes counts once
        override fun weight(x: Double) = if (x > -0.5 && x <= 0.5) 1.0 else 0.0
    },
    BILINEAR(1.0) {
        override fun weight(x: Double) = maxOf(0.0, 1 - abs(x))
    },

    /** Keys' cubic with a = -0.5; overshoot is clipped to the range of the input. */
    BICUBIC(2.0) {
        override fun weight(x: Double): Double {
            val d = abs(x)
            return when {
                d < 1 -> (1.5 * d - 2.5) * d * d + 1
                d < 2 -> ((-0.5 * d + 2.5) * d - 4) * d + 2
                else -> 0.0
            }
        }
    },
    NEAREST(0.0) {
        override fun weight(x: Double) = 1.0
    }, ;

    internal abstract fun weight(x: Double): Double
}

/**
 * Which original pixels each pixel along one axis of the result is made of.
 *
 * Window `n` is `weights[starts[n] until starts[n + 1]]`, over the pixels from `firsts[n]` on; its
 * weights add up to 1.
 */
internal class AxisWindows(
    val firsts: IntArray,
    val starts: IntArray,
    val weights: DoubleArray,
) {
    val count: Int get() = firsts.size

    /** The original pixels that any window looks at. */
    val sources: IntRange
        get() = firsts.min() until firsts.indices.maxOf { firsts[it] + starts[it + 1] - starts[it] }

    companion object {
        /** Windows of the [wanted] pixels of a result of [target] pixels made of [source]. */
        fun of(source: Int, target: Int, wanted: IntRange, filter: Filter): AxisWindows {
            val scale = source.toDouble() / target
            val widening = maxOf(scale, 1.0)
            val reach = filter.support * widening
            val firsts = IntArray(wanted.count)
            val starts = IntArray(wanted.count + 1)
            val weights = ArrayList<Double>()
            wanted.forEachIndexed { n, pixel ->
                val centre = (pixel + 0.5) * scale
                if (filter == Filter.NEAREST) {
                    firsts[n] = minOf(centre.toInt(), source - 1)
                    weights += 1.0
                } else {
                    val first = maxOf(0, (centre - reach + 0.5).toInt())
                    val last = minOf(source, (centre + reach + 0.5).toInt())
                    val raw = (first until last).map {
                        filter.weight((it + 0.5 - centre) / widening)
                    }
                    val total = raw.sum()
                    firsts[n] = first
                    raw.mapTo(weights) { it / total }
                }
                starts[n + 1] = weights.size
            }
            return AxisWindows(firsts, starts, weights.toDoubleArray())
        }
    }
}
