package dev.edgemat.core.matting

import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized
import kotlin.math.abs

/**
 * An exponential mean of a camera's mattes, pixel by pixel, begun anew at every cut.
 *
 * @property share what stays of the matte before, 0 to below 1
 */
class Smoother(private val share: Float) {
    private var before: AlphaMatte? = null
    private var glance: RgbImage? = null

    init {
        require(share >= 0 && share < 1) { "a smoothing of $share is impossible" }
    }

    /** The smoothed matte of the next picture. */
    fun smooth(image: RgbImage, alpha: AlphaMatte): AlphaMatte {
        val seen = image.resized(GLANCE, Filter.AREA)
        val last = before?.takeIf { it.size == alpha.size && !isCut(seen) }
        val result = if (last == null) {
            alpha
        } else {
            AlphaMatte(alpha.size, 1, FloatArray(alpha.values.size) {
                share * last.values[it] + (1 - share) * alpha.values[it]
            })
        }
        before = result
        glance = seen
        return result
    }

    private fun isCut(seen: RgbImage): Boolean {
        val last = glance ?: return true
        val sum = seen.bytes.indices.sumOf { abs(seen[it] - last[it]) }
        return sum > CUT * WHITE * seen.bytes.size
    }

    private companion object {
        /** Pictures are compared at this size: small motions do not show there. */
        val GLANCE = Size(18, 32)

        /** Mean difference of colours that is a cut; a person who moves makes a tenth of it. */
        const val CUT = 0.12
        const val WHITE = 255
    }
}
