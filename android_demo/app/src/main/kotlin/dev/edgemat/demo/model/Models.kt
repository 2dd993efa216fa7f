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
     * The models of a task, the quickest precision first; or those of these files.
     *
     * @param sha256s empty where the task decides
     * @throws UserException where there is none
     */
    fun choose(task: String, sha256s: Set<String> = emptySet()): List<ModelEntry> {
        val found =
            if (sha256s.isEmpty()) {
                manifest.models(task)
            } else {
                manifest.models.filter { it.sha256 in sha256s }
            }
        if (found.isEmpty()) {
            val what = task.ifEmpty { sha256s.joinToString { it.take(HASH_SHOWN) } }
            throw UserException(context.getString(R.string.model_task_missing, what))
        }
        return found
    }

    /**
     * Opens the quickest model of a task on the CPU.
     *
     * @param task "portrait" or "trimap"
     * @throws UserException where there is none, or it cannot be loaded
     */
    fun open(task: String): LiteRtNetwork =
        open(choose(task).first(), Processor.XNNPACK, LiteRtNetwork.defaultThreads)

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

    private companion object {
        const val HASH_SHOWN = 8
    }
}
