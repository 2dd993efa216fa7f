package dev.edgemat.core.picture

/**
 * How a stored picture is to be turned so that it is upright.
 *
 * @property exif the number in EXIF's tag 274
 */
enum class Orientation(val exif: Int) {
    UP(1),
    UP_MIRRORED(2),
    DOWN(3),
    DOWN_MIRRORED(4),
    LEFT_MIRRORED(5),
    RIGHT(6),
    RIGHT_MIRRORED(7),
    LEFT(8), ;

    /** Whether height and width change places. */
    val swapsSides: Boolean get() = exif >= LEFT_MIRRORED.exif

    companion object {
        /** The orientation of an EXIF number; one that EXIF does not know means upright. */
        fun ofExif(number: Int): Orientation = entries.find { it.exif == number } ?: UP

        /** The orientation of a picture that is to be turned clockwise, as cameras tell it. */
        fun ofRotation(degrees: Int, mirrored: Boolean = false): Orientation =
            when (degrees.mod(360)) {
                0 -> if (mirrored) UP_MIRRORED else UP
                90 -> if (mirrored) LEFT_MIRRORED else RIGHT
                180 -> if (mirrored) DOWN_MIRRORED else DOWN
                270 -> if (mirrored) RIGHT_MIRRORED else LEFT
                else -> throw IllegalArgumentException("$degrees degrees are no quarter turn")
            }
    }
}

/** The picture turned upright, given how it was stored. */
fun ByteRaster.upright(stored: Orientation): ByteRaster {
    if (stored == Orientation.UP) return this
    val turned = if (stored.swapsSides) Size(width, height) else size
    val result = ByteRaster(turned, channels)
    val bottom = height - 1
    val right = width - 1
    var place = 0
    for (row in 0 until turned.height) {
        for (column in 0 until turned.width) {
            val from = when (stored) {
                Orientation.UP -> row * width + column
                Orientation.UP_MIRRORED -> row * width + right - column
                Orientation.DOWN -> (bottom - row) * width + right - column
                Orientation.DOWN_MIRRORED -> (bottom - row) * width + column
                Orientation.LEFT_MIRRORED -> column * width + row
                Orientation.RIGHT -> (bottom - column) * width + row
                Orientation.RIGHT_MIRRORED -> (bottom - column) * width + right - row
                Orientation.LEFT -> column * width + right - row
            }
            bytes.copyInto(result.bytes, place, from * channels, (from + 1) * channels)
            place += channels
        }
    }
    return result
}
