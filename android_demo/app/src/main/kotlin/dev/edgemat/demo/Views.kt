package dev.edgemat.demo

import android.app.Activity
import android.view.View
import android.widget.SeekBar

/** The view of a layout, of the type that is asked for. */
inline fun <reified T : View> Activity.view(id: Int): T = findViewById(id) as T

/** Calls [listener] with what the user sets, 0..max. */
fun SeekBar.onSet(listener: (Int) -> Unit) = setOnSeekBarChangeListener(
    object : SeekBar.OnSeekBarChangeListener {
        override fun onProgressChanged(bar: SeekBar, progress: Int, fromUser: Boolean) = Unit

        override fun onStartTrackingTouch(bar: SeekBar) = Unit

        override fun onStopTrackingTouch(bar: SeekBar) = listener(bar.progress)
    },
)
