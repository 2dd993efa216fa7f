package dev.edgemat.core

import dev.edgemat.core.json.Json
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.ByteRaster
import dev.edgemat.core.picture.FloatRaster
import dev.edgemat.core.picture.Size
import java.io.File
import kotlin.math.abs
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What Python computed: tests/vectors, written by `python -m tools.vectors`. */
internal object Vectors {
    private val folder = File(System.getProperty("edgemat.vectors") ?: "../../tests/vectors")

    /** The cases of one subject; never none, so that a test cannot pass by testing nothing. */
    fun cases(file: String, subject: String): List<Json> {
        val cases = Json.parse(folder.resolve("$file.json").readText())[subject].list
        check(cases.isNotEmpty()) { "$file.json has no $subject" }
        return cases
    }
}

internal val Json.ints: List<Int> get() = list.map { it.int }
internal val Json.doubles: List<Double> get() = list.map { it.double }
internal val Json.strings: List<String> get() = list.map { it.string }

/** A list of height and width. */
internal val Json.size: Size get() = ints.let { (height, width) -> Size(height, width) }

internal val Json.shape: List<Int> get() = this["shape"].ints

/** An array of height, width and perhaps channels, of whole numbers 0..255. */
internal val Json.byteRaster: ByteRaster
    get() {
        val values = this["values"].ints
        return ByteRaster(rasterSize, rasterChannels, ByteArray(values.size) { values[it].toByte() })
    }

internal val Json.floatRaster: FloatRaster get() = FloatRaster(rasterSize, rasterChannels, floats)

internal val Json.floats: FloatArray
    get() = this["values"].doubles.let { FloatArray(it.size) { n -> it[n].toFloat() } }

/** A matte that is written in bytes. */
internal val Json.alphaBytes: AlphaMatte
    get() = byteRaster.let { bytes ->
        AlphaMatte(bytes.size, 1, FloatArray(bytes.size.pixels) { bytes[it] / 255f })
    }

private val Json.rasterSize: Size get() = Size(shape[0], shape[1])
private val Json.rasterChannels: Int get() = shape.getOrElse(2) { 1 }

/** Bytes agree within one step of 1/255. */
internal fun assertClose(expected: ByteRaster, found: ByteRaster, tolerance: Int = 1) {
    assertEquals(expected.size, found.size)
    assertEquals(expected.channels, found.channels)
    val worst = expected.bytes.indices.maxOf { abs(expected[it] - found[it]) }
    val place = expected.bytes.indices.first { abs(expected[it] - found[it]) == worst }
    assertTrue(worst <= tolerance, "byte $place of ${expected.size} differs by $worst")
}

/** Floats agree within the vectors' five decimals, unless told otherwise. */
internal fun assertClose(expected: FloatArray, found: FloatArray, tolerance: Float = 2e-5f) {
    assertEquals(expected.size, found.size)
    val worst = expected.indices.maxOf { abs(expected[it] - found[it]) }
    assertTrue(worst <= tolerance, "values differ by $worst")
}
