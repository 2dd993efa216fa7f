package dev.edgemat.core.matting

/** A loaded model. */
interface Network {
    val feeding: Feeding

    /**
     * Runs the model.
     *
     * @param input 1,H,W,C or 1,C,H,W values in 0..1, see [InputTensor]
     * @return alpha, H x W values in 0..1
     */
    fun alpha(input: FloatArray): FloatArray
}
