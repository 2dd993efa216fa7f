package dev.edgemat.demo.live

import android.Manifest.permission.CAMERA
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.graphics.Bitmap
import android.media.Image
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.view.Surface
import android.view.View
import android.view.WindowManager
import android.widget.ImageView
import android.widget.TextView
import dev.edgemat.demo.R
import dev.edgemat.demo.Work
import dev.edgemat.demo.edit.EditActivity
import dev.edgemat.demo.model.LiteRtNetwork
import dev.edgemat.demo.model.Models
import dev.edgemat.demo.text
import dev.edgemat.demo.view
import java.io.File

/** The camera's picture with another background, and the shutter. */
class LiveActivity : Activity() {
    private val work = Work()
    private var lenses: List<Lens> = emptyList()
    private var lens = 0
    private var camera: Camera? = null

    /** Held by the camera's thread for as long as it mats, so that no network ends meanwhile. */
    private val lock = Any()
    private var network: LiteRtNetwork? = null
    private var matting: FrameMatting? = null
    private var hasAsked = false

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.live)
        window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        hasAsked = savedInstanceState?.getBoolean(HAS_ASKED) ?: false
        lens = savedInstanceState?.getInt(LENS) ?: 0
        view<View>(R.id.live_switch).setOnClickListener { switch() }
        view<View>(R.id.live_shutter).setOnClickListener {
            camera?.shoot(currentLens.rotation(displayDegrees))
        }
        view<View>(R.id.live_settings).setOnClickListener { openSettings() }
        work.start({ openNetwork() }) { opened -> opened.onFailure { say(it.text) } }
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putBoolean(HAS_ASKED, hasAsked)
        state.putInt(LENS, lens)
    }

    override fun onResume() {
        super.onResume()
        when {
            checkSelfPermission(CAMERA) == PERMISSION_GRANTED -> openCamera()
            hasAsked -> refused()
            else -> {
                hasAsked = true
                requestPermissions(arrayOf(CAMERA), 0) // onResume comes again with the answer
            }
        }
    }

    override fun onPause() {
        closeCamera()
        super.onPause()
    }

    override fun onDestroy() {
        work.close {
            synchronized(lock) {
                matting = null
                network?.close()
            }
        }
        super.onDestroy()
    }

    private fun openNetwork() {
        val opened = Models(this).open("portrait")
        synchronized(lock) {
            network = opened
            matting = FrameMatting(opened, getColor(R.color.studio))
        }
    }

    private fun openCamera() {
        view<View>(R.id.live_settings).visibility = View.GONE
        lenses = Lens.all(this)
        view<View>(R.id.live_controls).visibility =
            if (lenses.isEmpty()) View.GONE else View.VISIBLE
        view<View>(R.id.live_switch).isEnabled = lenses.size > 1
        if (lenses.isEmpty()) return say(getString(R.string.live_no_camera))
        camera = Camera(this, currentLens, ::showFrame, ::edit) { reason ->
            work.tell { say(getString(R.string.live_failed, reason)) }
        }.apply { open() }
    }

    private fun closeCamera() {
        camera?.close()
        camera = null
    }

    private fun switch() {
        closeCamera()
        lens++
        openCamera()
    }

    /** On the camera's thread, which thereby leaves out the pictures that come meanwhile. */
    private fun showFrame(frame: Image) {
        val shown = synchronized(lock) {
            val matting = matting ?: return
            runCatching {
                val picture = matting.show(frame, currentLens.stored(displayDegrees))
                val rate = getString(R.string.live_rate, matting.rate, matting.modelMs.toInt())
                Pair(picture, rate)
            }
        }
        work.tell {
            shown.fold(
                onSuccess = { (picture, rate) -> show(picture, rate) },
                onFailure = { say(it.text) },
            )
        }
    }

    private fun show(picture: Bitmap, rate: String) {
        view<ImageView>(R.id.live_preview).setImageBitmap(picture)
        say(rate)
    }

    private fun edit(jpeg: ByteArray) {
        val file = File(cacheDir, "photo.jpg")
        val written = runCatching { file.writeBytes(jpeg) }
        work.tell {
            written.fold(
                onSuccess = { startActivity(EditActivity.of(this, Uri.fromFile(file))) },
                onFailure = { say(getString(R.string.live_failed, it.text)) },
            )
        }
    }

    private fun refused() {
        view<View>(R.id.live_controls).visibility = View.GONE
        view<View>(R.id.live_settings).visibility = View.VISIBLE
        say(getString(R.string.live_refused))
    }

    private fun openSettings() {
        val app = Uri.fromParts("package", packageName, null)
        startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, app))
    }

    private fun say(text: String) {
        view<TextView>(R.id.live_status).text = text
    }

    private val currentLens: Lens get() = lenses[lens % lenses.size]

    // Context.getDisplay, which replaces it, came after Android 8.
    @Suppress("DEPRECATION")
    private val displayDegrees: Int
        get() = when (windowManager.defaultDisplay.rotation) {
            Surface.ROTATION_90 -> 90
            Surface.ROTATION_180 -> 180
            Surface.ROTATION_270 -> 270
            else -> 0
        }

    private companion object {
        const val HAS_ASKED = "hasAsked"
        const val LENS = "lens"
    }
}
