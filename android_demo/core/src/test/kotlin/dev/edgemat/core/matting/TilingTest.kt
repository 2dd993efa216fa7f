package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.floats
import dev.edgemat.core.ints
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class TilingTest {
    @Test
    fun `tiles begin where Python's do, with the same weights`() {
        for (case in Vectors.cases("tiling", "axis")) {
            val spans = tileAxis(case["length"].int, case["size"].int)
            assertEquals(case["starts"].ints, spans.map { it.start })
            case["weights"].orNull?.let { weights ->
                assertClose(weights.floats, spans.flatMap { it.weights.asList() }.toFloatArray())
            }
        }
    }

    @Test
    fun `weights over a pixel add up to one`() {
        val total = FloatArray(1000)
        for (span in tileAxis(1000, 320)) {
            span.range.forEachIndexed { n, pixel -> total[pixel] += span.weights[n] }
        }
        assertClose(FloatArray(1000) { 1f }, total, tolerance = 1e-6f)
    }

    @Test
    fun `a tile larger than the picture is refused`() {
        assertFailsWith<IllegalArgumentException> { tileAxis(10, 11) }
    }
}
