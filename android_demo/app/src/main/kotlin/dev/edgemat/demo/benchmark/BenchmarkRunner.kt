package dev.edgemat.demo.benchmark

import dev.edgemat.core.benchmark.BenchmarkResult
import dev.edgemat.core.benchmark.Delegate
import dev.edgemat.core.benchmark.GoldenCheck
import dev.edgemat.core.benchmark.Measuring
import dev.edgemat.core.matting.ModelEntry
import dev.edgemat.core.matting.tensor
import dev.edgemat.demo.UserException
import dev.edgemat.demo.model.LiteRtNetwork
import dev.edgemat.demo.model.Models
import dev.edgemat.demo.model.Processor
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import java.util.concurrent.CancellationException

/** Measures all models of a task in turns, and checks their mattes in the same run. */
class BenchmarkRunner(private val models: Models, private val phone: Phone) {
    @Volatile
    private var isStopped = false

    /** Ends the measurement after the run that is under way. */
    fun stop() {
        isStopped = true
    }

    /**
     * Measures; takes from half a minute up to the mode's time.
     *
     * @param progress called with 0..1
     * @throws CancellationException after [stop]
     * @throws UserException where a model is missing or cannot be loaded
     */
    fun run(setting: Setting, progress: (Double) -> Unit): List<BenchmarkResult> {
        val candidates = models.choose(setting.task, setting.sha256s)
        val before = phone.condition()
        val loaded = ArrayList<Candidate>()
        try {
            candidates.mapTo(loaded) { load(it, setting) }
            val measured = Measuring(
                loaded.associate { it.entry.name to stoppable(it.network) },
                setting.protocol,
            ) { done, total -> progress(done.toDouble() / total) }.run()
            val circumstances = phone.circumstances(before, after = phone.condition())
            return loaded.map { one ->
                val measurement = measured.getValue(one.entry.name)
                BenchmarkResult(
                    name = one.entry.name,
                    modelSha256 = one.sha256,
                    modelBytes = one.bytes,
                    threads = setting.threads,
                    delegate = Delegate(setting.processor.word, one.used.word),
                    initMs = one.initMs,
                    firstMs = one.firstMs,
                    warmupRuns = measurement.warmupRuns,
                    samplesMs = measurement.samplesMs,
                    sustainedMs = measurement.sustainedMs,
                    peakMemoryBytes = phone.peakMemoryBytes(),
                    golden = one.expected?.let { GoldenCheck.of(it, one.network.output()) },
                    protocol = setting.protocol,
                    circumstances = circumstances,
                    recordedAt = phone.now(),
                )
            }
        } finally {
            loaded.forEach { it.network.close() }
        }
    }

    /** One run; to look whether it is to stop takes nanoseconds. */
    private fun stoppable(network: LiteRtNetwork): () -> Unit = {
        if (isStopped) throw CancellationException()
        network.invoke()
    }

    private fun load(entry: ModelEntry, setting: Setting): Candidate {
        val used = usable(entry, setting)
        // Once untimed, so that init times neither the disk nor the loading of LiteRT itself.
        models.open(entry, used, setting.threads).close()
        val start = System.nanoTime()
        val network = models.open(entry, used, setting.threads)
        val ready = System.nanoTime()
        network.setInput(input(entry))
        val begin = System.nanoTime()
        network.invoke()
        val end = System.nanoTime()
        val file = models.read(entry.file)
        return Candidate(
            entry, network, used,
            initMs = (ready - start) / NS_PER_MS,
            firstMs = (end - begin) / NS_PER_MS,
            sha256 = sha256(file),
            bytes = file.size.toLong(),
            expected = entry.golden?.let { floats(models.read(it.alpha)) },
        )
    }

    /** The processor that was asked for, or the CPU where the GPU cannot compute all of a model. */
    private fun usable(entry: ModelEntry, setting: Setting): Processor {
        if (setting.processor == Processor.XNNPACK) return Processor.XNNPACK
        return try {
            models.open(entry, setting.processor, setting.threads).close()
            setting.processor
        } catch (_: UserException) {
            Processor.XNNPACK // the result then says what was asked for, and is invalid
        }
    }

    /** The golden input, or grey where none was exported. */
    private fun input(entry: ModelEntry): FloatArray {
        val feeding = entry.feeding
        val pixels = entry.golden?.let { models.read(it.pixels) }
            ?: ByteArray(feeding.size.pixels * feeding.channels) { GREY }
        return feeding.tensor(pixels)
    }

    private class Candidate(
        val entry: ModelEntry,
        val network: LiteRtNetwork,
        val used: Processor,
        val initMs: Double,
        val firstMs: Double,
        val sha256: String,
        val bytes: Long,
        val expected: FloatArray?,
    )

    private companion object {
        const val NS_PER_MS = 1e6
        const val GREY: Byte = 127

        fun floats(bytes: ByteArray): FloatArray =
            FloatArray(bytes.size / Float.SIZE_BYTES).also { values ->
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values)
            }

        fun sha256(bytes: ByteArray): String =
            MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
    }
}
