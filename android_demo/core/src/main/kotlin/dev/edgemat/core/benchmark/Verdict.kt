package dev.edgemat.core.benchmark

import kotlin.math.abs

/** In what samples scatter or drift beyond the protocol's limits. */
fun unsteadiness(latency: Latency, protocol: Protocol): List<String> = buildList {
    if (latency.cv > protocol.maxCv) {
        add("CV ${percent(latency.cv, 1)} is above ${percent(protocol.maxCv, 0)}")
    }
    if (abs(latency.drift) > protocol.maxDrift) {
        val sign = if (latency.drift >= 0) "+" else ""
        add("drift $sign${percent(latency.drift, 1)} is beyond ${percent(protocol.maxDrift, 0)}")
    }
}

/** Why a measurement is invalid; empty where it is valid. */
fun reasonsAgainst(
    latency: Latency,
    protocol: Protocol,
    delegate: Delegate,
    circumstances: Circumstances,
    golden: GoldenCheck?,
): List<String> = buildList {
    val (before, after) = circumstances.before to circumstances.after
    addAll(unsteadiness(latency, protocol))
    if (before.isHot) {
        add("the device was hot at the start (${before.heat})")
    } else if (after.isHot) {
        add("the device was throttled at the end (${after.heat})")
    }
    if (before.lowPowerMode == true || after.lowPowerMode == true) add("low-power mode is on")
    if (delegate.used != delegate.asked) {
        add("${delegate.asked} was asked for and ${delegate.used} was used")
    }
    if (golden != null && !golden.passed) {
        add(
            "the matte is wrong: mean |difference| ${significant(golden.meanAbs, 2)} to the " +
                "golden one, limit ${significant(golden.limit, 6)}",
        )
    }
}
