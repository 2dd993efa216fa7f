package dev.edgemat.core.compositing

import dev.edgemat.core.assertClose
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RGBA
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import kotlin.test.Test
import kotlin.test.assertEquals

class EffectTest {
    private val size = Size(20, 40)
    private val image = RgbImage(size, RGB, ByteArray(size.pixels * RGB) { (it * 7).toByte() })
    private val opaque = CutOut(image, AlphaMatte(size, 1, FloatArray(size.pixels) { 1f }))

    @Test
    fun `an opaque foreground stays as it is before anything`() {
        assertEquals(RGBA, opaque.render(Effect.Transparent).channels)
        assertClose(image, opaque.render(Effect.Replace(Backdrop.Colour(0))))
        assertClose(image, opaque.render(Effect.Blur(share = 0.1)))
    }

    @Test
    fun `the blur's share is of the longer side`() {
        val empty = CutOut(image, AlphaMatte(size))
        assertClose(empty.blurred(4.0), empty.render(Effect.Blur(share = 0.1)), tolerance = 0)
    }
}
