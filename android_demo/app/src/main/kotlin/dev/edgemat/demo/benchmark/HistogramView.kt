package dev.edgemat.demo.benchmark

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import dev.edgemat.core.benchmark.BenchmarkResult
import dev.edgemat.core.benchmark.Histogram
import dev.edgemat.demo.R

/** The distribution of latencies: bars from the shortest to the 99th percentile. */
class HistogramView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val bar = Paint().apply { color = context.getColor(R.color.accent) }
    private var histogram: Histogram? = null

    fun show(result: BenchmarkResult) {
        val found = Histogram.of(result.samplesMs, result.latency)
        histogram = found
        contentDescription =
            context.getString(R.string.benchmark_histogram, result.samplesMs.size, found.modeMs)
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val counts = histogram?.counts ?: return
        val step = width.toFloat() / counts.size
        val tallest = counts.max().toFloat()
        counts.forEachIndexed { n, count ->
            val top = height * (1 - count / tallest)
            canvas.drawRect(n * step, top, (n + GAP) * step, height.toFloat(), bar)
        }
    }

    private companion object {
        const val GAP = 0.85f
    }
}
