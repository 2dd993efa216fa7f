package dev.edgemat.core.benchmark

/**
 * How latencies are distributed between the shortest and the 99th percentile; what is beyond is
 * counted in the last bin.
 *
 * @property counts of bins of equal width
 */
class Histogram(val fromMs: Double, val toMs: Double, val counts: List<Int>) {
    /** The middle of the fullest bin. */
    val modeMs: Double
        get() = fromMs + (counts.indexOf(counts.max()) + 0.5) * (toMs - fromMs) / counts.size

    companion object {
        fun of(samplesMs: List<Double>, latency: Latency, bins: Int = 40): Histogram {
            val width = (latency.p99Ms - latency.minMs) / bins
            val counts = IntArray(bins)
            for (sample in samplesMs) {
                val bin = if (width > 0) ((sample - latency.minMs) / width).toInt() else 0
                counts[bin.coerceAtMost(bins - 1)]++
            }
            return Histogram(latency.minMs, latency.p99Ms, counts.asList())
        }
    }
}
