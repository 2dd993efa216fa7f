package dev.edgemat.core.benchmark

/**
 * How much a device holds its clocks back, in Android's order.
 *
 * @property word in results
 */
enum class ThermalStatus {
    NONE, LIGHT, MODERATE, SEVERE, CRITICAL, EMERGENCY, SHUTDOWN, ;

    val word: String get() = name.lowercase()
}

/**
 * What a device tells of its state at one moment; null is what it does not tell.
 *
 * @property thermalHeadroom forecast; 1 is where the device throttles severely
 * @property batteryLevel 0..1
 */
data class Condition(
    val thermalStatus: ThermalStatus? = null,
    val thermalHeadroom: Double? = null,
    val temperatureC: Double? = null,
    val batteryLevel: Double? = null,
    val charging: Boolean? = null,
    val lowPowerMode: Boolean? = null,
    val loadAverage: Double? = null,
    val frequenciesMhz: List<Double> = emptyList(),
) {
    /** Whether the device says that it holds its clocks back, or is about to. */
    val isHot: Boolean
        get() = thermalStatus.let { it != null && it >= ThermalStatus.MODERATE } ||
            thermalHeadroom.let { it != null && it >= 1 }

    internal val heat: String
        get() = listOfNotNull(
            thermalStatus?.let { "thermal status ${it.word}" },
            thermalHeadroom?.let { "headroom ${fixed(it, 2)}" },
        ).joinToString()
}

/**
 * What a latency depends on.
 *
 * @property isEmulated whether a program imitates the processor
 * @property device a name for people, such as "Pixel 8"
 * @property soc system on chip
 * @property cores logical cores that the process may use
 * @property abi arm64-v8a, x86_64, ...
 * @property runtime name and version of what runs the model
 */
data class Circumstances(
    val isEmulated: Boolean,
    val device: String,
    val soc: String,
    val cores: Int,
    val os: String,
    val abi: String,
    val runtime: String,
    val governor: String? = null,
    val before: Condition = Condition(),
    val after: Condition = Condition(),
)

/**
 * Who computes.
 *
 * @property asked xnnpack or gpu
 * @property used the same words; never what was only asked for
 * @property operators of the file; null where the runtime does not tell
 * @property delegated of these, inside the delegate used
 * @property partitions pieces that the delegated part is cut into
 */
data class Delegate(
    val asked: String,
    val used: String,
    val operators: Int? = null,
    val delegated: Int? = null,
    val partitions: Int? = null,
)
