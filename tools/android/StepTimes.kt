package dev.edgemat.core

import dev.edgemat.core.compositing.CutOut
import dev.edgemat.core.compositing.blurred
import dev.edgemat.core.compositing.estimateForeground
import dev.edgemat.core.matting.Smoother
import dev.edgemat.core.matting.guidedUpsample
import dev.edgemat.core.matting.trimapOfMatte
import dev.edgemat.core.picture.AlphaMatte
import dev.edgemat.core.picture.ByteRaster
import dev.edgemat.core.picture.Filter
import dev.edgemat.core.picture.RGB
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.core.picture.Size
import dev.edgemat.core.picture.resized

// Pictures, steps and lines are those of tools/step_times.py.
private val LARGE = Size(864, 1152)
private const val REDUCTION = 4
private val SMALL = Size(LARGE.height / REDUCTION, LARGE.width / REDUCTION)
private const val WARM_UP_NS = 1_000_000_000L
private const val BLUR = 8.0
private const val SMOOTHING = 0.3f
private const val WHITE = 255.0

/** Prints each step's name, the mean of its result, and what each of the runs took in ms. */
fun main(arguments: Array<String>) {
    val runs = arguments[0].toInt()
    val (image, alpha) = image(LARGE, 1) to alpha(LARGE, 1)
    val (smallImage, smallAlpha) = image(SMALL, REDUCTION) to alpha(SMALL, REDUCTION)
    val smoother = Smoother(SMOOTHING)
    time("shrink", runs) { image.resized(SMALL, Filter.BILINEAR).mean() }
    time("enlarge", runs) { smallImage.resized(LARGE, Filter.BICUBIC).mean() }
    time("enlarge-matte", runs) { smallAlpha.resized(LARGE, Filter.BILINEAR).mean() }
    time("guided", runs) { guidedUpsample(smallAlpha, smallImage, image).mean() }
    time("trimap", runs) { trimapOfMatte(alpha).mean() }
    time("foreground", runs) { estimateForeground(image, alpha).mean() }
    time("blur", runs) { CutOut(image, alpha).blurred(BLUR).mean() }
    time("smoothing", runs) { smoother.smooth(image, alpha).mean() }
}

/** The mean of a result, which is computed when the time has been taken. */
private fun interface Mean {
    fun of(): Double
}

private fun ByteRaster.mean() =
    Mean { bytes.indices.sumOf { this[it].toDouble() } / bytes.size / WHITE }

private fun AlphaMatte.mean() = Mean { values.sumOf { it.toDouble() } / values.size }

private fun time(name: String, runs: Int, step: () -> Mean) {
    val end = System.nanoTime() + WARM_UP_NS
    var result = step()
    while (System.nanoTime() < end) result = step()
    val taken = List(runs) {
        val begun = System.nanoTime()
        result = step()
        (System.nanoTime() - begun) / 1e6
    }
    println("$name ${result.of()} ${taken.joinToString(" ")}")
}

/** Every [step]th pixel of the picture, from the middle of the first block on. */
private fun image(size: Size, step: Int) = RgbImage(size, RGB).apply {
    for (pixel in 0 until size.pixels) {
        val row = pixel / width * step + step / 2
        val column = pixel % width * step + step / 2
        for (c in 0 until RGB) {
            this[pixel * RGB + c] = row * (3 + c) + column * (5 - c) + row * column / 64
        }
    }
}

private fun alpha(size: Size, step: Int) = AlphaMatte(size).apply {
    for (pixel in values.indices) {
        val down = pixel / width * step + step / 2 - LARGE.height / 2
        val across = pixel % width * step + step / 2 - LARGE.width / 2
        values[pixel] = ((105_000 - down * down - across * across) / 30_000f).coerceIn(0f, 1f)
    }
}
