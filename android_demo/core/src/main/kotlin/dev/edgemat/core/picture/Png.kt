package dev.edgemat.core.picture

import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.io.OutputStream
import java.util.zip.CRC32
import java.util.zip.DeflaterOutputStream

/**
 * Writes a picture of 3 or 4 channels as PNG, with the colours as they are.
 *
 * `Bitmap.compress` would not do: a bitmap holds colours multiplied by alpha, in bytes, so that
 * the faint ends of strands come back in other colours than they went.
 */
fun ByteRaster.writePng(stream: OutputStream) {
    val colourType = when (channels) {
        RGB -> 2
        RGBA -> 6
        else -> throw IllegalArgumentException("a PNG of $channels channels")
    }
    stream.write(SIGNATURE)
    stream.writeChunk("IHDR") {
        writeInt(width)
        writeInt(height)
        write(byteArrayOf(BITS, colourType.toByte(), 0, 0, 0))
    }
    stream.writeChunk("IDAT") {
        DeflaterOutputStream(this).use { rows ->
            val line = ByteArray(1 + width * channels)
            line[0] = FILTER_SUB
            for (row in 0 until height) {
                filterSub(row, line)
                rows.write(line)
            }
        }
    }
    stream.writeChunk("IEND") {}
}

private val SIGNATURE =
    byteArrayOf(0x89.toByte(), 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
private const val BITS: Byte = 8
private const val FILTER_SUB: Byte = 1

/** Each byte less the one a pixel before: what changes little packs well. */
private fun ByteRaster.filterSub(row: Int, line: ByteArray) {
    val length = width * channels
    val start = row * length
    for (i in 0 until length) {
        val before = if (i >= channels) bytes[start + i - channels].toInt() else 0
        line[1 + i] = (bytes[start + i] - before).toByte()
    }
}

private fun OutputStream.writeChunk(type: String, content: DataOutputStream.() -> Unit) {
    val bytes = ByteArrayOutputStream()
    DataOutputStream(bytes).run {
        writeBytes(type)
        content()
        flush()
    }
    val chunk = bytes.toByteArray()
    DataOutputStream(this).run {
        writeInt(chunk.size - type.length)
        write(chunk)
        writeInt(CRC32().apply { update(chunk) }.value.toInt())
        flush()
    }
}
