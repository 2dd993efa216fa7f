package dev.edgemat.core.benchmark

import java.math.BigDecimal
import java.math.MathContext
import java.math.RoundingMode.HALF_EVEN

// Figures as Python writes them, so that a reason reads the same wherever it was worked out.
// `String.format` rounds halves up, and follows the phone's language.

/** Python's `f"{value:.2f}"`, with [decimals]. */
internal fun fixed(value: Double, decimals: Int): String =
    BigDecimal(value).setScale(decimals, HALF_EVEN).toPlainString()

/** Python's `f"{value:.1%}"`, with [decimals]. */
internal fun percent(value: Double, decimals: Int): String = fixed(value * 100, decimals) + "%"

/** Python's `f"{value:.2g}"`, with [digits]. */
internal fun significant(value: Double, digits: Int): String {
    if (value == 0.0) return "0"
    val rounded = BigDecimal(value).round(MathContext(digits, HALF_EVEN)).stripTrailingZeros()
    val exponent = rounded.precision() - rounded.scale() - 1
    if (exponent in -4 until digits) return rounded.toPlainString()
    val mantissa = rounded.movePointLeft(exponent).toPlainString()
    val sign = if (exponent < 0) "-" else "+"
    return "${mantissa}e$sign${kotlin.math.abs(exponent).toString().padStart(2, '0')}"
}
