package dev.edgemat.core.benchmark

import dev.edgemat.core.Vectors
import dev.edgemat.core.doubles
import dev.edgemat.core.floats
import dev.edgemat.core.strings
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class VerdictTest {
    @Test
    fun `every reason is found, in the same words`() {
        for (case in Vectors.cases("verdict", "judged")) {
            val latency = Latency.of(case["samples_ms"].doubles)
            val found = reasonsAgainst(
                latency,
                Protocol(),
                case["delegate"].delegate,
                Circumstances(
                    isEmulated = false, device = "", soc = "", cores = 1, os = "", abi = "", runtime = "",
                    before = case["before"].condition, after = case["after"].condition,
                ),
                case["golden"].orNull?.goldenCheck,
            )
            assertEquals(case["unsteady"].strings, unsteadiness(latency, Protocol()))
            assertEquals(case["reason"].string, found.joinToString("; "))
            assertEquals(case["verdict"].string == "valid", found.isEmpty())
        }
    }

    @Test
    fun `a matte is compared with the golden one`() {
        for (case in Vectors.cases("verdict", "golden")) {
            val found = GoldenCheck.of(case["expected"].floats, case["found"].floats)
            assertEquals(case["check"]["max_abs"].double, found.maxAbs, 1e-5)
            assertEquals(case["check"]["mean_abs"].double, found.meanAbs, 1e-5)
            assertEquals(case["check"]["limit"].double, found.limit)
        }
    }

    @Test
    fun `a matte of another size or with NaN is refused`() {
        for (wrong in listOf(FloatArray(3), FloatArray(4) { Float.NaN })) {
            assertFailsWith<IllegalArgumentException> { GoldenCheck.of(FloatArray(4), wrong) }
        }
    }

    @Test
    fun `figures are Python's, halves to the even neighbour`() {
        assertEquals("0.12", fixed(0.125, 2))
        assertEquals("12%", percent(0.125, 0))
        assertEquals("-3.4%", percent(-0.0336, 1))
        assertEquals("0", significant(0.0, 6))
        assertEquals("0.005", significant(0.005, 6))
        assertEquals("3.1e-05", significant(3.1415e-5, 2))
        assertEquals("1e+02", significant(100.0, 2))
        assertEquals("0.31", significant(0.31415, 2))
    }
}
