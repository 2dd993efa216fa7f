"""What a Linux kernel tells of its processor, here, on Android, and over ssh alike."""

from __future__ import annotations


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


def _field(cpu_info: str, name: str) -> str | None:
    return next(iter(_fields(cpu_info, name)), None)


def _fields(cpu_info: str, name: str) -> list[str]:
    pairs = (line.partition(":") for line in cpu_info.splitlines())
    return [value.strip() for key, _, value in pairs if key.strip() == name]
