"""Android's account of itself: properties, battery, thermal service."""

from __future__ import annotations

import re

from edgemat.bench.devices.linux import (
    CONDITION_SCRIPT,
    FACTS_SCRIPT,
    Facts,
    cpu_model,
    hottest,
    parse_condition,
    sections,
)
from edgemat.bench.devices.shell import Shell
from edgemat.bench.result import THERMAL_STATUSES, Condition, ThermalStatus

FORECAST_S = 10
ANDROID_FACTS_SCRIPT = f"{FACTS_SCRIPT}\nsection properties getprop\n"
ANDROID_CONDITION_SCRIPT = f"""{CONDITION_SCRIPT}
section dumpsys-battery dumpsys battery
section thermal dumpsys thermalservice
section headroom cmd thermalservice headroom {FORECAST_S}
section saver settings get global low_power
"""
PROPERTY = re.compile(r"^\[(?P<key>[^\]]+)\]: \[(?P<value>.*)\]$", re.MULTILINE)
TEMPERATURE = re.compile(
    r"Temperature\{mValue=(?P<value>-?[\d.]+), mType=(?P<type>-?\d+), mName=(?P<name>[^,]+),"
)
THRESHOLD = re.compile(
    r"TemperatureThreshold\{mType=(?P<type>\d+), mName=(?P<name>[^,]+), "
    r"mHotThrottlingThresholds=\[(?P<limits>[^\]]*)\]"
)
HEADROOM = re.compile(
    r"headroom[^\n]*?:\s*(?P<value>\d+(?:\.\d+)?)\s*$", re.IGNORECASE | re.MULTILINE
)
SKIN = "3"
SEVERE = THERMAL_STATUSES.index("severe")
DEGREES_TO_SEVERE = 30.0
"""Android's scale of headroom: 0 is so many degrees below the threshold of severe throttling."""
CHARGING, FULL = "2", "5"


def android_facts(shell: Shell) -> Facts:
    """Return what an Android device is."""
    return parse_facts(shell.run(ANDROID_FACTS_SCRIPT).out, shell.name)


def android_condition(shell: Shell) -> Condition:
    """Return the state of an Android device."""
    return parse_android_condition(shell.run(ANDROID_CONDITION_SCRIPT).out)


def parse_facts(text: str, name: str) -> Facts:
    """Return the facts that the output of :data:`ANDROID_FACTS_SCRIPT` tells.

    Parameters
    ----------
    name:
        The device's name where it tells none.
    """
    told = sections(text)
    properties = {m["key"]: m["value"] for m in PROPERTY.finditer(told.get("properties", ""))}

    def joined(*keys: str) -> str:
        return " ".join(filter(None, (properties.get(key, "") for key in keys)))

    release = joined("ro.build.version.release")
    machine = told.get("machine", "")
    return Facts(
        device=joined("ro.product.manufacturer", "ro.product.model") or name,
        soc=joined("ro.soc.manufacturer", "ro.soc.model")
        or joined("ro.board.platform")
        or cpu_model(told.get("cpuinfo", ""))
        or machine,
        machine=machine,
        os=f"Android {release}, {told.get('kernel', '')}" if release else told.get("kernel", ""),
        abi=joined("ro.product.cpu.abi") or machine,
        governor=told.get("governor") or None,
    )


def parse_android_condition(text: str) -> Condition:
    """Return the state that the output of :data:`ANDROID_CONDITION_SCRIPT` tells."""
    told = sections(text)
    thermal = told.get("thermal", "")
    level, charging = battery(told.get("dumpsys-battery", ""))
    seen = parse_condition(text)
    hot = [seen.temperature_c, hottest([value for _, _, value in temperatures(thermal)])]
    return Condition(
        thermal_status=thermal_status(thermal),
        thermal_headroom=headroom(told.get("headroom", ""), thermal),
        temperature_c=max((t for t in hot if t is not None), default=None),
        battery_level=level,
        charging=charging,
        low_power_mode={"0": False, "1": True}.get(told.get("saver", "")),
        load_average=seen.load_average,
        frequencies_mhz=seen.frequencies_mhz,
    )


def battery(dump: str) -> tuple[float | None, bool | None]:
    """Return level, 0..1, and whether it charges, from ``dumpsys battery``."""
    pairs = (line.partition(":") for line in dump.splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    level, scale = fields.get("level", ""), fields.get("scale", "")
    share = int(level) / int(scale) if level.isdigit() and scale.isdigit() and int(scale) else None
    powered = any(key.endswith(" powered") and value == "true" for key, value in fields.items())
    status = fields.get("status")
    charging = None if status is None else status == CHARGING or (status == FULL and powered)
    return (None if share is None else min(share, 1.0)), charging


def thermal_status(dump: str) -> ThermalStatus | None:
    """Return the status in ``dumpsys thermalservice``, None where there is none."""
    found = re.search(r"^\s*Thermal Status: (\d+)\s*$", dump, re.MULTILINE)
    number = int(found[1]) if found else len(THERMAL_STATUSES)
    return THERMAL_STATUSES[number] if number < len(THERMAL_STATUSES) else None


def temperatures(dump: str) -> list[tuple[str, str, float]]:
    """Return type, name and degrees Celsius of each sensor in ``dumpsys thermalservice``.

    What the hardware tells now stands after what the service remembers, which may be stale.
    """
    _, live, now = dump.partition("Current temperatures from HAL:")
    found = TEMPERATURE.finditer(now if live else dump)
    return [(m["type"], m["name"], float(m["value"])) for m in found]


def headroom(answer: str, dump: str) -> float | None:
    """Return the thermal headroom: 1 is where the device throttles severely.

    Parameters
    ----------
    answer:
        Of ``cmd thermalservice headroom``, which Android 15 and later know.
    dump:
        Of ``dumpsys thermalservice``: elsewhere the headroom of now is worked out as Android
        does, from its skin sensors and their thresholds; a forecast it is not.
    """
    if told := HEADROOM.search(answer):
        return float(told["value"])
    limits = {}
    for threshold in THRESHOLD.finditer(dump):
        levels = threshold["limits"].split(",")
        if threshold["type"] == SKIN and len(levels) > SEVERE:
            limits[threshold["name"]] = float(levels[SEVERE])  # NaN where there is none
    rooms = [
        1.0 - (limits[name] - value) / DEGREES_TO_SEVERE
        for kind, name, value in temperatures(dump)
        if kind == SKIN and limits.get(name, float("nan")) > 0
    ]
    return max(0.0, *rooms) if rooms else None
