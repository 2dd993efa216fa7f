package dev.edgemat.demo.photo

import android.content.res.Resources
import android.graphics.Bitmap
import android.graphics.Shader
import android.graphics.drawable.BitmapDrawable
import android.graphics.drawable.Drawable

private const val TILE_DP = 16

/** What shows where a picture is transparent. */
fun checkerboard(resources: Resources, light: Int, dark: Int): Drawable {
    val side = (TILE_DP * resources.displayMetrics.density).toInt()
    val half = side / 2
    val pixels = IntArray(side * side) { i ->
        if ((i / side < half) == (i % side < half)) light else dark
    }
    val tile = Bitmap.createBitmap(pixels, side, side, Bitmap.Config.ARGB_8888)
    return BitmapDrawable(resources, tile).apply {
        setTileModeXY(Shader.TileMode.REPEAT, Shader.TileMode.REPEAT)
    }
}
