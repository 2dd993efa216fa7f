"""An arm64 processor that a program imitates: does the file compute right, at what cost?

qemu's user mode runs the runner of arm64 devices here. Its time says nothing of a phone's; the
number of instructions does say something: it is the same each time, and shows a regression.
"""

from __future__ import annotations

import platform
import statistics
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgemat.bench.devices.device import Request, shifted, to_results
from edgemat.bench.devices.job import (
    JOB,
    check_runner_delegate,
    explain_exit,
    job_text,
    model_file,
    read_answers,
    write_inputs,
)
from edgemat.bench.devices.pushed import report_progress
from edgemat.bench.devices.shell import Answer, call
from edgemat.bench.devices.transport import Transport, needing
from edgemat.bench.protocol import Protocol, schedule
from edgemat.bench.result import Circumstances, Result
from edgemat.bench.runner.bundle import (
    DEVICE_ARCHITECTURE,
    LOADERS,
    find_bundle,
    litert_version,
    plugin_path,
)
from edgemat.callbacks import Progress
from edgemat.errors import MissingToolError
from edgemat.folders import part_folder

PROCESSOR = "cortex-a76"
"""A core of many phones: dot products in 8 bit, half floats, no SVE."""
CPU_INFO = """processor\t: 0
Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""
"""The answer of that core's kernel: XNNPACK chooses by it, and must not read this host's."""
SILENCE_S = 3600.0
PROTOCOL = Protocol(
    warmup_runs=0,
    warmup_seconds=0.0,
    runs=2,
    seconds=0.0,
    blocks=2,
    settle_runs=0,
    # Times are not judged: they are those of this host.
    max_cv=1e9,
    max_drift=1e9,
)


@dataclass(frozen=True)
class Emulator:
    """qemu and its plugin that counts instructions."""

    command: Sequence[str]
    plugin: Path


class EmulatedDevice:
    """An arm64 processor in qemu.

    It measures by a protocol of its own, without warm-up and with two inferences of each model.
    """

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Run all models; see :class:`edgemat.bench.devices.device.Device`."""
        check_runner_delegate(request)
        emulator = find_emulator()
        bundle = find_bundle(DEVICE_ARCHITECTURE)
        request = replace(request, protocol=PROTOCOL)
        results: list[Result] = []
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            with tarfile.open(bundle.archive) as archive:
                archive.extractall(work / "runner", filter="data")
            (work / "system" / "proc").mkdir(parents=True)
            (work / "system" / "proc" / "cpuinfo").write_text(CPU_INFO)
            write_inputs(request, work)
            for index, model in enumerate(request.models):
                (work / model_file(index)).symlink_to(model.path.absolute())
            for turn, threads in enumerate(request.threads):
                command = [*_qemu(emulator), *bundle.command("runner")]
                results += _measure(
                    request, threads, work, command, shifted(progress, turn, request)
                )
        return results


EMULATED_ARM64 = Transport(
    name="emulated-arm64",
    open=lambda _, __: EmulatedDevice(),
    list=lambda: [
        needing(
            "emulated-arm64",
            f"{PROCESSOR} in qemu: correctness and instructions",
            lambda: find_bundle(DEVICE_ARCHITECTURE),
            find_emulator,
        )
    ],
)


def find_emulator() -> Emulator:
    """Return the emulator that ``make emulator`` brings.

    Raises
    ------
    MissingToolError
        When it is not there.
    """
    folder, plugin = part_folder("emulator"), plugin_path()
    libraries = folder / "lib" / "x86_64-linux-gnu"
    qemu = folder / "usr" / "bin" / "qemu-aarch64"
    if not qemu.is_file() or not plugin.is_file() or platform.machine() != "x86_64":
        raise MissingToolError(
            "The emulator of arm64 processors is not here.",
            remedy="Run: make emulator (Debian on x86-64)",
        )
    # With the loader and the libraries of its own Debian release, whatever this one has.
    loader = [str(libraries / LOADERS["x86_64"]), "--library-path"]
    path = f"{libraries}:{folder / 'usr' / 'lib' / 'x86_64-linux-gnu'}"
    return Emulator([*loader, path, str(qemu)], plugin)


def _qemu(emulator: Emulator) -> list[str]:
    counting = ["-plugin", str(emulator.plugin), "-d", "plugin", "-D", "counts"]
    # Files below `system` take the place of the host's.
    return [*emulator.command, "-cpu", PROCESSOR, "-L", "system", *counting]


def _measure(
    request: Request, threads: int, work: Path, command: list[str], progress: Progress | None
) -> list[Result]:
    (work / JOB).write_text(job_text(request, threads), encoding="utf-8")
    answer = _run(["env", "-C", str(work), *command, JOB], progress)
    if answer.code != 0:
        raise explain_exit(answer, request, "the emulated processor")
    answers = read_answers(request, work)
    names = [model.name for model in request.models]
    counts = [int(line) for line in (work / "counts").read_text().split()]
    counted = instructions(names, answer.out.splitlines(), counts) if threads == 1 else {}
    recordings = {
        name: recording.model_copy(
            # The emulator's own memory is in the sum: it says nothing of a device's.
            update={"instructions": counted.get(name), "peak_memory_bytes": None}
        )
        for name, recording in answers.recordings.items()
    }
    where = Circumstances(
        transport=EMULATED_ARM64.word,
        device_kind="emulated",
        device=f"qemu {PROCESSOR}",
        soc=PROCESSOR,
        cores=int(answers.cpu_mask, 16).bit_count(),
        cpu_mask=answers.cpu_mask,
        os=f"{platform.system()} in qemu's user mode",
        abi=DEVICE_ARCHITECTURE,
        runtime=f"LiteRT {litert_version()}",
    )
    return to_results(request, threads, recordings, answers.alphas, where)


def _run(command: list[str], progress: Progress | None) -> Answer:
    try:
        return call(
            command,
            timeout_s=SILENCE_S,
            on_line=lambda line: report_progress(line, progress),
        )
    except TimeoutError as error:
        raise MissingToolError(
            f"The emulator was silent for {SILENCE_S:.0f} s.", remedy="Try a smaller model."
        ) from error


def instructions(
    names: Sequence[str], lines: Sequence[str], counts: Sequence[int]
) -> dict[str, int]:
    """Return each model's instructions per inference.

    Parameters
    ----------
    lines, counts:
        What the runner printed, and how many instructions it had executed before each line.
        Those of a block also hold what reads the clock and says the progress, some thousands.
    """
    steps = [n for line, n in zip(lines, counts, strict=True) if line.startswith("progress")]
    blocks: dict[str, list[int]] = {name: [] for name in names}
    begin = len(names) - 1  # after the last warm-up
    for step, name in enumerate(schedule(names, PROTOCOL.blocks), start=begin):
        blocks[name].append(steps[step + 1] - steps[step])
    runs = PROTOCOL.runs / PROTOCOL.blocks
    return {name: round(statistics.median(found) / runs) for name, found in blocks.items()}
