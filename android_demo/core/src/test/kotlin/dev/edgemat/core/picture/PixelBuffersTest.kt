package dev.edgemat.core.picture

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.ints
import dev.edgemat.core.byteRaster
import dev.edgemat.core.json.Json
import java.nio.ByteBuffer
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class PixelBuffersTest {
    @Test
    fun `padding at the end of rows is left out`() {
        for (case in Vectors.cases("buffers", "packed")) {
            val order = ChannelOrder.valueOf(case["order"].string.uppercase())
            val found = readPacked(case["buffer"].buffer, case.pictureSize, case["row_stride"].int, order)
            assertClose(case["image"].byteRaster, found, tolerance = 0)
        }
    }

    @Test
    fun `a row that is too short is refused`() {
        assertFailsWith<IllegalArgumentException> { readPacked(ByteBuffer.allocate(64), Size(2, 5), 16) }
    }

    @Test
    fun `a camera's planes become colours`() {
        for (case in Vectors.cases("buffers", "yuv420")) {
            val (row, pixel) = case["chroma_row_stride"].int to case["chroma_pixel_stride"].int
            val found = readYuv420(
                case.pictureSize,
                CameraPlane(case["luma"].buffer, case["luma_row_stride"].int, pixelStride = 1),
                CameraPlane(case["blue"].buffer, row, pixel),
                CameraPlane(case["red"].buffer, row, pixel),
            )
            assertClose(case["image"].byteRaster, found)
        }
    }

    @Test
    fun `packed integers come back as they went`() {
        val image = RgbImage(Size(1, 2), RGB, byteArrayOf(1, 2, 3, -1, -2, -3))
        val argb = image.toArgb()
        assertEquals(0xff010203.toInt(), argb[0])
        assertContentEquals(image.bytes, rgbOfArgb(argb, image.size).bytes)
        val transparent = RgbaImage(Size(1, 1), RGBA, byteArrayOf(1, 2, 3, 4))
        assertEquals(0x04010203, transparent.toArgb()[0])
    }

    private val Json.pictureSize: Size get() = Size(this["height"].int, this["width"].int)

    private val Json.buffer: ByteBuffer
        get() = this["values"].ints.let { ByteBuffer.wrap(ByteArray(it.size) { n -> it[n].toByte() }) }
}
