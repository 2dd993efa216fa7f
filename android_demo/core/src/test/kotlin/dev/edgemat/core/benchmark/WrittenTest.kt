package dev.edgemat.core.benchmark

import dev.edgemat.core.json.writeJson
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import org.junit.Assume.assumeTrue

/** Measures as the app does, by the real clock, and leaves the file that Python's side reads. */
class WrittenTest {
    @Test
    fun `two models are measured in turns and written`() {
        val target = System.getProperty("edgemat.written")
        assumeTrue("no file is asked for", target != null)
        val protocol = Protocol(
            warmupRuns = 2, warmupSeconds = 0.0, runs = 20, seconds = 0.01, blocks = 2, sustainedSeconds = 0.01,
        )
        val measured = Measuring(NAMES.associateWith { { Thread.sleep(1) } }, protocol).run()
        val matte = FloatArray(4) { it / 4f }
        val results = measured.map { (name, one) ->
            BenchmarkResult(
                name = name,
                modelSha256 = "0".repeat(64),
                modelBytes = 5_000_000_000, // more than an Int holds
                threads = 4,
                delegate = Delegate(asked = "xnnpack", used = "xnnpack"),
                initMs = 12.5,
                firstMs = 8.25,
                warmupRuns = one.warmupRuns,
                samplesMs = one.samplesMs,
                sustainedMs = one.sustainedMs,
                peakMemoryBytes = null,
                golden = GoldenCheck.of(matte, matte),
                protocol = protocol,
                circumstances = CIRCUMSTANCES,
                recordedAt = "2026-01-31T12:00:00+00:00",
            )
        }
        assertEquals(NAMES, results.map { it.name })
        File(target).writeText(writeJson(results.map { it.toJson() }))
    }

    private companion object {
        val NAMES = listOf("portrait-int8", "portrait-fp32")
        val CIRCUMSTANCES = Circumstances(
            isEmulated = true, // a JVM is no phone: what it takes is no latency
            device = "Größe \"X\"\t\u0001",
            soc = "none",
            cores = 8,
            os = "Android 15",
            abi = "arm64-v8a",
            runtime = "LiteRT 2.3.0",
            before = Condition(thermalStatus = ThermalStatus.NONE, thermalHeadroom = 0.5, batteryLevel = 0.75),
        )
    }
}
