package dev.edgemat.core.benchmark

import dev.edgemat.core.doubles
import dev.edgemat.core.json.Json

// Python's records, read from the vectors.

internal val Json.protocol get() = Protocol.of(this)

internal val Json.delegate
    get() = Delegate(
        asked = this["asked"].string,
        used = this["used"].string,
        operators = this["operators"].orNull?.int,
        delegated = this["delegated"].orNull?.int,
        partitions = this["partitions"].orNull?.int,
    )

internal val Json.goldenCheck
    get() = GoldenCheck(this["max_abs"].double, this["mean_abs"].double, this["limit"].double)

internal val Json.condition
    get() = Condition(
        thermalStatus = this["thermal_status"].orNull?.let { status ->
            ThermalStatus.entries.first { it.word == status.string }
        },
        thermalHeadroom = this["thermal_headroom"].orNull?.double,
        temperatureC = this["temperature_c"].orNull?.double,
        batteryLevel = this["battery_level"].orNull?.double,
        charging = this["charging"].orNull?.boolean,
        lowPowerMode = this["low_power_mode"].orNull?.boolean,
        loadAverage = this["load_average"].orNull?.double,
        frequenciesMhz = this["frequencies_mhz"].doubles,
    )

internal val Json.circumstances
    get() = Circumstances(
        isEmulated = this["device_kind"].string == "emulated",
        device = this["device"].string,
        soc = this["soc"].string,
        cores = this["cores"].int,
        os = this["os"].string,
        abi = this["abi"].string,
        runtime = this["runtime"].string,
        governor = this["governor"].orNull?.string,
        before = this["before"].condition,
        after = this["after"].condition,
    )
