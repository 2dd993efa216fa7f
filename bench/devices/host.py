"""Measure .tflite files on the machine this runs on, and say what machine that is."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.protocol import NS_PER_MS, Measurement, Progress, Protocol, measure
from bench.stats import Latency
from edgemat.errors import UsageError
from edgemat.files import sha256_file, size_bytes
from edgemat.runtime import DelegateCoverage, Kernels, TfliteModel, runtime_version

SCHEMA = 1
CPU_INFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


@dataclass(frozen=True)
class Circumstances:
    """What a latency of this machine depends on. None means: this system does not tell.

    Attributes
    ----------
    device_kind:
        ``"physical"``: the code ran on the CPU itself and was not emulated.
    virtualised:
        Whether a hypervisor shares that CPU out, so that neighbours may disturb the times.
    cores:
        Logical cores that this process may use.
    abi:
        Machine architecture, for example ``x86_64``.
    governor:
        Frequency governor of core 0.
    load_before, load_after:
        One-minute load average around the measurement.
    """

    device_kind: Literal["physical", "emulated"]
    virtualised: bool | None
    cpu_model: str
    cores: int
    os: str
    abi: str
    governor: str | None
    load_before: float | None
    load_after: float | None
    runtime: str


@dataclass(frozen=True)
class HostResult:
    """The latency of one model with one number of threads on this machine.

    Attributes
    ----------
    name:
        As the caller named the model.
    delegate_asked, delegate_used:
        ``"xnnpack"`` or ``"none"``; used is read from the loaded graph, never assumed.
    delegate_coverage:
        Operators inside the delegate, operators in all, and partitions.
    init_ms:
        Loading the file and preparing its graph, in a process that has loaded it once before.
    first_ms:
        The first inference.
    process_peak_rss_bytes:
        Peak resident memory of this whole process so far, all loaded models included; None
        where the system does not tell.
    recorded_at:
        UTC, ISO 8601.
    """

    name: str
    model_sha256: str
    model_bytes: int
    threads: int
    delegate_asked: str
    delegate_used: str
    delegate_coverage: DelegateCoverage
    init_ms: float
    first_ms: float
    warmup_runs: int
    samples_ms: tuple[float, ...]
    latency: Latency
    verdict: Literal["valid", "invalid"]
    reason: str
    process_peak_rss_bytes: int | None
    protocol: Protocol
    circumstances: Circumstances
    recorded_at: str

    def to_json(self) -> dict[str, Any]:
        """Return the result as a mapping that JSON can hold, raw samples included."""
        return {"schema": SCHEMA, **asdict(self), "samples_ms": list(self.samples_ms)}


@dataclass(frozen=True)
class _Loaded:
    model: TfliteModel
    init_ms: float
    first_ms: float


def bench_host(
    models: Mapping[str, Path],
    *,
    threads: Sequence[int] = (1, 2),
    protocol: Protocol | None = None,
    kernels: Kernels = "xnnpack",
    progress: Progress | None = None,
) -> list[HostResult]:
    """Measure all models, interleaved with each other, once per number of threads.

    Parameters
    ----------
    models:
        Name to .tflite file.
    threads:
        Numbers of threads.
    protocol:
        Settings of the measurement; the full ones by default.
    progress:
        Called with (blocks done, blocks in all).

    Raises
    ------
    UsageError
        When there is no model, no number of threads, or an impossible one.
    ArtifactError, MissingToolError
        When a file or the runtime is missing or a file is damaged.
    """
    if not models or not threads:
        raise UsageError(
            "There is nothing to measure.",
            remedy="Give at least one model and one number of threads.",
        )
    protocol = protocol or Protocol()
    results: list[HostResult] = []
    for turn, count in enumerate(threads):
        load_before = _load_average()
        loaded = {name: _load(path, count, kernels) for name, path in models.items()}
        measured = measure(
            {name: item.model.invoke for name, item in loaded.items()},
            protocol,
            progress=_shifted(progress, turn, len(threads)),
        )
        where = host_circumstances(load_before=load_before, load_after=_load_average())
        results += [_result(name, loaded[name], measured[name], protocol, where) for name in loaded]
    return results


def host_circumstances(
    *, load_before: float | None = None, load_after: float | None = None
) -> Circumstances:
    """Return what this machine tells of itself.

    Raises
    ------
    MissingToolError
        When the LiteRT runtime is not installed.
    """
    info = CPU_INFO.read_text(encoding="utf-8") if CPU_INFO.exists() else ""
    return Circumstances(
        device_kind="physical",
        virtualised=_virtualised(info),
        cpu_model=_cpu_model(info),
        cores=_usable_cores(),
        os=platform.platform(),
        abi=platform.machine(),
        governor=GOVERNOR.read_text().strip() if GOVERNOR.exists() else None,
        load_before=load_before,
        load_after=load_after,
        runtime=runtime_version(),
    )


def peak_rss_bytes() -> int | None:
    """Return this process's peak resident memory in bytes, None where the system has no such."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _load(path: Path, threads: int, kernels: Kernels) -> _Loaded:
    """Load a model and run it once on a fixed input, timing both."""
    # Loaded once untimed, so that init tests neither the disk nor the import of the runtime.
    TfliteModel(path, threads=threads, kernels=kernels)
    start = time.perf_counter_ns()
    model = TfliteModel(path, threads=threads, kernels=kernels)
    ready = time.perf_counter_ns()
    random = np.random.default_rng(0)
    model.set_input(random.random(model.input_shape, dtype=np.float32))
    begin = time.perf_counter_ns()
    model.invoke()
    end = time.perf_counter_ns()
    return _Loaded(model, (ready - start) / NS_PER_MS, (end - begin) / NS_PER_MS)


def _result(
    name: str, loaded: _Loaded, measured: Measurement, protocol: Protocol, where: Circumstances
) -> HostResult:
    model = loaded.model
    coverage = model.delegate_coverage()
    return HostResult(
        name=name,
        model_sha256=sha256_file(model.path),
        model_bytes=size_bytes(model.path),
        threads=model.threads,
        delegate_asked="xnnpack" if model.kernels == "xnnpack" else "none",
        delegate_used="xnnpack" if coverage.delegated else "none",
        delegate_coverage=coverage,
        init_ms=loaded.init_ms,
        first_ms=loaded.first_ms,
        warmup_runs=measured.warmup_runs,
        samples_ms=measured.samples_ms,
        latency=measured.latency,
        verdict=measured.verdict,
        reason=measured.reason,
        process_peak_rss_bytes=peak_rss_bytes(),
        protocol=protocol,
        circumstances=where,
        recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _shifted(progress: Progress | None, turn: int, turns: int) -> Progress | None:
    """Return `progress` as one of several equal turns of a longer work."""
    if progress is None:
        return None
    report: Callable[[int, int], None] = progress

    def shifted(done: int, total: int) -> None:
        report(turn * total + done, turns * total)

    return shifted


def _virtualised(cpu_info: str) -> bool | None:
    """Return whether the CPU's flags name a hypervisor; only x86 tells."""
    flags = _cpu_field(cpu_info, "flags")
    return None if flags is None else "hypervisor" in flags.split()


def _cpu_model(cpu_info: str) -> str:
    return _cpu_field(cpu_info, "model name") or platform.processor() or platform.machine()


def _cpu_field(cpu_info: str, name: str) -> str | None:
    for line in cpu_info.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load_average() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
