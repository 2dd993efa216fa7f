"""The runner's job and its answer: the files that go to a device and come back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.bench.devices.device import Recording, Request, check_delegate
from edgemat.bench.devices.shell import DISK_FULL, Answer
from edgemat.bench.protocol import NS_PER_MS, NS_PER_S
from edgemat.bench.result import MAX_BYTES, Delegate, OperatorTime
from edgemat.errors import ArtifactError, DiskError, EdgematError, UsageError
from edgemat.images import F32

JOB, RESULT = "job.txt", "result.json"
DELEGATES = ("xnnpack", "none")
PROFILE_RUNS = 20
SAYS = "runner: "
"""The beginning of the runner's line that says what went wrong."""
EXIT_DISK, EXIT_MEMORY = 13, 14
SIGNAL = 128
"""A shell adds this to the signal that ended a program."""
ENDINGS = {
    4: "it meets an instruction that the processor does not have",
    6: "it gave up",
    9: "it was killed, perhaps because memory ran out",
    11: "it crashed",
}


@dataclass(frozen=True)
class Answers:
    """The answers of one run of the runner, by the models' names.

    Attributes
    ----------
    cpu_mask:
        Hexadecimal; the cores that the process might use.
    """

    recordings: Mapping[str, Recording]
    alphas: Mapping[str, F32]
    cpu_mask: str


def model_file(index: int) -> str:
    """Return the name that a model has on a device: never the user's."""
    return f"model{index}.tflite"


def input_file(index: int) -> str:
    """Return the name of a model's input on a device."""
    return f"input{index}.raw"


def output_file(index: int) -> str:
    """Return the name of a model's output on a device."""
    return f"output{index}.raw"


def check_runner_delegate(request: Request) -> None:
    """Raise :class:`UsageError` when the runner has not the delegate that is asked for."""
    check_delegate(request, DELEGATES, "The runner", ": it runs on the CPU")


def write_inputs(request: Request, folder: Path) -> None:
    """Write each model's golden input as raw float32."""
    for index, model in enumerate(request.models):
        model.golden.pixels.astype("<f4").tofile(folder / input_file(index))


def job_text(request: Request, threads: int, cpu_mask: int = 0) -> str:
    """Return the job file of one run: all models, one number of threads.

    Parameters
    ----------
    cpu_mask:
        Bit n is core n; 0 leaves the system's choice.
    """
    protocol = request.protocol
    settings: dict[str, Any] = {
        "threads": threads,
        "cpu_mask": f"{cpu_mask:x}",
        "delegate": request.delegate,
        "warmup_runs": protocol.warmup_runs,
        "warmup_ns": round(protocol.warmup_seconds * NS_PER_S),
        "runs": protocol.runs,
        "measure_ns": math.ceil(protocol.seconds * NS_PER_S),
        "blocks": protocol.blocks,
        "settle_runs": protocol.settle_runs,
        "sustained_ns": round(protocol.sustained_seconds * NS_PER_S),
        "profile_runs": PROFILE_RUNS if request.profile else 1,
        "result": RESULT,
    }
    lines = [f"{key}={value}" for key, value in settings.items()]
    for index in range(len(request.models)):
        lines.append(f"model={model_file(index)}")
        lines.append(f"input={input_file(index)}")
        lines.append(f"output={output_file(index)}")
    return "\n".join(lines) + "\n"


def read_answers(request: Request, folder: Path) -> Answers:
    """Return what the runner wrote into a folder.

    Raises
    ------
    ArtifactError
        When that is no result: whoever answers on a device need not be the runner.
    """
    try:
        return _read_answers(request, folder)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ArtifactError(
            "The runner's answer is no result.",
            remedy="Run the same command again, or build the runner anew: make runner.",
        ) from error


def _read_answers(request: Request, folder: Path) -> Answers:
    if (folder / RESULT).stat().st_size > MAX_BYTES:
        raise ValueError("no result is that large")
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    recordings, alphas = {}, {}
    for index, (model, noted) in enumerate(zip(request.models, result["models"], strict=True)):
        recordings[model.name] = Recording(
            init_ms=noted["init_ns"] / NS_PER_MS,
            first_ms=noted["first_ns"] / NS_PER_MS,
            warmup_runs=noted["warmup_runs"],
            samples_ms=tuple(ns / NS_PER_MS for ns in noted["samples_ns"]),
            sustained_ms=tuple(ns / NS_PER_MS for ns in noted["sustained_ns"]),
            delegate=_delegate(request.delegate, noted["delegate"]),
            profile=_profile(noted["profile"]) if request.profile else (),
            peak_memory_bytes=result["peak_memory_bytes"],
        )
        alphas[model.name] = np.fromfile(folder / output_file(index), "<f4")
    mask = result["cpu_mask"]
    if re.fullmatch("[0-9a-f]{1,64}", mask) is None:
        raise ValueError("no CPU mask")
    return Answers(recordings, alphas, mask)


def explain_exit(answer: Answer, request: Request, where: str) -> EdgematError:
    """Return the error of a runner that ended with another status than 0.

    Parameters
    ----------
    where:
        The device, for the message.
    """
    said = [line.partition(SAYS)[2] for line in answer.err.splitlines() if SAYS in line]
    reason = said[-1] if said else ENDINGS.get(answer.code - SIGNAL, answer.last_line)
    for index, model in enumerate(request.models):
        reason = reason.replace(model_file(index), model.name)
    if answer.code == EXIT_DISK or DISK_FULL.search(answer.err):
        return DiskError(
            f"The disk of {where} is full: {reason}.",
            remedy="Free some space there, then run the same command again.",
        )
    remedy = "Run the model here first: edgemat bench MODEL --device host."
    if answer.code in (EXIT_MEMORY, SIGNAL + 9):
        remedy = "Measure fewer models at once, or smaller ones."
    return UsageError(f"The runner failed on {where}: {reason}.", remedy=remedy)


def _delegate(asked: str, told: dict[str, Any] | None) -> Delegate:
    if told is None:  # the runtime's profiler said nothing that could be counted
        return Delegate(
            asked=asked, used="unknown", operators=None, delegated=None, partitions=None
        )
    return Delegate(asked=asked, **told)


def _profile(kinds: list[dict[str, Any]]) -> tuple[OperatorTime, ...]:
    return tuple(
        OperatorTime(name=kind["name"], count=kind["count"], ms=kind["ns"] / NS_PER_MS)
        for kind in kinds
    )
