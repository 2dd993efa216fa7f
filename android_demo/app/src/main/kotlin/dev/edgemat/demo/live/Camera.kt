package dev.edgemat.demo.live

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread

/**
 * One camera, from opening to closing: a stream of small pictures to mat, and photos on demand.
 * Everything is called on the camera's own thread.
 *
 * @param onFrame receives YUV_420_888 pictures; those that come while it works are left out
 * @param onPhoto receives a JPEG file's bytes
 * @param onError the camera cannot be used, or was taken away
 */
class Camera(
    context: Context,
    private val lens: Lens,
    private val onFrame: (Image) -> Unit,
    private val onPhoto: (ByteArray) -> Unit,
    private val onError: (String) -> Unit,
) : AutoCloseable {
    private val manager = context.getSystemService(CameraManager::class.java)
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private val frames = reader(lens.frameSize, ImageFormat.YUV_420_888)
    private val photos = reader(lens.photoSize, ImageFormat.JPEG)
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var isOpening = false
    private var isClosed = false

    /** Opens the camera; the permission must have been given. */
    @SuppressLint("MissingPermission")
    fun open() = handler.post {
        frames.setOnImageAvailableListener({ it.acquireLatestImage()?.use(onFrame) }, handler)
        photos.setOnImageAvailableListener({ it.acquireNextImage()?.use(::deliver) }, handler)
        isOpening = attempt { manager.openCamera(lens.id, Opened(), handler) }
    }

    /** @param rotation clockwise degrees by which the photo is to be turned */
    fun shoot(rotation: Int) = handler.post {
        attempt {
            val session = session ?: return@attempt
            val request = session.device.createCaptureRequest(CameraDevice.TEMPLATE_STILL_CAPTURE)
            request.addTarget(photos.surface)
            request.set(CaptureRequest.JPEG_ORIENTATION, rotation)
            session.capture(request.build(), null, handler)
        }
    }

    override fun close() {
        handler.post {
            isClosed = true
            if (!isOpening) release() // else when the answer comes, which is to close the camera
        }
    }

    private fun release() {
        session = null
        device?.close()
        frames.close()
        photos.close()
        thread.quitSafely()
    }

    private fun deliver(jpeg: Image) {
        val buffer = jpeg.planes.single().buffer
        onPhoto(ByteArray(buffer.remaining()).also { buffer.get(it) })
    }

    // SessionConfiguration, which replaces this call, came after Android 8.
    @Suppress("DEPRECATION")
    private fun start(camera: CameraDevice) {
        val surfaces = listOf(frames.surface, photos.surface)
        attempt { camera.createCaptureSession(surfaces, Configured(), handler) }
    }

    private fun stream(session: CameraCaptureSession) {
        attempt {
            val request = session.device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
            request.addTarget(frames.surface)
            session.setRepeatingRequest(request.build(), null, handler)
        }
    }

    /** Camera calls throw whenever the camera has gone meanwhile; returns whether it was there. */
    private fun attempt(call: () -> Unit): Boolean = try {
        call()
        true
    } catch (error: Exception) {
        onError(error.localizedMessage ?: error.javaClass.simpleName)
        false
    }

    private inner class Opened : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            isOpening = false
            device = camera
            if (isClosed) release() else start(camera)
        }

        override fun onDisconnected(camera: CameraDevice) = end(camera)

        override fun onError(camera: CameraDevice, error: Int) {
            end(camera)
            onError("camera error $error")
        }

        private fun end(camera: CameraDevice) {
            isOpening = false
            device = null
            session = null
            camera.close()
            if (isClosed) release()
        }
    }

    private inner class Configured : CameraCaptureSession.StateCallback() {
        override fun onConfigured(configured: CameraCaptureSession) {
            if (isClosed) return
            session = configured
            stream(configured)
        }

        override fun onConfigureFailed(failed: CameraCaptureSession) = onError("no capture session")
    }

    private companion object {
        const val IMAGES = 2 // one that is worked on, and one that comes

        fun reader(size: android.util.Size, format: Int): ImageReader =
            ImageReader.newInstance(size.width, size.height, format, IMAGES)
    }
}
