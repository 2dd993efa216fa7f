"""A Linux kernel's account of its processor, here, on Android, and over ssh alike."""

from __future__ import annotations

from dataclasses import dataclass

from edgemat.bench.devices.shell import Shell
from edgemat.bench.result import Condition

MARK = "@@"
SECTION = f"""
section() {{ printf '{MARK}%s\\n' "$1"; shift; "$@" 2>/dev/null; printf '\\n'; }}
"""
"""Shell function: print a title, then what a command prints."""
FACTS_SCRIPT = f"""{SECTION}
section machine uname -m
section host uname -n
section kernel uname -sr
section os cat /etc/os-release
section model cat /proc/device-tree/model
section compatible cat /proc/device-tree/compatible
section cpuinfo cat /proc/cpuinfo
section governor cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor
"""
CONDITION_SCRIPT = f"""{SECTION}
section load cat /proc/loadavg
section cpuinfo cat /proc/cpuinfo
section frequencies cat /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq
section temperatures cat /sys/class/thermal/thermal_zone*/temp
for supply in /sys/class/power_supply/*; do section battery cat "$supply/uevent"; done
"""
PLAUSIBLE_C = (1.0, 130.0)
"""Sensors that are not there read 0 or far below; some zones count no degrees at all."""


@dataclass(frozen=True)
class Facts:
    """A device's parts; they do not change while measuring.

    Attributes
    ----------
    machine:
        The architecture, as ``uname -m`` calls it.
    """

    device: str
    soc: str
    machine: str
    os: str
    abi: str
    governor: str | None = None
    virtualised: bool | None = None


def linux_facts(shell: Shell) -> Facts:
    """Return what a Linux machine behind a shell is."""
    told = sections(shell.run(FACTS_SCRIPT).out)
    machine = told.get("machine", "")
    cpu_info = told.get("cpuinfo", "")
    # The device tree ends its strings with NUL; the last compatible entry is the chip.
    chip = told.get("compatible", "").rstrip("\0").split("\0")[-1]
    system = _shell_values(told.get("os", "")).get("PRETTY_NAME", "")
    return Facts(
        device=told.get("model", "").strip("\0") or told.get("host", "") or shell.name,
        soc=cpu_model(cpu_info) or chip or machine,
        machine=machine,
        os=", ".join(part for part in (system, told.get("kernel", "")) if part),
        abi=machine,
        governor=told.get("governor") or None,
        virtualised=is_virtualised(cpu_info),
    )


def linux_condition(shell: Shell) -> Condition:
    """Return the state of a Linux machine behind a shell."""
    return parse_condition(shell.run(CONDITION_SCRIPT).out)


def parse_condition(text: str) -> Condition:
    """Return the state that the output of :data:`CONDITION_SCRIPT` tells."""
    told = sections(text)
    load = told.get("load", "").split()
    level, charging = _battery(text)
    from_cpufreq = tuple(khz / 1000 for khz in _numbers(told.get("frequencies", "")))
    temperatures = [milli / 1000 for milli in _numbers(told.get("temperatures", ""))]
    return Condition(
        load_average=float(load[0]) if load else None,
        frequencies_mhz=from_cpufreq or frequencies_mhz(told.get("cpuinfo", "")),
        temperature_c=hottest(temperatures),
        battery_level=level,
        charging=charging,
    )


def sections(text: str) -> dict[str, str]:
    """Return title to text of what the shell function ``section`` printed."""
    found = {}
    for part in f"\n{text}".split(f"\n{MARK}")[1:]:
        title, _, content = part.partition("\n")
        found[title.strip()] = content.strip()
    return found


def hottest(temperatures_c: list[float]) -> float | None:
    """Return the highest temperature that a sensor can have, None when none does."""
    low, high = PLAUSIBLE_C
    return max((t for t in temperatures_c if low <= t <= high), default=None)


def cpu_model(cpu_info: str) -> str | None:
    """Return the processor's name from the text of ``/proc/cpuinfo``, None without one."""
    return _field(cpu_info, "model name") or _field(cpu_info, "Hardware")


def is_virtualised(cpu_info: str) -> bool | None:
    """Return whether the CPU's flags name a hypervisor; only x86 tells."""
    flags = _field(cpu_info, "flags")
    return None if flags is None else "hypervisor" in flags.split()


def frequencies_mhz(cpu_info: str) -> tuple[float, ...]:
    """Return the clock of each core now; only x86 tells in ``/proc/cpuinfo``."""
    return tuple(float(value) for value in _fields(cpu_info, "cpu MHz"))


def _battery(text: str) -> tuple[float | None, bool | None]:
    """Return level, 0..1, and whether it charges, of the first battery of the machine itself."""
    for part in text.split(f"{MARK}battery\n")[1:]:
        values = _shell_values(part.partition(MARK)[0])
        own = values.get("POWER_SUPPLY_SCOPE") != "Device"  # a mouse has a battery of its own
        if values.get("POWER_SUPPLY_TYPE") == "Battery" and own:
            capacity = _numbers(values.get("POWER_SUPPLY_CAPACITY", ""))
            level = capacity[0] / 100 if capacity and capacity[0] <= 100 else None
            return level, values.get("POWER_SUPPLY_STATUS") == "Charging"
    return None, None


def _shell_values(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split() if word.lstrip("-").isdigit()]


def _field(cpu_info: str, name: str) -> str | None:
    return next(iter(_fields(cpu_info, name)), None)


def _fields(cpu_info: str, name: str) -> list[str]:
    pairs = (line.partition(":") for line in cpu_info.splitlines())
    return [value.strip() for key, _, value in pairs if key.strip() == name]
