package dev.edgemat.core.benchmark

import dev.edgemat.core.Vectors
import dev.edgemat.core.doubles
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull

class LatencyTest {
    @Test
    fun `samples are summed up as Python sums them up`() {
        for (case in Vectors.cases("statistics", "summaries")) {
            val found = Latency.of(case["samples_ms"].doubles)
            val expected = case["latency"]
            assertEquals(expected["count"].int, found.count)
            val figures = mapOf(
                "min_ms" to found.minMs, "mean_ms" to found.meanMs, "std_ms" to found.stdMs,
                "p50_ms" to found.p50Ms, "p90_ms" to found.p90Ms, "p95_ms" to found.p95Ms,
                "p99_ms" to found.p99Ms, "iqr_ms" to found.iqrMs, "cv" to found.cv,
                "drift" to found.drift,
            )
            assertEquals(expected.keys - "count", figures.keys)
            for ((name, figure) in figures) assertEquals(expected[name].double, figure, 1e-12, name)
        }
    }

    @Test
    fun `samples that are none are refused in the same words`() {
        for (case in Vectors.cases("statistics", "refused")) {
            val error = assertFailsWith<IllegalArgumentException> {
                Latency.of(case["samples_ms"].doubles)
            }
            assertEquals(case["message"].string, error.message)
        }
    }

    @Test
    fun `the sustained curve has the same windows`() {
        for (case in Vectors.cases("statistics", "sustained")) {
            val found = checkNotNull(Sustained.of(case["samples_ms"].doubles))
            val expected = case["sustained"]
            assertEquals(expected["seconds"].double, found.seconds, 1e-12)
            assertEquals(expected["runs"].int, found.runs)
            assertNear(expected["at_s"].doubles, found.atS)
            assertNear(expected["p50_ms"].doubles, found.p50Ms)
        }
        assertNull(Sustained.of(emptyList()))
    }

    private fun assertNear(expected: List<Double>, found: List<Double>) {
        assertEquals(expected.size, found.size)
        for ((one, other) in expected.zip(found)) assertEquals(one, other, 1e-9)
    }
}
