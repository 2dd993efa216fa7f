package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.floats
import dev.edgemat.core.json.Json
import kotlin.test.Test
import kotlin.test.assertEquals

class InputTensorTest {
    private val case: Json = Vectors.cases("input", "trimap").single()
    private val size = case["image"].byteRaster.size

    @Test
    fun `the trimap is the fourth channel`() {
        assertClose(case["input"].floats, fill(feedingOf(size, channels = 4)))
    }

    @Test
    fun `planes of channels hold the same values`() {
        val nhwc = fill(feedingOf(size, channels = 4))
        val nchw = fill(feedingOf(size, channels = 4).copy(layout = Layout.NCHW))
        for (pixel in 0 until size.pixels) {
            for (channel in 0 until 4) {
                assertEquals(nhwc[pixel * 4 + channel], nchw[channel * size.pixels + pixel])
            }
        }
    }

    private fun fill(feeding: Feeding): FloatArray {
        val input = InputTensor(feeding)
        input.fill(case["image"].byteRaster, 0, { it }, { it })
        input.fill(case["trimap"].byteRaster, 3, { it }, { it })
        return input.values
    }
}
