package dev.edgemat.core.matting

import dev.edgemat.core.picture.Size
import kotlin.math.ceil
import kotlin.math.floor

/** A place in a picture, in pixels; pixel centres lie at half-integers. */
data class Point(val x: Double, val y: Double)

/** Pixels that were painted: all [columns] of all [rows]. */
class Area(val rows: IntRange, val columns: IntRange)

/** A trimap that is painted by finger with a round brush, step by step. */
class TrimapCanvas(start: Trimap) {
    constructor(size: Size) : this(Trimap(size, 1))

    var trimap: Trimap = start.copy()
        private set
    private val earlier = ArrayDeque<Trimap>()

    val canUndo: Boolean get() = earlier.isNotEmpty()

    /** Remembers the trimap as it is; called when a finger comes down. */
    fun beginStep() {
        earlier.addLast(trimap.copy())
        if (earlier.size > UNDO_LIMIT) earlier.removeFirst()
    }

    /** Takes back all that was painted since the last [beginStep]. */
    fun undo() {
        trimap = earlier.removeLastOrNull() ?: return
    }

    /**
     * Paints a straight piece of a stroke.
     *
     * @param radius of the brush, in pixels
     * @param value [BACKGROUND], [UNKNOWN] or [FOREGROUND]
     * @return where something may have changed
     */
    fun stroke(from: Point, to: Point, radius: Double, value: Int): Area {
        val rows = touched(from.y, to.y, radius, trimap.height)
        val columns = touched(from.x, to.x, radius, trimap.width)
        val dx = to.x - from.x
        val dy = to.y - from.y
        val squaredLength = dx * dx + dy * dy
        for (row in rows) {
            for (column in columns) {
                val x = column + 0.5 - from.x
                val y = row + 0.5 - from.y
                // the nearest point of the piece, as a share of its length
                val share = if (squaredLength > 0) (x * dx + y * dy) / squaredLength else 0.0
                val along = share.coerceIn(0.0, 1.0)
                if (square(x - along * dx) + square(y - along * dy) <= square(radius)) {
                    trimap[row * trimap.width + column] = value
                }
            }
        }
        return Area(rows, columns)
    }

    private fun touched(a: Double, b: Double, radius: Double, count: Int): IntRange {
        val first = floor(minOf(a, b) - radius).toInt().coerceAtLeast(0)
        return first until ceil(maxOf(a, b) + radius).toInt().coerceAtMost(count)
    }

    private fun square(x: Double) = x * x

    private companion object {
        const val UNDO_LIMIT = 20
    }
}
