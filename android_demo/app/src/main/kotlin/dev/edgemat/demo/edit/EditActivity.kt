package dev.edgemat.demo.edit

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.RadioGroup
import android.widget.SeekBar
import android.widget.TextView
import dev.edgemat.core.compositing.Backdrop
import dev.edgemat.core.compositing.Effect
import dev.edgemat.core.picture.ByteRaster
import dev.edgemat.core.picture.writePng
import dev.edgemat.demo.R
import dev.edgemat.demo.Work
import dev.edgemat.demo.model.Models
import dev.edgemat.demo.onSet
import dev.edgemat.demo.photo.checkerboard
import dev.edgemat.demo.photo.createDocument
import dev.edgemat.demo.photo.pickPicture
import dev.edgemat.demo.photo.readPhoto
import dev.edgemat.demo.photo.toBitmap
import dev.edgemat.demo.photo.write
import dev.edgemat.demo.text
import dev.edgemat.demo.view

/** A photo, its background removed, replaced or blurred; and the trimap brush. */
class EditActivity : Activity() {
    private val work = Work()
    private var editor: PhotoEditor? = null
    private var effect: Effect = Effect.Transparent
    private var finished: ByteRaster? = null
    private lateinit var brush: TrimapBrush

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.edit)
        view<ImageView>(R.id.edit_photo).background =
            checkerboard(resources, getColor(R.color.check_light), getColor(R.color.check_dark))
        view<RadioGroup>(R.id.edit_effect).setOnCheckedChangeListener { _, id -> choose(id) }
        // a click and not a change, so that another picture can be chosen
        view<View>(R.id.edit_effect_picture).setOnClickListener {
            startActivityForResult(pickPicture(), BACKDROP)
        }
        view<SeekBar>(R.id.edit_blur_strength).onSet { show(blur()) }
        view<View>(R.id.edit_save).setOnClickListener {
            startActivityForResult(createDocument("image/png", "edgemat.png"), SAVE)
        }
        view<View>(R.id.edit_refine).setOnClickListener { refine() }
        view<View>(R.id.edit_paint).setOnClickListener { paint() }
        brush = TrimapBrush(this, onApply = ::apply)
        open(checkNotNull(intent.data) { "EditActivity is started with a photo" })
    }

    override fun onDestroy() {
        val last = editor
        work.close { last?.close() }
        super.onDestroy()
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val chosen = data?.data?.takeIf { resultCode == RESULT_OK }
        when {
            chosen == null -> view<RadioGroup>(R.id.edit_effect).check(effect.choice)
            requestCode == SAVE -> save(chosen)
            requestCode == BACKDROP -> background(R.string.edit_opening, { readPhoto(chosen) }) {
                show(Effect.Replace(Backdrop.Picture(it)))
            }
        }
    }

    private fun open(photo: Uri) =
        background(
            R.string.edit_opening,
            { PhotoEditor(Models(this), readPhoto(photo)) },
        ) { opened ->
            editor = opened
            background(R.string.edit_matting, { opened.cutOutPeople() }) { show(effect) }
        }

    private fun choose(id: Int) {
        view<View>(R.id.edit_blur_strength).isInvisible = id != R.id.edit_effect_blur
        when (id) {
            R.id.edit_effect_transparent -> show(Effect.Transparent)
            R.id.edit_effect_colour ->
                show(Effect.Replace(Backdrop.Colour(getColor(R.color.studio))))
            R.id.edit_effect_blur -> show(blur())
        }
    }

    private fun blur(): Effect {
        val bar = view<SeekBar>(R.id.edit_blur_strength)
        return Effect.Blur(share = MAX_BLUR_SHARE * maxOf(bar.progress, 1) / bar.max)
    }

    private fun show(effect: Effect) {
        this.effect = effect
        val editor = editor ?: return
        background(R.string.edit_rendering, { editor.render(effect) }) { picture ->
            finished = picture
            view<ImageView>(R.id.edit_photo).run {
                setImageBitmap(picture.toBitmap())
                contentDescription = getString(R.string.edit_photo, getString(effect.description))
            }
        }
    }

    private fun refine() {
        val editor = editor ?: return
        background(R.string.edit_matting, { editor.refine(::tellTiles) }) { show(effect) }
    }

    private fun paint() {
        val editor = editor ?: return
        background(R.string.edit_rendering, { editor.startingTrimap() }) { trimap ->
            brush.show(editor.photo.toBitmap(), trimap)
        }
    }

    private fun apply() {
        val (editor, trimap) = Pair(editor ?: return, brush.trimap ?: return)
        background(R.string.edit_matting, { editor.cutOut(trimap, ::tellTiles) }) { show(effect) }
    }

    private fun tellTiles(done: Int, total: Int) = work.tell {
        view<TextView>(R.id.edit_status).text = getString(R.string.trimap_progress, done, total)
    }

    private fun save(target: Uri) {
        val picture = finished ?: return
        busy(true)
        work.start({ write(target, picture::writePng) }) { saved ->
            busy(false)
            view<TextView>(R.id.edit_status).text = saved.fold(
                onSuccess = { getString(R.string.edit_saved) },
                onFailure = { getString(R.string.edit_save_failed, it.text) },
            )
        }
    }

    /** Runs [task] in the background with the controls locked; says what went wrong. */
    private fun <T> background(message: Int, task: () -> T, done: (T) -> Unit) {
        val status = view<TextView>(R.id.edit_status)
        busy(true)
        status.setText(message)
        work.start(task) { result ->
            busy(false)
            status.setText(R.string.edit_ready)
            result.fold(
                onSuccess = done,
                onFailure = { status.text = getString(R.string.edit_failed, it.text) },
            )
        }
    }

    private fun busy(isBusy: Boolean) {
        view<View>(R.id.edit_progress).isInvisible = !isBusy
        val isReady = !isBusy && editor != null
        for (id in CONTROLS) view<View>(id).isEnabled = isReady
    }

    private var View.isInvisible: Boolean
        get() = visibility == View.INVISIBLE
        set(value) {
            visibility = if (value) View.INVISIBLE else View.VISIBLE
        }

    private val Effect.choice: Int
        get() = when (this) {
            Effect.Transparent -> R.id.edit_effect_transparent
            is Effect.Blur -> R.id.edit_effect_blur
            is Effect.Replace -> when (backdrop) {
                is Backdrop.Colour -> R.id.edit_effect_colour
                is Backdrop.Picture -> R.id.edit_effect_picture
            }
        }

    private val Effect.description: Int
        get() = when (this) {
            Effect.Transparent -> R.string.edit_background_transparent
            is Effect.Blur -> R.string.edit_background_blur
            is Effect.Replace -> when (backdrop) {
                is Backdrop.Colour -> R.string.edit_background_colour
                is Backdrop.Picture -> R.string.edit_background_picture
            }
        }

    companion object {
        private const val BACKDROP = 1
        private const val SAVE = 2

        /** Radius of the strongest blur, as a share of the picture's longer side. */
        private const val MAX_BLUR_SHARE = 0.03
        private val CONTROLS = intArrayOf(
            R.id.edit_effect_transparent, R.id.edit_effect_colour, R.id.edit_effect_picture,
            R.id.edit_effect_blur, R.id.edit_blur_strength, R.id.edit_refine, R.id.edit_paint,
            R.id.edit_save,
        )

        /** Starts with a photo. */
        fun of(context: Context, photo: Uri): Intent =
            Intent(context, EditActivity::class.java)
                .setData(photo)
                .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    }
}
