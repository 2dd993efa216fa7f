package dev.edgemat.core.compositing

import dev.edgemat.core.Vectors
import dev.edgemat.core.alphaBytes
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.json.Json
import kotlin.test.Test
import kotlin.test.assertFailsWith

class CompositingTest {
    private val cases = Vectors.cases("foreground", "cut_out")

    @Test
    fun `transparent pictures have the foreground's own colours`() {
        for (case in cases) assertClose(case["rgba"].byteRaster, case.cutOut.transparent())
    }

    @Test
    fun `backgrounds are cropped, resized and mixed`() {
        for (case in cases) {
            for (one in case["replaced"].list) {
                val backdrop = Backdrop.Picture(one["background"].byteRaster)
                assertClose(one["output"].byteRaster, case.cutOut.before(backdrop))
            }
        }
    }

    @Test
    fun `one colour is a background of that colour`() {
        val case = cases.first()
        val plain = case["replaced"].list.last() // 70, 120, 90 everywhere
        val found = case.cutOut.before(Backdrop.Colour(0xff46785a.toInt()))
        assertClose(plain["output"].byteRaster, found)
    }

    @Test
    fun `the background is blurred without the foreground's colours`() {
        for (case in cases) {
            for (one in case["blurred"].list) {
                assertClose(one["output"].byteRaster, case.cutOut.blurred(one["radius"].double))
            }
        }
    }

    @Test
    fun `an impossible blur is refused`() {
        for (radius in listOf(0.0, -1.0, MAX_BLUR + 1, Double.NaN)) {
            assertFailsWith<IllegalArgumentException> { cases.first().cutOut.blurred(radius) }
        }
    }

    private val Json.cutOut get() = CutOut(this["image"].byteRaster, this["alpha_bytes"].alphaBytes)
}
