package dev.edgemat.demo.benchmark

import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import dev.edgemat.core.benchmark.Circumstances
import dev.edgemat.core.benchmark.Condition
import dev.edgemat.core.benchmark.ThermalStatus
import dev.edgemat.demo.model.LITERT_VERSION
import java.io.File
import java.io.IOException
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import java.util.TimeZone

/** What this phone tells of itself. */
class Phone(private val context: Context) {
    private val cores = Runtime.getRuntime().availableProcessors()

    fun circumstances(before: Condition, after: Condition) = Circumstances(
        isEmulated = Build.HARDWARE in EMULATORS,
        device = "${Build.MANUFACTURER} ${Build.MODEL}",
        soc = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) Build.SOC_MODEL else Build.HARDWARE,
        cores = cores,
        os = "Android ${Build.VERSION.RELEASE}",
        abi = Build.SUPPORTED_ABIS.first(),
        runtime = "LiteRT $LITERT_VERSION",
        governor = read("$CPU/cpu0/cpufreq/scaling_governor"),
        before = before,
        after = after,
    )

    fun condition(): Condition {
        val power = context.getSystemService(PowerManager::class.java)
        val battery = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        return Condition(
            thermalStatus = thermalStatus(power),
            thermalHeadroom = thermalHeadroom(power),
            batteryLevel = battery?.level,
            charging = battery?.let { it.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) != 0 },
            lowPowerMode = power.isPowerSaveMode,
            frequenciesMhz = frequenciesMhz(),
        )
    }

    /** The largest memory that this process has had. */
    fun peakMemoryBytes(): Long? = read("/proc/self/status")
        ?.lineSequence()
        ?.firstOrNull { it.startsWith("VmHWM:") }
        ?.let { line -> line.filter(Char::isDigit).toLongOrNull()?.times(BYTES_PER_KIB) }

    /** UTC, ISO 8601. */
    fun now(): String = SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'+00:00'", Locale.ROOT)
        .apply { timeZone = TimeZone.getTimeZone("UTC") }
        .format(Date())

    private fun thermalStatus(power: PowerManager): ThermalStatus? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return null
        return ThermalStatus.entries.getOrNull(power.currentThermalStatus)
    }

    private fun thermalHeadroom(power: PowerManager): Double? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return null
        return power.getThermalHeadroom(FORECAST_SECONDS).toDouble().takeIf { it.isFinite() }
    }

    /** Of every core, or of none: a list with gaps would say something wrong. */
    private fun frequenciesMhz(): List<Double> {
        val found = (0 until cores).mapNotNull { core ->
            read("$CPU/cpu$core/cpufreq/scaling_cur_freq")?.toDoubleOrNull()?.div(KHZ_PER_MHZ)
        }
        return found.takeIf { it.size == cores }.orEmpty()
    }

    private val Intent.level: Double?
        get() {
            val level = getIntExtra(BatteryManager.EXTRA_LEVEL, -1)
            val scale = getIntExtra(BatteryManager.EXTRA_SCALE, -1)
            return if (level >= 0 && scale > 0) level.toDouble() / scale else null
        }

    /** Null where the system keeps it from apps. */
    private fun read(file: String): String? = try {
        File(file).readText().trim()
    } catch (_: IOException) {
        null
    }

    private companion object {
        const val CPU = "/sys/devices/system/cpu"
        const val FORECAST_SECONDS = 10
        const val BYTES_PER_KIB = 1024L
        const val KHZ_PER_MHZ = 1000.0
        val EMULATORS = setOf("goldfish", "ranchu", "cutf_cvm")
    }
}
