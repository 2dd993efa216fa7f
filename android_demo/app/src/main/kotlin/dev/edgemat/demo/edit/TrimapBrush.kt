package dev.edgemat.demo.edit

import android.app.Activity
import android.graphics.Bitmap
import android.view.View
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.Toast
import dev.edgemat.core.matting.BACKGROUND
import dev.edgemat.core.matting.FOREGROUND
import dev.edgemat.core.matting.Trimap
import dev.edgemat.core.matting.UNKNOWN
import dev.edgemat.core.matting.hasUnknown
import dev.edgemat.demo.R
import dev.edgemat.demo.onSet
import dev.edgemat.demo.view

/** The part of the edit screen where a trimap is painted; takes the place of the photo. */
class TrimapBrush(private val activity: Activity, private val onApply: () -> Unit) {
    private val canvas = activity.view<TrimapView>(R.id.trimap_canvas)
    private val undo = activity.view<View>(R.id.trimap_undo)

    val trimap: Trimap? get() = canvas.trimap

    init {
        activity.view<RadioGroup>(R.id.trimap_value).setOnCheckedChangeListener { _, id ->
            canvas.value = when (id) {
                R.id.trimap_keep -> FOREGROUND
                R.id.trimap_remove -> BACKGROUND
                else -> UNKNOWN
            }
        }
        val size = activity.view<SeekBar>(R.id.trimap_brush)
        size.onSet { canvas.radiusDp = radiusDp(it) }
        canvas.radiusDp = radiusDp(size.progress)
        canvas.onChange = { undo.isEnabled = canvas.canUndo }
        undo.setOnClickListener { canvas.undo() }
        activity.view<View>(R.id.trimap_cancel).setOnClickListener { show(false) }
        activity.view<View>(R.id.trimap_apply).setOnClickListener { apply() }
    }

    fun show(photo: Bitmap, trimap: Trimap) {
        canvas.show(photo, trimap)
        show(true)
        Toast.makeText(activity, R.string.trimap_help, Toast.LENGTH_LONG).show()
    }

    private fun apply() {
        if (trimap?.hasUnknown != true) {
            Toast.makeText(activity, R.string.trimap_nothing_unknown, Toast.LENGTH_LONG).show()
            return
        }
        show(false)
        onApply()
    }

    private fun show(isPainting: Boolean) {
        for (id in intArrayOf(R.id.trimap_canvas, R.id.trimap_controls)) {
            activity.view<View>(id).visibility = if (isPainting) View.VISIBLE else View.GONE
        }
        for (id in intArrayOf(R.id.edit_photo, R.id.edit_controls)) {
            activity.view<View>(id).visibility = if (isPainting) View.GONE else View.VISIBLE
        }
    }

    /** From a fine to a coarse brush, in steps that look alike. */
    private fun radiusDp(progress: Int) = 3 + progress * progress * 0.006
}
