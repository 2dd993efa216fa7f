package dev.edgemat.demo.benchmark

import android.content.Intent
import dev.edgemat.core.benchmark.Protocol
import dev.edgemat.core.json.Json
import dev.edgemat.core.json.JsonException
import dev.edgemat.demo.R
import dev.edgemat.demo.model.Processor

/**
 * How long is measured.
 *
 * @property word in an intent
 */
enum class Mode(val word: String, val label: Int, val protocol: Protocol) {
    STANDARD("standard", R.string.benchmark_mode_standard, Protocol()),
    STRICT("strict", R.string.benchmark_mode_strict, Protocol.STRICT),
    SUSTAINED("sustained", R.string.benchmark_mode_sustained, Protocol(sustainedSeconds = 600.0)),
}

/**
 * What is measured.
 *
 * @property task whose models are measured in turns: "portrait" or "trimap"
 * @property sha256s the files that are measured in turns, whatever their task; empty: by task
 */
data class Setting(
    val task: String,
    val sha256s: Set<String>,
    val processor: Processor,
    val threads: Int,
    val protocol: Protocol,
) {
    companion object {
        val THREADS = listOf(1, 2, 4)

        /**
         * The setting that an intent asks to measure at once, null where it does not:
         * `am start -n dev.edgemat.demo/.benchmark.BenchmarkActivity --es task portrait
         * --es delegate xnnpack --ei threads 1 --es mode standard`; or, as edgemat does it, with
         * `models` (SHA-256, comma between) for the task, and `protocol` (JSON) for the mode.
         */
        fun of(intent: Intent): Setting? {
            val task = intent.getStringExtra("task")
            val models = intent.getStringExtra("models")
            if (task == null && models == null) return null
            val delegate = intent.getStringExtra("delegate") ?: Processor.XNNPACK.word
            val mode = intent.getStringExtra("mode") ?: Mode.STANDARD.word
            return Setting(
                task = task.orEmpty(),
                sha256s = models?.split(',')?.toSet().orEmpty(),
                processor = Processor.entries.find { it.word == delegate } ?: return null,
                threads = intent.getIntExtra("threads", 1).coerceAtLeast(1),
                protocol = protocol(intent.getStringExtra("protocol"))
                    ?: Mode.entries.find { it.word == mode }?.protocol
                    ?: return null,
            )
        }

        /** Any app may send an intent: what cannot be read is as if it were not there. */
        private fun protocol(json: String?): Protocol? = try {
            json?.let { Protocol.of(Json.parse(it)) }
        } catch (_: JsonException) {
            null
        } catch (_: IllegalArgumentException) {
            null
        }
    }
}
