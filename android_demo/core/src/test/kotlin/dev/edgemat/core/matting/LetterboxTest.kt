package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.floats
import dev.edgemat.core.size
import kotlin.test.Test
import kotlin.test.assertEquals

class LetterboxTest {
    @Test
    fun `pictures lie in the frame where Python puts them`() {
        for (case in Vectors.cases("letterbox", "fit")) {
            val box = Letterbox.fit(case["picture"].size, case["frame"].size)
            assertEquals(case["height"].int, box.size.height)
            assertEquals(case["width"].int, box.size.width)
            assertEquals(case["top"].int, box.top)
            assertEquals(case["left"].int, box.left)
            assertEquals(case["enlarges"].boolean, box.enlarges)
        }
    }

    @Test
    fun `the input is scaled, and its edge repeated`() {
        for (case in Vectors.cases("input", "portrait")) {
            val image = case["image"].byteRaster
            val box = Letterbox.fit(image.size, case["frame"].size)
            val input = box.fill(box.scale(image), feedingOf(box.frame, channels = 3))
            assertClose(case["input"].floats, input)
        }
    }

    @Test
    fun `crop takes out what fill put in`() {
        val case = Vectors.cases("input", "portrait").first()
        val box = Letterbox.fit(case["image"].byteRaster.size, case["frame"].size)
        val columns = FloatArray(box.frame.pixels) { (it % box.frame.width).toFloat() }
        val cropped = box.crop(columns)
        assertEquals(box.left.toFloat(), cropped.values.first())
        assertEquals((box.left + box.size.width - 1).toFloat(), cropped.values.last())
    }
}
