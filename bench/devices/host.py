"""Measure .tflite files on the machine this runs on, and say what machine that is."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgemat.bench.devices.device import (
    BenchModel,
    Recording,
    Request,
    check_delegate,
    shifted,
    to_results,
)
from edgemat.bench.devices.linux import cpu_model, frequencies_mhz, is_virtualised
from edgemat.bench.devices.transport import Attached, Transport
from edgemat.bench.protocol import NS_PER_MS, Protocol, measure
from edgemat.bench.result import Circumstances, Condition, Delegate, Result
from edgemat.callbacks import Progress
from edgemat.images import F32
from edgemat.matting.runtime import Kernels, TfliteModel, runtime_version

STATUS = Path("/proc/self/status")
CPU_INFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
KERNELS: Mapping[str, Kernels] = {"xnnpack": "xnnpack", "none": "builtin"}


class HostDevice:
    """This machine."""

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Measure all models on this machine; see :class:`edgemat.bench.devices.device.Device`."""
        check_delegate(request, KERNELS, "This machine")
        results: list[Result] = []
        for turn, threads in enumerate(request.threads):
            results += self._measure(request, threads, shifted(progress, turn, request))
        return results

    def _measure(self, request: Request, threads: int, progress: Progress | None) -> list[Result]:
        before = host_condition()
        loaded, recordings = {}, {}
        for model in request.models:
            loaded[model.name] = _load(model, threads, KERNELS[request.delegate])
        measured = measure(
            {name: item.invoke for name, (item, _, _) in loaded.items()},
            request.protocol,
            progress=progress,
        )
        alphas: dict[str, F32] = {}
        for name, (ready, init_ms, first_ms) in loaded.items():
            coverage = ready.delegate_coverage()
            recordings[name] = Recording(
                init_ms=init_ms,
                first_ms=first_ms,
                warmup_runs=measured[name].warmup_runs,
                samples_ms=measured[name].samples_ms,
                sustained_ms=measured[name].sustained_ms,
                delegate=Delegate(
                    asked=request.delegate,
                    used="xnnpack" if coverage.delegated else "none",
                    operators=coverage.total,
                    delegated=coverage.delegated,
                    partitions=coverage.partitions,
                ),
                peak_memory_bytes=peak_rss_bytes(),
            )
            alphas[name] = ready.output()
        where = host_circumstances(before=before, after=host_condition())
        return to_results(request, threads, recordings, alphas, where)


HOST = Transport(
    name="host",
    open=lambda _, __: HostDevice(),
    list=lambda: [Attached("host", True, "this machine")],
)


def bench_host(
    models: Mapping[str, Path],
    *,
    threads: Sequence[int] = (1, 2),
    protocol: Protocol | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Measure .tflite files or artefacts under their names; see :class:`HostDevice`."""
    request = Request(
        [BenchModel.open(path, name) for name, path in models.items()],
        threads,
        protocol=protocol or Protocol(),
    )
    return HostDevice().measure(request, progress=progress)


def host_circumstances(
    *, before: Condition | None = None, after: Condition | None = None
) -> Circumstances:
    """Return what this machine tells of itself.

    Raises
    ------
    MissingToolError
        When the LiteRT runtime is not installed.
    """
    info = _cpu_info()
    mask = _cpu_mask()
    return Circumstances(
        transport=HOST.word,
        device_kind="physical",
        device="this machine",
        soc=host_processor(),
        cores=mask.bit_count() if mask else os.cpu_count() or 1,
        cpu_mask=f"{mask:x}" if mask else None,
        os=platform.platform(),
        abi=platform.machine(),
        governor=GOVERNOR.read_text().strip() if GOVERNOR.exists() else None,
        virtualised=is_virtualised(info),
        runtime=runtime_version(),
        before=before or host_condition(),
        after=after or Condition(),
    )


def _cpu_info() -> str:
    return CPU_INFO.read_text(encoding="utf-8") if CPU_INFO.exists() else ""


def host_processor() -> str:
    """Return the name of this machine's processor."""
    return cpu_model(_cpu_info()) or platform.processor() or platform.machine()


def host_condition() -> Condition:
    """Return the load and the clocks of this machine now."""
    info = _cpu_info()
    return Condition(
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        frequencies_mhz=frequencies_mhz(info),
    )


def peak_rss_bytes() -> int | None:
    """Return this process's peak resident memory in bytes, None where the system has no such.

    Linux hands a parent's ``ru_maxrss`` on to the programs that it starts, so a small child of a
    large process would seem large; VmHWM begins anew with each program.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _load(model: BenchModel, threads: int, kernels: Kernels) -> tuple[TfliteModel, float, float]:
    """Return a model with its golden input in place; time its loading and its first inference."""
    # Loaded once untimed, so that init tests neither the disk nor the import of the runtime.
    TfliteModel(model.path, threads=threads, kernels=kernels)
    start = time.perf_counter_ns()
    loaded = TfliteModel(model.path, threads=threads, kernels=kernels)
    ready = time.perf_counter_ns()
    loaded.set_input(model.golden.pixels)
    begin = time.perf_counter_ns()
    loaded.invoke()
    end = time.perf_counter_ns()
    return loaded, (ready - start) / NS_PER_MS, (end - begin) / NS_PER_MS


def _cpu_mask() -> int:
    if hasattr(os, "sched_getaffinity"):
        return sum(1 << core for core in os.sched_getaffinity(0))
    return 0
