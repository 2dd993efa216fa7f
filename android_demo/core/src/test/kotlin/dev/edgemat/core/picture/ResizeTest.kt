package dev.edgemat.core.picture

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.floatRaster
import dev.edgemat.core.floats
import dev.edgemat.core.ints
import dev.edgemat.core.json.Json
import dev.edgemat.core.size
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertNotSame

class ResizeTest {
    @Test
    fun `pictures are resized as Python resizes them`() {
        for (case in Vectors.cases("resize", "whole")) {
            val filter = Filter.valueOf(case["method"].string.uppercase())
            val size = case["size"].size
            if (case["input"].isBytes) {
                val found = case["input"].byteRaster.resized(size, filter)
                assertClose(case["output"].byteRaster, found, tolerance = 0)
            } else {
                val found = case["input"].floatRaster.resized(size, filter)
                assertClose(case["output"].floats, found.values)
            }
        }
    }

    @Test
    fun `some rows are the same as those of the whole`() {
        for (case in Vectors.cases("resize", "rows")) {
            val (start, stop) = case["rows"].ints
            val size = case["size"].size
            if (case["input"].isBytes) {
                val found = case["input"].byteRaster.resizedRows(start until stop, size)
                assertClose(case["output"].byteRaster, found)
            } else {
                val found = case["input"].floatRaster.resizedRows(start until stop, size)
                assertClose(case["output"].floats, found.values)
            }
        }
    }

    @Test
    fun `the same size is a copy`() {
        val image = ByteRaster(Size(1, 2), 1, byteArrayOf(1, 2))
        val copy = image.resized(image.size, Filter.BICUBIC)
        assertContentEquals(image.bytes, copy.bytes)
        assertNotSame(image.bytes, copy.bytes)
    }

    private val Json.isBytes: Boolean
        get() = this["values"].list.all { runCatching { it.long }.isSuccess }
}
