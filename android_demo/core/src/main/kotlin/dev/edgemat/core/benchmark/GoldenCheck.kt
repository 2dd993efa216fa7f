package dev.edgemat.core.benchmark

import kotlin.math.abs

/** Of the mean absolute difference of a matte: the bound that `edgemat verify` sets for int8. */
const val GOLDEN_LIMIT = 0.005

/** The device's matte against the expected one, computed in the same run. */
data class GoldenCheck(val maxAbs: Double, val meanAbs: Double, val limit: Double = GOLDEN_LIMIT) {
    val passed: Boolean get() = meanAbs <= limit

    companion object {
        /** @throws IllegalArgumentException where the matte is of another size, or not finite */
        fun of(expected: FloatArray, found: FloatArray): GoldenCheck {
            require(found.size == expected.size && found.all(Float::isFinite)) {
                "The device's matte has ${found.size} values, some perhaps not finite; expected " +
                    "are ${expected.size}."
            }
            val differences = expected.indices.map { abs(found[it] - expected[it]).toDouble() }
            return GoldenCheck(differences.max(), differences.average())
        }
    }
}
