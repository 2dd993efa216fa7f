package dev.edgemat.core.matting

import dev.edgemat.core.json.Json
import dev.edgemat.core.picture.Size

/** The order of a model's input values. */
enum class Layout { NHWC, NCHW }

/** How a picture of any size is brought to a model's input; `fit` in the manifest, in capitals. */
enum class Fit { LETTERBOX, TILES, RESIZE, PAD }

/**
 * How a model is fed; a part of the manifest that edgemat writes.
 *
 * @property channels 3 (a photograph) or 4 (a photograph and its trimap)
 * @property scale what takes a byte to the 0..1 that the network was trained with
 * @property trimapChannel which channel holds the trimap, null where there is none
 * @property fit null where the manifest does not say; see [fitting]
 */
data class Feeding(
    val layout: Layout,
    val height: Int,
    val width: Int,
    val channels: Int,
    val scale: Float,
    val trimapChannel: Int?,
    val fit: Fit? = null,
) {
    val size: Size get() = Size(height, width)
    val needsTrimap: Boolean get() = trimapChannel != null
    val fitting: Fit get() = fit ?: if (needsTrimap) Fit.TILES else Fit.LETTERBOX

    companion object {
        /** @throws dev.edgemat.core.json.JsonException where the manifest says what no model has */
        fun of(json: Json): Feeding {
            val order = json["colour_order"].string
            if (order != "RGB") json.fail("colours in the order $order")
            val layout = json["layout"].string
            return Feeding(
                layout = Layout.entries.find { it.name == layout } ?: json.fail("layout $layout"),
                height = json["height"].int,
                width = json["width"].int,
                channels = json["channels"].int,
                scale = json["scale"].double.toFloat(),
                trimapChannel = json["trimap_channel"].orNull?.int,
                fit = json["fit"].orNull?.let { given ->
                    Fit.entries.find { it.name.lowercase() == given.string }
                        ?: given.fail("no way to feed a model: ${given.string}")
                },
            )
        }
    }
}
