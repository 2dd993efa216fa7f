package dev.edgemat.demo.model

import android.content.res.AssetManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import dev.edgemat.core.matting.Feeding
import dev.edgemat.core.matting.Network

/** Of the library in gradle/libs.versions.toml; LiteRT does not tell its version itself. */
const val LITERT_VERSION = "2.3.0"

/**
 * Who computes a model.
 *
 * @property word in benchmark results
 */
enum class Processor(val word: String, internal val accelerator: Accelerator) {
    /** The CPU, by XNNPACK. */
    XNNPACK("xnnpack", Accelerator.CPU),

    /**
     * The GPU alone. LiteRT refuses a model of which it cannot compute all on the GPU, so that
     * this is never a CPU in disguise.
     */
    GPU("gpu", Accelerator.GPU),
}

/** A .tflite file in LiteRT. Not to be used by two threads at once. */
class LiteRtNetwork private constructor(
    override val feeding: Feeding,
    private val processor: Processor,
    private val model: CompiledModel,
) : Network, AutoCloseable {
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    /** Milliseconds that the last run took inside LiteRT. */
    var lastRunMs = 0.0
        private set

    fun setInput(input: FloatArray) = inputs.single().writeFloat(input)

    /**
     * Runs the model on the input that was set; returns when the matte is there. A GPU may still
     * be at work when `run` returns, so that there the output is waited for by reading it.
     */
    fun invoke() {
        model.run(inputs, outputs)
        if (processor == Processor.GPU) outputs.single().readFloat()
    }

    fun output(): FloatArray = outputs.single().readFloat()

    override fun alpha(input: FloatArray): FloatArray {
        setInput(input)
        val start = System.nanoTime()
        invoke()
        lastRunMs = (System.nanoTime() - start) / NS_PER_MS
        return output()
    }

    override fun close() {
        (inputs + outputs).forEach { it.close() }
        model.close()
    }

    companion object {
        private const val NS_PER_MS = 1e6

        /** As many as there are cores, at most 4: more hardly help, and heat. */
        val defaultThreads: Int get() = Runtime.getRuntime().availableProcessors().coerceAtMost(4)

        /** @throws com.google.ai.edge.litert.LiteRtException where the model cannot be loaded so */
        fun open(
            assets: AssetManager,
            path: String,
            feeding: Feeding,
            processor: Processor,
            threads: Int,
        ): LiteRtNetwork {
            val options = CompiledModel.Options(processor.accelerator)
            if (processor == Processor.XNNPACK) {
                options.cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
            }
            val model = CompiledModel.create(assets, path, options)
            return LiteRtNetwork(feeding, processor, model)
        }
    }
}
