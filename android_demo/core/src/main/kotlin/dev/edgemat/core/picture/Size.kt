package dev.edgemat.core.picture

/** Height and width in pixels; height first, as in the models' shapes. */
data class Size(val height: Int, val width: Int) {
    init {
        require(height >= 1 && width >= 1) { "a picture has pixels, not $height x $width" }
    }

    val pixels: Int get() = height * width

    override fun toString() = "$width x $height px"
}
