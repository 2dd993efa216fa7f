package dev.edgemat.demo.live

import android.graphics.Bitmap
import android.media.Image
import dev.edgemat.core.compositing.composite
import dev.edgemat.core.compositing.solid
import dev.edgemat.core.matting.Smoother
import dev.edgemat.core.matting.matte
import dev.edgemat.core.picture.CameraPlane
import dev.edgemat.core.picture.Orientation
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.readYuv420
import dev.edgemat.core.picture.upright
import dev.edgemat.demo.model.LiteRtNetwork
import dev.edgemat.demo.photo.toBitmap

/** From a camera's picture to one that can be shown: upright, before one colour. */
class FrameMatting(private val network: LiteRtNetwork, colour: Int) {
    private val background = solid(colour)
    private val smoother = Smoother(STEADINESS)
    private var lastNs = 0L

    /** Pictures a second, smoothed. */
    var rate = 0.0
        private set

    /** Milliseconds that the model took for the last picture. */
    val modelMs: Double get() = network.lastRunMs

    /**
     * Colours at the edge are the photograph's own: estimating the foreground's takes longer than
     * a live picture lasts.
     */
    fun show(frame: Image, stored: Orientation): Bitmap {
        val image = readYuv420(
            Size(frame.height, frame.width),
            frame.plane(0),
            frame.plane(1),
            frame.plane(2),
        ).upright(stored)
        val alpha = smoother.smooth(image, network.matte(image))
        val shown = composite(image, background, alpha).toBitmap()
        count()
        return shown
    }

    private fun Image.plane(n: Int) =
        planes[n].run { CameraPlane(buffer, rowStride, pixelStride) }

    private fun count() {
        val now = System.nanoTime()
        if (lastNs > 0) {
            val current = 1e9 / (now - lastNs)
            rate = if (rate == 0.0) current else rate + SMOOTHING * (current - rate)
        }
        lastNs = now
    }

    private companion object {
        const val SMOOTHING = 0.1

        /** Share of a matte that is the one before's. */
        const val STEADINESS = 0.3f
    }
}
