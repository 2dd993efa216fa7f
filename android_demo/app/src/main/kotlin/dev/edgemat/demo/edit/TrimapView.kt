package dev.edgemat.demo.edit

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.View
import dev.edgemat.core.matting.Area
import dev.edgemat.core.matting.BACKGROUND
import dev.edgemat.core.matting.Point
import dev.edgemat.core.matting.Trimap
import dev.edgemat.core.matting.TrimapCanvas
import dev.edgemat.core.matting.UNKNOWN
import dev.edgemat.demo.R

/** A photo with a trimap over it, to be painted on with one finger. */
class TrimapView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val backgroundColour = context.getColor(R.color.trimap_background)
    private val unknownColour = context.getColor(R.color.trimap_unknown)
    private val paint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val toView = Matrix()
    private val toPicture = Matrix()
    private var photo: Bitmap? = null
    private var overlay: Bitmap? = null
    private var canvas: TrimapCanvas? = null
    private var last: Point? = null

    /** What the brush paints: BACKGROUND, UNKNOWN or FOREGROUND. */
    var value = UNKNOWN

    /** Radius of the brush, in dp. */
    var radiusDp = 16.0

    /** Called after every change. */
    var onChange: () -> Unit = {}

    val canUndo: Boolean get() = canvas?.canUndo == true
    val trimap: Trimap? get() = canvas?.trimap

    fun show(photo: Bitmap, trimap: Trimap) {
        this.photo = photo
        canvas = TrimapCanvas(trimap)
        overlay = Bitmap.createBitmap(photo.width, photo.height, Bitmap.Config.ARGB_8888)
        fit()
        redraw()
    }

    fun undo() {
        canvas?.undo()
        redraw()
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) = fit()

    override fun onDraw(canvas: Canvas) {
        photo?.let { canvas.drawBitmap(it, toView, paint) }
        overlay?.let { canvas.drawBitmap(it, toView, paint) }
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        val canvas = canvas ?: return false
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> {
                canvas.beginStep()
                stroke(canvas, event.x, event.y)
            }
            MotionEvent.ACTION_MOVE -> {
                for (n in 0 until event.historySize) {
                    stroke(canvas, event.getHistoricalX(n), event.getHistoricalY(n))
                }
                stroke(canvas, event.x, event.y)
            }
            MotionEvent.ACTION_UP -> performClick()
        }
        if (event.actionMasked in ENDS) last = null
        return true
    }

    override fun performClick(): Boolean {
        super.performClick()
        return true
    }

    private fun stroke(canvas: TrimapCanvas, x: Float, y: Float) {
        val place = floatArrayOf(x, y).also(toPicture::mapPoints)
        val point = Point(place[0].toDouble(), place[1].toDouble())
        val radius = toPicture.mapRadius(radiusDp.toFloat() * resources.displayMetrics.density)
        redraw(canvas.stroke(last ?: point, point, radius.toDouble(), value))
        last = point
    }

    private fun redraw() {
        val trimap = trimap ?: return
        redraw(Area(0 until trimap.height, 0 until trimap.width))
    }

    private fun redraw(area: Area) {
        val (trimap, overlay) = Pair(trimap ?: return, overlay ?: return)
        val width = area.columns.last - area.columns.first + 1
        if (width < 1) return
        val colours = IntArray(width)
        for (row in area.rows) {
            val start = row * trimap.width + area.columns.first
            for (n in 0 until width) colours[n] = colourOf(trimap[start + n])
            overlay.setPixels(colours, 0, width, area.columns.first, row, width, 1)
        }
        invalidate()
        onChange()
    }

    private fun colourOf(value: Int) = when (value) {
        BACKGROUND -> backgroundColour
        UNKNOWN -> unknownColour
        else -> 0
    }

    private fun fit() {
        val photo = photo ?: return
        toView.setRectToRect(
            RectF(0f, 0f, photo.width.toFloat(), photo.height.toFloat()),
            RectF(0f, 0f, width.toFloat(), height.toFloat()),
            Matrix.ScaleToFit.CENTER,
        )
        toView.invert(toPicture)
    }

    private companion object {
        val ENDS = listOf(MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL)
    }
}
