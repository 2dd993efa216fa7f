package dev.edgemat.core.benchmark

import dev.edgemat.core.Vectors
import dev.edgemat.core.doubles
import dev.edgemat.core.json.Json
import dev.edgemat.core.strings
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class MeasuringTest {
    @Test
    fun `the settings are Python's`() {
        val settings = Vectors.cases("protocol", "settings").associate { it["name"].string to it["protocol"].protocol }
        assertEquals(Protocol(), settings["default"])
        assertEquals(Protocol.STRICT, settings["strict"])
    }

    @Test
    fun `impossible settings are refused in the same words`() {
        for (case in Vectors.cases("protocol", "refused")) {
            val error = assertFailsWith<IllegalArgumentException> {
                Protocol(
                    warmupRuns = case["warmup_runs"].orNull?.int ?: 10,
                    runs = case["runs"].orNull?.int ?: 200,
                    blocks = case["blocks"].orNull?.int ?: 10,
                    maxCv = case["max_cv"].orNull?.double ?: 0.1,
                )
            }
            assertEquals(case["message"].string, error.message)
        }
    }

    @Test
    fun `candidates take turns`() {
        for (case in Vectors.cases("protocol", "schedule")) {
            assertEquals(case["order"].strings, schedule(case["names"].strings, case["blocks"].int))
        }
    }

    @Test
    fun `a measurement runs the same candidates and notes the same samples`() {
        for (case in Vectors.cases("protocol", "measurements")) {
            val toy = ToyClock(case["durations_ns"])
            val steps = ArrayList<Pair<Int, Int>>()
            val measured = Measuring(toy.candidates, case["protocol"].protocol, { toy.now }) { done, total ->
                steps += done to total
            }.run()
            assertEquals(case["order"].strings, toy.order)
            assertEquals(steps.last().first, steps.last().second)
            for (name in case["measured"].keys) {
                val (expected, found) = case["measured"][name] to measured.getValue(name)
                assertEquals(expected["warmup_runs"].int, found.warmupRuns)
                assertEquals(expected["samples_ms"].doubles, found.samplesMs)
                assertEquals(expected["sustained_ms"].doubles, found.sustainedMs)
                val latency = Latency.of(found.samplesMs)
                assertEquals(expected["unsteady"].strings, unsteadiness(latency, case["protocol"].protocol))
            }
        }
    }

    @Test
    fun `nothing to measure is refused`() {
        assertFailsWith<IllegalArgumentException> { Measuring(emptyMap(), Protocol()) }
    }
}

/** A clock that goes on only while a candidate runs, by its durations in turn. */
private class ToyClock(durations: Json) {
    var now = 0L
        private set
    val order = ArrayList<String>()
    val candidates: Map<String, () -> Unit> = durations.keys.associateWith { name ->
        val own = durations[name].list.map { it.long }
        fun() {
            now += own[order.count { it == name } % own.size]
            order += name
        }
    }
}
