package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.alphaBytes
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.floatRaster
import dev.edgemat.core.floats
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class RefinementTest {
    @Test
    fun `what a matte leaves open is what Python finds open`() {
        for (case in Vectors.cases("refine", "trimap")) {
            val alpha = case["alpha_bytes"].alphaBytes
            val reach = case["reach"].orNull?.int
            val found = if (reach == null) trimapOfMatte(alpha) else trimapOfMatte(alpha, reach)
            assertClose(case["output"].byteRaster, found, tolerance = 0)
        }
    }

    @Test
    fun `only the band of a coarse matte is looked at again`() {
        val coarse = AlphaMatte(Size(20, 20)).apply {
            for (pixel in values.indices) values[pixel] = if (pixel % 20 < 10) 1f else 0f
        }
        val found = Halves.refine(RgbImage(Size(40, 40), RGB), coarse)
        val row = found.values.copyOf(40)
        assertEquals(listOf(1f, 0.5f, 0f), row.distinct())
        assertTrue(row.count { it == 0.5f } in 2..6)
    }

    @Test
    fun `mattes of a video are steadied as Python steadies them`() {
        val smoother = Smoother(Vectors.share)
        for (frame in Vectors.cases("smoothing", "frames")) {
            val found = smoother.smooth(frame["image"].byteRaster, frame["alpha"].floatRaster)
            assertClose(frame["output"].floats, found.values)
        }
    }

    @Test
    fun `a smoothing that keeps all of the past is refused`() {
        assertFailsWith<IllegalArgumentException> { Smoother(1f) }
    }
}

private val Vectors.share: Float get() = cases("smoothing", "share").single().double.toFloat()

/** A trimap model that says one half. */
private object Halves : Network {
    override val feeding = feedingOf(Size(32, 32), channels = 4)

    override fun alpha(input: FloatArray) = FloatArray(feeding.size.pixels) { 0.5f }
}
