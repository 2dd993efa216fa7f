package dev.edgemat.demo.live

import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.util.Size
import dev.edgemat.core.picture.Orientation
import dev.edgemat.demo.photo.PHOTO_SIDE

/**
 * A camera that the device has.
 *
 * @property sensorDegrees clockwise turn that makes its pictures upright on an upright device
 * @property frameSize of the live stream
 * @property photoSize of a photo
 */
class Lens(
    val id: String,
    val isFront: Boolean,
    private val sensorDegrees: Int,
    val frameSize: Size,
    val photoSize: Size,
) {
    /** Clockwise degrees that make a photo upright on a display turned by [displayDegrees]. */
    fun rotation(displayDegrees: Int): Int =
        (sensorDegrees + if (isFront) displayDegrees else -displayDegrees).mod(360)

    /** How a live picture is stored; that of a front camera is shown as in a mirror. */
    fun stored(displayDegrees: Int): Orientation =
        Orientation.ofRotation(rotation(displayDegrees), mirrored = isFront)

    companion object {
        /** Enough for 288 x 288 px and a preview, and soon matted. */
        private const val FRAME_PIXELS = 640 * 480

        /** All cameras of the device that give both kinds of pictures; a back camera first. */
        fun all(context: Context): List<Lens> = try {
            val manager = context.getSystemService(CameraManager::class.java)
            manager.cameraIdList
                .mapNotNull { id -> of(id, manager.getCameraCharacteristics(id)) }
                .sortedBy { it.isFront }
        } catch (_: CameraAccessException) {
            emptyList() // forbidden by the device's owner: as good as none
        }

        private fun of(id: String, facts: CameraCharacteristics): Lens? {
            val streams = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            val frames = streams?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
            val photos = streams?.getOutputSizes(ImageFormat.JPEG).orEmpty()
            if (frames.isEmpty() || photos.isEmpty()) return null
            return Lens(
                id = id,
                isFront = facts.get(CameraCharacteristics.LENS_FACING) ==
                    CameraCharacteristics.LENS_FACING_FRONT,
                sensorDegrees = facts.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0,
                frameSize = frames.minBy { kotlin.math.abs(it.width * it.height - FRAME_PIXELS) },
                photoSize = photos.filter { maxOf(it.width, it.height) <= PHOTO_SIDE }
                    .maxByOrNull { it.width * it.height } ?: photos.minBy { it.width * it.height },
            )
        }
    }
}
