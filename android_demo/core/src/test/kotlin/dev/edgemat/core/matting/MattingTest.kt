package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.doubles
import dev.edgemat.core.floats
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.size
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class MattingTest {
    @Test
    fun `photographs of any size are matted as Python mats them`() {
        for (case in Vectors.cases("matte", "matte")) {
            val mixture = case["mixture"].doubles.map { it.toFloat() }
            val size = Size(case["height"].int, case["width"].int)
            val network = Mixer(feedingOf(size, mixture.size), mixture)
            val found = network.matte(case["image"].byteRaster, case["trimap"].orNull?.byteRaster)
            assertClose(case["alpha"].floats, found.values, tolerance = 2e-4f)
        }
    }

    @Test
    fun `an imported network is fed as its manifest says`() {
        for (case in Vectors.cases("matte", "fed")) {
            val mixture = case["mixture"].doubles.map { it.toFloat() }
            val fit = Fit.valueOf(case["fit"].string.uppercase())
            val size = Size(case["height"].int, case["width"].int)
            val network = Mixer(feedingOf(size, mixture.size).copy(fit = fit), mixture)
            val trimap = case["trimap"].orNull?.byteRaster
            val found = network.matteAsFed(case["image"].byteRaster, trimap)
            assertClose(case["alpha"].floats, found.values)
        }
    }

    @Test
    fun `a layout of planes gives the same matte`() {
        val case = Vectors.cases("matte", "matte").first { it["trimap"].orNull != null }
        val mixture = case["mixture"].doubles.map { it.toFloat() }
        val feeding = feedingOf(Size(16, 16), mixture.size).copy(layout = Layout.NCHW)
        val found = Mixer(feeding, mixture).matte(case["image"].byteRaster, case["trimap"].byteRaster)
        assertClose(case["alpha"].floats, found.values, tolerance = 2e-4f)
    }

    @Test
    fun `where all is known the model is not run`() {
        val image = RgbImage(Size(32, 32), RGB)
        val trimap = Trimap(Size(32, 32), 1).apply { this[5] = FOREGROUND }
        val found = Mixer(feedingOf(Size(16, 16), 4), emptyList()).matte(image, trimap)
        assertEquals(1f, found.values.sum())
        assertEquals(1f, found.values[5])
    }

    @Test
    fun `progress counts the tiles that are run`() {
        val image = RgbImage(Size(40, 40), RGB)
        val trimap = Trimap(Size(40, 40), 1).apply { this[0] = UNKNOWN }
        val seen = ArrayList<Pair<Int, Int>>()
        Mixer(feedingOf(Size(32, 32), 4), listOf(0f, 0f, 0f, 1f))
            .matte(image, trimap) { done, total -> seen += done to total }
        assertEquals(listOf(1 to 1), seen)
    }

    @Test
    fun `pictures of the same sides are matted as in Python`() {
        for (case in Vectors.cases("matte", "sides")) {
            val image = RgbImage(case["size"].size, 1)
            val network = Mixer(feedingOf(Size(16, 16), 4), emptyList())
            val known = Trimap(Size(case["size"].size.height, case["size"].size.width), 1)
            val matted = runCatching { network.matte(image, known) }
            assertEquals(case["accepted"].boolean, matted.isSuccess, "${image.size}")
        }
    }

    @Test
    fun `a trimap model without a trimap says so`() {
        val network = Mixer(feedingOf(Size(16, 16), 4), emptyList())
        assertFailsWith<MattingException> { network.matte(RgbImage(Size(32, 32), RGB)) }
    }
}

/** Stands for a network: alpha is a mixture of the input's channels. */
private class Mixer(override val feeding: Feeding, private val mixture: List<Float>) : Network {
    override fun alpha(input: FloatArray) = FloatArray(feeding.size.pixels) { pixel ->
        var sum = 0f
        for ((channel, share) in mixture.withIndex()) {
            sum += share * when (feeding.layout) {
                Layout.NHWC -> input[pixel * feeding.channels + channel]
                Layout.NCHW -> input[channel * feeding.size.pixels + pixel]
            }
        }
        sum
    }
}

internal fun feedingOf(size: Size, channels: Int) = Feeding(
    layout = Layout.NHWC,
    height = size.height,
    width = size.width,
    channels = channels,
    scale = 1f / 255,
    trimapChannel = if (channels == 4) 3 else null,
)
