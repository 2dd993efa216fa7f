package dev.edgemat.core.benchmark

import kotlin.math.sqrt

/**
 * Summary of latency samples; times in milliseconds.
 *
 * Percentiles are interpolated linearly between the two nearest samples.
 *
 * @property stdMs standard deviation of the sample (divided by count - 1), 0 for a single one
 * @property iqrMs interquartile range, p75 - p25
 * @property cv coefficient of variation, std / mean
 * @property drift relative change of the median from the first half of the samples to the second
 */
data class Latency(
    val count: Int,
    val minMs: Double,
    val meanMs: Double,
    val stdMs: Double,
    val p50Ms: Double,
    val p90Ms: Double,
    val p95Ms: Double,
    val p99Ms: Double,
    val iqrMs: Double,
    val cv: Double,
    val drift: Double,
) {
    companion object {
        /**
         * Sums up samples in the order in which they were taken.
         *
         * @throws IllegalArgumentException where there is none, or one is no positive number
         */
        fun of(samplesMs: List<Double>): Latency {
            require(samplesMs.isNotEmpty()) { "There are no latency samples." }
            require(samplesMs.all { it.isFinite() && it > 0 }) {
                "A latency sample is not a positive number of milliseconds."
            }
            val sorted = samplesMs.sorted()
            val mean = samplesMs.average()
            val squares = samplesMs.sumOf { (it - mean) * (it - mean) }
            val std = if (samplesMs.size > 1) sqrt(squares / (samplesMs.size - 1)) else 0.0
            return Latency(
                count = samplesMs.size,
                minMs = sorted.first(),
                meanMs = mean,
                stdMs = std,
                p50Ms = percentile(sorted, 50),
                p90Ms = percentile(sorted, 90),
                p95Ms = percentile(sorted, 95),
                p99Ms = percentile(sorted, 99),
                iqrMs = percentile(sorted, 75) - percentile(sorted, 25),
                cv = std / mean,
                drift = drift(samplesMs),
            )
        }

        private fun drift(samples: List<Double>): Double {
            if (samples.size < 2) return 0.0
            val half = samples.size / 2
            return median(samples.drop(half)) / median(samples.take(half)) - 1
        }
    }
}

internal fun median(samples: List<Double>): Double = percentile(samples.sorted(), 50)

private fun percentile(sorted: List<Double>, percent: Int): Double {
    val place = percent / 100.0 * (sorted.size - 1)
    val below = place.toInt()
    val above = minOf(below + 1, sorted.lastIndex)
    return sorted[below] + (place - below) * (sorted[above] - sorted[below])
}
