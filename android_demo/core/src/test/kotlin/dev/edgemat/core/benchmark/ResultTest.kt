package dev.edgemat.core.benchmark

import dev.edgemat.core.Vectors
import dev.edgemat.core.doubles
import dev.edgemat.core.json.Json
import dev.edgemat.core.json.writeJson
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

class ResultTest {
    @Test
    fun `a result is the same JSON as Python's`() {
        for (case in Vectors.cases("result", "results")) {
            val expected = case["result"]
            val written = writeJson(expected.result(case["sustained_ms"].doubles).toJson())
            assertSame(expected, Json.parse(written), "result")
        }
    }

    private fun Json.result(sustainedMs: List<Double>) = BenchmarkResult(
        name = this["name"].string,
        modelSha256 = this["model_sha256"].string,
        modelBytes = this["model_bytes"].long,
        threads = this["threads"].int,
        delegate = this["delegate"].delegate,
        initMs = this["init_ms"].double,
        firstMs = this["first_ms"].double,
        warmupRuns = this["warmup_runs"].int,
        samplesMs = this["samples_ms"].doubles,
        sustainedMs = sustainedMs,
        peakMemoryBytes = this["peak_memory_bytes"].orNull?.long,
        golden = this["golden"].orNull?.goldenCheck,
        protocol = this["protocol"].protocol,
        circumstances = this["circumstances"].circumstances,
        recordedAt = this["recorded_at"].string,
    )

    /** Texts, whole numbers and names exactly; other numbers up to the last digits. */
    private fun assertSame(expected: Json, found: Json, place: String) {
        val members = runCatching { expected.keys }.getOrNull()
        val elements = runCatching { expected.list }.getOrNull()
        val number = runCatching { expected.double }.getOrNull()
        when {
            expected.orNull == null -> assertTrue(found.orNull == null, place)
            members != null -> {
                assertEquals(members, found.keys, place)
                for (key in members) assertSame(expected[key], found[key], "$place.$key")
            }
            elements != null -> {
                assertEquals(elements.size, found.list.size, place)
                elements.zip(found.list).forEachIndexed { n, (one, other) -> assertSame(one, other, "$place[$n]") }
            }
            number != null -> assertEquals(number, found.double, 1e-9, place)
            else -> assertEquals(expected.string, found.string, place)
        }
    }
}
