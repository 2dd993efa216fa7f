package dev.edgemat.core.benchmark

import dev.edgemat.core.json.Json

/**
 * How a latency is measured; edgemat's bench/protocol.py has the same. All minimums hold per
 * candidate.
 *
 * @property warmupRuns with [warmupSeconds]: both must be met before anything is measured
 * @property runs of the measured part, at least
 * @property seconds of the measured part, at least; the sum of the samples
 * @property blocks per candidate, even, so that every A-B-B-A is complete
 * @property settleRuns unmeasured runs at the start of a block: the caches still hold the other
 * candidate
 * @property maxCv above it, or above [maxDrift], the measurement is invalid
 * @property sustainedSeconds afterwards each candidate runs alone for so long; 0 leaves that out
 */
data class Protocol(
    val warmupRuns: Int = 10,
    val warmupSeconds: Double = 1.0,
    val runs: Int = 200,
    val seconds: Double = 10.0,
    val blocks: Int = 10,
    val settleRuns: Int = 1,
    val maxCv: Double = 0.10,
    val maxDrift: Double = 0.10,
    val sustainedSeconds: Double = 0.0,
) {
    init {
        check("warmup_runs", warmupRuns, warmupRuns >= 0)
        check("runs", runs, runs >= 1)
        check("settle_runs", settleRuns, settleRuns >= 0)
        for ((name, value) in listOf(
            "warmup_seconds" to warmupSeconds,
            "seconds" to seconds,
            "max_cv" to maxCv,
            "max_drift" to maxDrift,
            "sustained_seconds" to sustainedSeconds,
        )) {
            check(name, value, value.isFinite() && value >= 0)
        }
        check("blocks", blocks, blocks >= 2 && blocks % 2 == 0)
    }

    private fun check(name: String, value: Number, isPossible: Boolean) =
        require(isPossible) { "The benchmark protocol has $name = $value." }

    companion object {
        /** The settings of a figure for publication: MLPerf's single-stream minimums. */
        val STRICT = Protocol(runs = 1024, seconds = 60.0)

        /**
         * Reads the settings as edgemat writes them.
         *
         * @throws dev.edgemat.core.json.JsonException where one is missing or of another type
         * @throws IllegalArgumentException where one is out of range
         */
        fun of(json: Json) = Protocol(
            warmupRuns = json["warmup_runs"].int,
            warmupSeconds = json["warmup_seconds"].double,
            runs = json["runs"].int,
            seconds = json["seconds"].double,
            blocks = json["blocks"].int,
            settleRuns = json["settle_runs"].int,
            maxCv = json["max_cv"].double,
            maxDrift = json["max_drift"].double,
            sustainedSeconds = json["sustained_seconds"].double,
        )
    }
}

/** The candidate of each block: A-B-B-A, A-B-B-A, ... with [blocks] blocks each. */
fun schedule(names: List<String>, blocks: Int): List<String> =
    List(blocks / 2) { names + names.reversed() }.flatten()
