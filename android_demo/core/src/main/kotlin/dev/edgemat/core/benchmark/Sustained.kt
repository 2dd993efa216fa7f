package dev.edgemat.core.benchmark

private const val POINTS = 60
private const val MS_PER_S = 1000.0

/**
 * How the latency goes on when the device does nothing else for minutes.
 *
 * @property atS middle of each window, in seconds
 * @property p50Ms median of the inferences in the window
 */
data class Sustained(
    val seconds: Double,
    val atS: List<Double>,
    val p50Ms: List<Double>,
    val runs: Int,
) {
    /** The last window's median over the first's, minus 1. */
    val change: Double get() = p50Ms.last() / p50Ms.first() - 1

    companion object {
        /** The curve of inferences that followed each other without a pause; null of none. */
        fun of(samplesMs: List<Double>): Sustained? {
            if (samplesMs.isEmpty()) return null
            val ends = samplesMs.runningReduce(Double::plus).map { it / MS_PER_S }
            val seconds = ends.last()
            val windows = samplesMs.indices.groupBy {
                minOf((ends[it] / seconds * POINTS).toInt(), POINTS - 1)
            }
            val filled = windows.toSortedMap()
            return Sustained(
                seconds = seconds,
                atS = filled.keys.map { (it + 0.5) * seconds / POINTS },
                p50Ms = filled.values.map { inside -> median(inside.map(samplesMs::get)) },
                runs = samplesMs.size,
            )
        }
    }
}
