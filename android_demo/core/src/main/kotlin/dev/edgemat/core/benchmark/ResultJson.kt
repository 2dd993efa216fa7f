package dev.edgemat.core.benchmark

private const val SCHEMA_VERSION = 2

/** The result by edgemat's docs/result-schema.json; see [dev.edgemat.core.json.writeJson]. */
fun BenchmarkResult.toJson(): Map<String, Any?> = mapOf(
    "schema_version" to SCHEMA_VERSION,
    "name" to name,
    "model_sha256" to modelSha256,
    "model_bytes" to modelBytes,
    "threads" to threads,
    "delegate" to delegate.toJson(),
    "init_ms" to initMs,
    "first_ms" to firstMs,
    "warmup_runs" to warmupRuns,
    "samples_ms" to samplesMs,
    "latency" to latency.toJson(),
    "verdict" to if (isValid) "valid" else "invalid",
    "reason" to reasons.joinToString("; "),
    "instructions" to null, // an emulator's, of which this app is none
    "peak_memory_bytes" to peakMemoryBytes,
    "golden" to golden?.toJson(),
    "profile" to emptyList<Any>(), // LiteRT's Kotlin API tells no operator's time
    "sustained" to sustained?.toJson(),
    "protocol" to protocol.toJson(),
    "circumstances" to circumstances.toJson(),
    "recorded_at" to recordedAt,
)

private fun Delegate.toJson() = mapOf(
    "asked" to asked,
    "used" to used,
    "operators" to operators,
    "delegated" to delegated,
    "partitions" to partitions,
)

private fun Latency.toJson() = mapOf(
    "count" to count,
    "min_ms" to minMs,
    "mean_ms" to meanMs,
    "std_ms" to stdMs,
    "p50_ms" to p50Ms,
    "p90_ms" to p90Ms,
    "p95_ms" to p95Ms,
    "p99_ms" to p99Ms,
    "iqr_ms" to iqrMs,
    "cv" to cv,
    "drift" to drift,
)

private fun GoldenCheck.toJson() = mapOf(
    "reference" to "artefact",
    "max_abs" to maxAbs,
    "mean_abs" to meanAbs,
    "limit" to limit,
)

private fun Sustained.toJson() = mapOf(
    "seconds" to seconds,
    "at_s" to atS,
    "p50_ms" to p50Ms,
    "runs" to runs,
)

private fun Protocol.toJson() = mapOf(
    "warmup_runs" to warmupRuns,
    "warmup_seconds" to warmupSeconds,
    "runs" to runs,
    "seconds" to seconds,
    "blocks" to blocks,
    "settle_runs" to settleRuns,
    "max_cv" to maxCv,
    "max_drift" to maxDrift,
    "sustained_seconds" to sustainedSeconds,
)

private fun Circumstances.toJson() = mapOf(
    "transport" to "android",
    "device_kind" to if (isEmulated) "emulated" else "physical",
    "device" to device,
    "soc" to soc,
    "cores" to cores,
    "cpu_mask" to null, // the system moves an app between cores as it likes
    "os" to os,
    "abi" to abi,
    "governor" to governor,
    "virtualised" to null,
    "runtime" to runtime,
    "before" to before.toJson(),
    "after" to after.toJson(),
)

private fun Condition.toJson() = mapOf(
    "thermal_status" to thermalStatus?.word,
    "thermal_headroom" to thermalHeadroom,
    "temperature_c" to temperatureC,
    "battery_level" to batteryLevel,
    "charging" to charging,
    "low_power_mode" to lowPowerMode,
    "load_average" to loadAverage,
    "frequencies_mhz" to frequenciesMhz,
)
