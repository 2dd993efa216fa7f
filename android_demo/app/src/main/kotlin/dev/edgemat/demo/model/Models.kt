package dev.edgemat.demo.model

import android.content.Context
import dev.edgemat.core.json.JsonException
import dev.edgemat.core.matting.ModelEntry
import dev.edgemat.core.matting.ModelManifest
import dev.edgemat.demo.R
import dev.edgemat.demo.UserException
import java.io.IOException

/** The models among the app's assets, where `edgemat export --to android_demo` puts them. */
class Models(private val context: Context) {
    /** @throws UserException where nothing was exported, or cannot be read */
    val manifest: ModelManifest by lazy {
        try {
            ModelManifest.parse(read(ModelManifest.FILE).decodeToString())
        } catch (error: IOException) {
            throw UserException(context.getString(R.string.models_missing), error)
        } catch (error: JsonException) {
            throw UserException(context.getString(R.string.models_unreadable, error.message), error)
        }
    }

    /**
     * Opens the quickest model of a task on the CPU.
     *
     * @param task "portrait" or "trimap"
     * @throws UserException where there is none, or it cannot be loaded
     */
    fun open(task: String): LiteRtNetwork {
        val model = manifest.models(task).firstOrNull()
            ?: throw UserException(context.getString(R.string.model_task_missing, task))
        return open(model, Processor.XNNPACK, LiteRtNetwork.defaultThreads)
    }

    /** @throws UserException where the model cannot be loaded so */
    fun open(model: ModelEntry, processor: Processor, threads: Int): LiteRtNetwork = try {
        LiteRtNetwork.open(context.assets, path(model.file), model.feeding, processor, threads)
    } catch (error: Exception) { // LiteRT throws its own, and what the file system throws
        val reason = error.localizedMessage
        throw UserException(context.getString(R.string.model_damaged, model.name, reason), error)
    }

    /** The content of a file beside the manifest. */
    fun read(file: String): ByteArray = context.assets.open(path(file)).use { it.readBytes() }

    private fun path(file: String) = "models/$file"
}
