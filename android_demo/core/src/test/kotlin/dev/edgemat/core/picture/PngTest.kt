package dev.edgemat.core.picture

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import javax.imageio.ImageIO
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertFailsWith

class PngTest {
    @Test
    fun `another reader finds the same colours, also below alpha 0`() {
        for (channels in listOf(RGB, RGBA)) {
            val size = Size(5, 7)
            val image = ByteRaster(size, channels, ByteArray(size.pixels * channels) { (it * 37).toByte() })
            val stream = ByteArrayOutputStream().also(image::writePng)
            val read = ImageIO.read(ByteArrayInputStream(stream.toByteArray()))
            val found = read.getRGB(0, 0, size.width, size.height, null, 0, size.width)
            assertContentEquals(image.toArgb(), found)
        }
    }

    @Test
    fun `a trimap is no picture`() {
        assertFailsWith<IllegalArgumentException> {
            ByteRaster(Size(1, 1), 1).writePng(ByteArrayOutputStream())
        }
    }
}
