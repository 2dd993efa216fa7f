package dev.edgemat.core.compositing

import dev.edgemat.core.picture.ByteRaster

/** What is done with what was cut out. */
sealed interface Effect {
    /** The foreground alone, for a transparent PNG. */
    object Transparent : Effect

    class Replace(val backdrop: Backdrop) : Effect

    /** @property share the disc's radius as a share of the picture's longer side, above 0 */
    data class Blur(val share: Double) : Effect
}

/** The finished picture, of 3 or 4 channels. */
fun CutOut.render(effect: Effect): ByteRaster = when (effect) {
    Effect.Transparent -> transparent()
    is Effect.Replace -> before(effect.backdrop)
    is Effect.Blur -> {
        val side = maxOf(image.height, image.width)
        blurred((effect.share * side).coerceAtMost(MAX_BLUR))
    }
}
