package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.picture.Size
import dev.edgemat.core.size
import kotlin.test.Test
import kotlin.test.assertEquals

class TrimapTest {
    @Test
    fun `a trimap of another size or other greys is made to fit`() {
        for (case in Vectors.cases("trimap", "fit")) {
            val found = case["trimap"].byteRaster.fitTo(case["size"].size)
            assertClose(case["output"].byteRaster, found, tolerance = 0)
        }
    }

    @Test
    fun `a trimap of another shape is refused`() {
        for (case in Vectors.cases("trimap", "shape")) {
            val fitted = runCatching { Trimap(case["trimap"].size, 1).fitTo(case["picture"].size) }
            assertEquals(case["accepted"].boolean, fitted.isSuccess)
        }
    }

    @Test
    fun `a brush paints a stroke with round ends, and undo takes it back`() {
        val canvas = TrimapCanvas(Size(20, 30))
        canvas.beginStep()
        canvas.stroke(Point(8.0, 10.0), Point(20.0, 10.0), radius = 3.0, value = UNKNOWN)
        val painted = canvas.trimap
        assertEquals(UNKNOWN, painted[10 * 30 + 14])
        assertEquals(UNKNOWN, painted[7 * 30 + 14])
        assertEquals(BACKGROUND, painted[6 * 30 + 14])
        assertEquals(BACKGROUND, painted[7 * 30 + 5], "corners are round")
        canvas.undo()
        assertEquals(false, canvas.trimap.hasUnknown)
        canvas.undo()
        assertEquals(false, canvas.canUndo)
    }

    @Test
    fun `a stroke beyond the border paints what is inside`() {
        val canvas = TrimapCanvas(Size(4, 4))
        canvas.stroke(Point(-50.0, 2.0), Point(50.0, 2.0), radius = 9.0, value = FOREGROUND)
        assertEquals(true, canvas.trimap.bytes.all { it == FOREGROUND.toByte() })
        canvas.stroke(Point(90.0, 90.0), Point(90.0, 90.0), radius = 1.0, value = UNKNOWN)
        assertEquals(false, canvas.trimap.hasUnknown)
    }
}
