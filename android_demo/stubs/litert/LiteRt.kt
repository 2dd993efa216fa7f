package com.google.ai.edge.litert

import android.content.res.AssetManager

enum class Accelerator { NONE, CPU, GPU, NPU }

class LiteRtException(message: String) : Exception(message)

class Environment : AutoCloseable {
    override fun close() = stub()
}

class TensorBuffer : AutoCloseable {
    fun writeFloat(data: FloatArray): Unit = stub()

    fun readFloat(): FloatArray = stub()

    override fun close() = stub()
}

class CompiledModel : AutoCloseable {
    class CpuOptions(
        val numThreads: Int? = null,
        val xnnPackFlags: Int? = null,
        val xnnPackWeightCachePath: String? = null,
    )

    class Options(vararg val accelerators: Accelerator) {
        var cpuOptions: CpuOptions? = null
    }

    fun createInputBuffers(): List<TensorBuffer> = stub()

    fun createOutputBuffers(): List<TensorBuffer> = stub()

    fun run(inputBuffers: List<TensorBuffer>, outputBuffers: List<TensorBuffer>): Unit = stub()

    override fun close() = stub()

    companion object {
        fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options,
            env: Environment? = null,
        ): CompiledModel = stub()
    }
}

private fun stub(): Nothing = throw UnsupportedOperationException()
