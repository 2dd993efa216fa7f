package dev.edgemat.core.picture

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class OrientationTest {
    @Test
    fun `all eight orientations are turned upright`() {
        val cases = Vectors.cases("orientation", "upright")
        assertEquals(Orientation.entries.map { it.exif }, cases.map { it["exif"].int })
        for (case in cases) {
            val stored = Orientation.ofExif(case["exif"].int)
            val found = case["stored"].byteRaster.upright(stored)
            assertClose(case["upright"].byteRaster, found, tolerance = 0)
        }
    }

    @Test
    fun `a number that EXIF does not know means upright`() {
        assertEquals(Orientation.UP, Orientation.ofExif(0))
    }

    @Test
    fun `a camera's quarter turn and mirror become one orientation`() {
        assertEquals(Orientation.RIGHT, Orientation.ofRotation(90))
        assertEquals(Orientation.LEFT, Orientation.ofRotation(-90))
        assertFailsWith<IllegalArgumentException> { Orientation.ofRotation(45) }
        val stored = ByteRaster(Size(2, 3), 1, byteArrayOf(0, 1, 2, 3, 4, 5))
        for (degrees in 0 until 360 step 90) {
            val turned = stored.upright(Orientation.ofRotation(degrees))
            val mirrored = stored.upright(Orientation.ofRotation(degrees, mirrored = true))
            assertClose(turned.upright(Orientation.UP_MIRRORED), mirrored, tolerance = 0)
        }
    }
}
