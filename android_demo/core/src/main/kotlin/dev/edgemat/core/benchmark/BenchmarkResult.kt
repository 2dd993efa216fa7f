package dev.edgemat.core.benchmark

/**
 * The latency of one model on one device in one setting, with all that it depends on: what
 * `edgemat bench import` reads. The summary, the curve and the verdict follow from the rest.
 *
 * @property initMs loading the file and preparing its graph
 * @property firstMs the first inference
 * @property peakMemoryBytes of the whole process, all its models included
 * @property recordedAt UTC, ISO 8601
 */
data class BenchmarkResult(
    val name: String,
    val modelSha256: String,
    val modelBytes: Long,
    val threads: Int,
    val delegate: Delegate,
    val initMs: Double,
    val firstMs: Double,
    val warmupRuns: Int,
    val samplesMs: List<Double>,
    val sustainedMs: List<Double>,
    val peakMemoryBytes: Long?,
    val golden: GoldenCheck?,
    val protocol: Protocol,
    val circumstances: Circumstances,
    val recordedAt: String,
) {
    val latency: Latency = Latency.of(samplesMs)
    val sustained: Sustained? = Sustained.of(sustainedMs)

    /** Why the measurement is invalid; empty where it is valid. */
    val reasons: List<String> = reasonsAgainst(latency, protocol, delegate, circumstances, golden)
    val isValid: Boolean get() = reasons.isEmpty()
}
