package dev.edgemat.demo.photo

import android.content.Context
import android.content.Intent
import android.graphics.BitmapFactory
import android.media.ExifInterface
import android.net.Uri
import dev.edgemat.core.matting.SIDES
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.Orientation
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized
import dev.edgemat.core.picture.upright
import dev.edgemat.demo.R
import dev.edgemat.demo.UserException
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import kotlin.math.roundToInt

/**
 * Longer side of a photo that is worked on. Three megapixels are more than a phone's screen shows,
 * and their floats (alpha, both layers of colours) take about 100 MB of an app's memory.
 */
const val PHOTO_SIDE = 2048

/** Asks for a picture; needs no permission, because the user names it. */
fun pickPicture(): Intent = Intent(Intent.ACTION_GET_CONTENT)
    .addCategory(Intent.CATEGORY_OPENABLE)
    .setType("image/*")

/** Asks where to save a file; needs no permission either. */
fun createDocument(mimeType: String, name: String): Intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
    .addCategory(Intent.CATEGORY_OPENABLE)
    .setType(mimeType)
    .putExtra(Intent.EXTRA_TITLE, name)

/**
 * Reads a photo, upright, its longer side at most [PHOTO_SIDE].
 *
 * @throws UserException where it is no picture, or too small
 */
fun Context.readPhoto(photo: Uri): RgbImage = try {
    val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    open(photo) { BitmapFactory.decodeStream(it, null, bounds) }
    val options = BitmapFactory.Options().apply {
        inSampleSize = sampleSize(maxOf(bounds.outWidth, bounds.outHeight))
    }
    val bitmap = open(photo) { BitmapFactory.decodeStream(it, null, options) }
        ?: throw UserException(getString(R.string.edit_unreadable))
    if (minOf(bitmap.width, bitmap.height) < SIDES.first) {
        throw UserException(getString(R.string.edit_too_small, SIDES.first))
    }
    bitmap.toRgb().also { bitmap.recycle() }.fitted().upright(orientation(photo))
} catch (error: IOException) {
    throw UserException(getString(R.string.edit_unreadable), error)
} catch (error: SecurityException) { // the permission to read it has ended
    throw UserException(getString(R.string.edit_unreadable), error)
}

/** @throws IOException where it cannot be written */
fun Context.write(target: Uri, content: (OutputStream) -> Unit) {
    val stream = contentResolver.openOutputStream(target, "wt") ?: throw IOException("$target")
    stream.buffered().use(content)
}

private fun Context.orientation(photo: Uri): Orientation = Orientation.ofExif(
    open(photo) {
        ExifInterface(it).getAttributeInt(
            ExifInterface.TAG_ORIENTATION,
            ExifInterface.ORIENTATION_NORMAL,
        )
    },
)

private fun <T> Context.open(photo: Uri, read: (InputStream) -> T): T {
    val stream = contentResolver.openInputStream(photo) ?: throw IOException("$photo")
    return stream.use(read)
}

/** The largest power of two that leaves at least [PHOTO_SIDE] of a side. */
private fun sampleSize(side: Int): Int {
    var size = 1
    while (side / (size * 2) >= PHOTO_SIDE) size *= 2
    return size
}

private fun RgbImage.fitted(): RgbImage {
    val scale = PHOTO_SIDE.toDouble() / maxOf(height, width)
    if (scale >= 1) return this
    val target = Size((height * scale).roundToInt(), (width * scale).roundToInt())
    return resized(target, Filter.AREA)
}
