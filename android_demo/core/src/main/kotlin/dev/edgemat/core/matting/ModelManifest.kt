package dev.edgemat.core.matting

import dev.edgemat.core.json.Json

/**
 * One model among the app's assets.
 *
 * @property name "portrait-int8"; benchmark results carry it
 * @property file name of the .tflite beside the manifest
 * @property task "portrait" or "trimap"
 * @property precision "int8", "fp16" or "fp32"
 * @property sha256 of the file, hexadecimal
 * @property golden what to check the model with, null where nothing was exported
 */
data class ModelEntry(
    val name: String,
    val file: String,
    val task: String,
    val precision: String,
    val sha256: String,
    val bytes: Long,
    val feeding: Feeding,
    val golden: GoldenFiles?,
    val licence: String,
    val dataNotice: String,
)

/**
 * An input and the matte that the model must compute for it.
 *
 * @property pixels bytes H,W,C, to be multiplied by the manifest's scale
 * @property alpha 32-bit floats H,W, little-endian
 */
data class GoldenFiles(val pixels: String, val alpha: String)

/** The models that `edgemat export --to android_demo` wrote. */
class ModelManifest(val models: List<ModelEntry>) {
    /** The models of a task, the quickest precision first. */
    fun models(task: String): List<ModelEntry> =
        models.filter { it.task == task }.sortedBy { PRECISIONS.indexOf(it.precision) }

    companion object {
        const val FILE = "manifest.json"
        private const val SCHEMA_VERSION = 1
        private val PRECISIONS = listOf("int8", "fp16", "fp32")

        /** @throws dev.edgemat.core.json.JsonException where the text is no such manifest */
        fun parse(text: String): ModelManifest {
            val json = Json.parse(text)
            val version = json["schema_version"].int
            if (version != SCHEMA_VERSION) json.fail("of version $version, not $SCHEMA_VERSION")
            return ModelManifest(json["models"].list.map(::entry))
        }

        private fun entry(json: Json) = ModelEntry(
            name = json["name"].string,
            file = json["file"].string,
            task = json["task"].string,
            precision = json["precision"].string,
            sha256 = json["sha256"].string,
            bytes = json["bytes"].long,
            feeding = Feeding.of(json["feeding"]),
            golden = json["golden"].orNull?.let {
                GoldenFiles(it["pixels"].string, it["alpha"].string)
            },
            licence = json["licence"].string,
            dataNotice = json["data_notice"].string,
        )
    }
}
