package dev.edgemat.core.benchmark

import kotlin.math.ceil
import kotlin.math.roundToLong

private const val NS_PER_S = 1_000_000_000L
private const val NS_PER_MS = 1_000_000.0

/**
 * What was measured of one candidate.
 *
 * @property samplesMs raw latencies in milliseconds, in the order in which they were taken
 * @property warmupRuns runs that the warm-up took
 * @property sustainedMs raw latencies of the sustained part, empty where there was none
 */
class Measurement(
    val samplesMs: List<Double>,
    val warmupRuns: Int,
    val sustainedMs: List<Double>,
)

/**
 * Measures candidates side by side.
 *
 * Each is warmed up, then all are measured in blocks that take turns A-B-B-A, so that a slow
 * change of the device (heat, another app) meets all of them alike. Only the call itself lies
 * between two readings of the clock.
 *
 * @param clock nanoseconds, monotonic
 * @param progress called with blocks done and blocks in all; may throw to end the measurement
 */
class Measuring(
    private val candidates: Map<String, () -> Unit>,
    private val protocol: Protocol,
    private val clock: () -> Long = System::nanoTime,
    private val progress: (done: Int, total: Int) -> Unit = { _, _ -> },
) {
    private val names = candidates.keys.toList()
    private val isSustained = protocol.sustainedSeconds > 0
    private val total = names.size * (1 + protocol.blocks + if (isSustained) 1 else 0)
    private var done = 0

    init {
        require(candidates.isNotEmpty()) { "There is nothing to measure." }
    }

    /** Measures, and returns name to measurement in the given order. */
    fun run(): Map<String, Measurement> {
        val warmups = names.associateWith { name -> step { warmUp(candidates.getValue(name)) } }
        val samples = names.associateWith { ArrayList<Long>() }
        for (name in schedule(names, protocol.blocks)) {
            samples.getValue(name) += step { block(candidates.getValue(name)) }
        }
        val sustained =
            if (isSustained) names.associateWith { step { sustained(it) } } else emptyMap()
        return names.associateWith { name ->
            Measurement(
                samples.getValue(name).toMs(),
                warmups.getValue(name),
                sustained[name].orEmpty().toMs(),
            )
        }
    }

    private fun <T> step(work: () -> T): T = work().also { progress(++done, total) }

    private fun warmUp(run: () -> Unit): Int {
        val deadline = clock() + (protocol.warmupSeconds * NS_PER_S).roundToLong()
        var runs = 0
        while (runs < protocol.warmupRuns || clock() < deadline) {
            run()
            runs++
        }
        return runs
    }

    /** The samples of one block: its share of both minimums. */
    private fun block(run: () -> Unit): List<Long> {
        repeat(protocol.settleRuns) { run() }
        return until(
            run,
            leastRuns = ceil(protocol.runs.toDouble() / protocol.blocks).toInt(),
            leastNs = ceil(protocol.seconds * NS_PER_S / protocol.blocks).toLong(),
        )
    }

    private fun sustained(name: String): List<Long> =
        until(candidates.getValue(name), 1, (protocol.sustainedSeconds * NS_PER_S).roundToLong())

    /** The samples of runs until both minimums are met, in nanoseconds. */
    private fun until(run: () -> Unit, leastRuns: Int, leastNs: Long): List<Long> {
        val samples = ArrayList<Long>()
        var spent = 0L
        while (samples.size < leastRuns || spent < leastNs) {
            val start = clock()
            run()
            val sample = clock() - start
            samples += sample
            spent += sample
        }
        return samples
    }

    private fun List<Long>.toMs() = map { it / NS_PER_MS }
}
