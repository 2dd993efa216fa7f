package dev.edgemat.core.matting

import dev.edgemat.core.Vectors
import dev.edgemat.core.assertClose
import dev.edgemat.core.byteRaster
import dev.edgemat.core.floatRaster
import dev.edgemat.core.floats
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.resized
import kotlin.test.Test

class GuidedFilterTest {
    @Test
    fun `a small alpha follows the picture's edges`() {
        for (case in Vectors.cases("guided", "upsample")) {
            val (image, alpha) = case["image"].byteRaster to case["alpha"].floatRaster
            val small = image.resized(alpha.size, Filter.BILINEAR)
            assertClose(case["coefficients"].floats, guidedCoefficients(small, alpha).values, 1e-3f)
            assertClose(case["output"].floats, guidedUpsample(alpha, small, image).values, 1e-4f)
        }
    }
}
