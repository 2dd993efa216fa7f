"""The common ground of all devices: models go in, results come out."""

from __future__ import annotations

import typing
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.golden import read_mattes, read_pixels
from edgemat.bench.protocol import Protocol
from edgemat.bench.result import (
    GOLDEN_LIMIT,
    Circumstances,
    Delegate,
    GoldenCheck,
    OperatorTime,
    Result,
    ResultPart,
    judge_result,
    sustained_curve,
)
from edgemat.bench.stats import summarise
from edgemat.callbacks import Progress
from edgemat.convert.backends import suffix_of
from edgemat.errors import UsageError, nearest
from edgemat.files import sha256_file, size_bytes
from edgemat.images import F32, PIXEL_SCALE
from edgemat.matting.probe import require_safe
from edgemat.matting.runtime import TfliteModel

Runtime = str
"""Which kind of file a device runs, by the name of its backend."""


@dataclass(frozen=True)
class Golden:
    """An input and the matte that the file must compute for it.

    Attributes
    ----------
    pixels:
        float32 (1, H, W, C) in 0..1, as the file takes it.
    alpha:
        float32 of the output's shape.
    """

    pixels: F32
    alpha: F32
    reference: Literal["artefact", "litert-on-host"]


@dataclass(frozen=True)
class BenchModel:
    """A .tflite file or an .mlpackage to measure, under the name that the result has.

    Its input and its expected matte come from the artefact where it is one. A bare file gets
    fixed random pixels, and what LiteRT computes for them here.
    """

    name: str
    path: Path
    artifact: Artifact | None = None

    @classmethod
    def open(cls, path: Path, name: str = "", *, runtime: Runtime = "tflite") -> Self:
        """Open a file or an artefact of the kind that the device runs.

        Raises
        ------
        ArtifactError
            When it is neither, or makes the runtime crash.
        UsageError
            When it is an artefact of another kind.
        """
        name = name or path.name
        suffix = suffix_of(runtime)
        if path.suffix == suffix:
            if runtime == "tflite":
                require_safe(path)
            return cls(name, path)
        artifact = Artifact(path)
        if artifact.manifest.kind != runtime:
            raise UsageError(
                f"{path} holds a {artifact.manifest.kind} model, no {suffix}.",
                remedy="Convert it first: edgemat convert.",
            )
        return cls(name, artifact.payload, artifact)

    @cached_property
    def golden(self) -> Golden:
        """Return the input and the expected matte; worked out once.

        Raises
        ------
        ArtifactError, MissingToolError
            When a bare file cannot be run here.
        """
        return self._stored_golden() or self._computed_golden()

    def _stored_golden(self) -> Golden | None:
        if self.artifact is None or not self.artifact.mattes.exists():
            return None
        pixels = read_pixels(self.artifact)[:1].astype(np.float32) * PIXEL_SCALE
        alpha = read_mattes(self.artifact)[:1, ..., None]
        return Golden(pixels, alpha, "artefact")

    def _computed_golden(self) -> Golden:
        model = TfliteModel(self.path)
        pixels = np.random.default_rng(0).random(model.input_shape, dtype=np.float32)
        return Golden(pixels, model.run(pixels), "litert-on-host")


class Recording(ResultPart):
    """A runner's notes of one model: raw, without a verdict."""

    init_ms: float
    first_ms: float
    warmup_runs: int
    samples_ms: tuple[float, ...]
    sustained_ms: tuple[float, ...] = ()
    delegate: Delegate
    profile: tuple[OperatorTime, ...] = ()
    instructions: int | None = None
    peak_memory_bytes: int | None = None


@dataclass(frozen=True)
class Request:
    """The models to measure, and the settings.

    Attributes
    ----------
    models:
        Measured in turns with each other.
    threads:
        Numbers of threads; all models are measured once with each.
    delegate:
        ``"xnnpack"``, or another that the device has.
    profile:
        Also note the time of each operator, in a pass of its own.
    """

    models: Sequence[BenchModel]
    threads: Sequence[int] = (1,)
    delegate: str = "xnnpack"
    protocol: Protocol = field(default_factory=Protocol)
    profile: bool = False

    def __post_init__(self) -> None:
        if not self.models or not self.threads:
            raise UsageError(
                "There is nothing to measure.",
                remedy="Give at least one model and one number of threads.",
            )
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise UsageError(
                "Two models have the same name.", remedy="Give each a name of its own."
            )


class Device(typing.Protocol):
    """A place where models are measured."""

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Measure all models and return their results: by threads, then in the models' order.

        Raises
        ------
        MissingToolError
            When the device, or a tool on the way to it, is not there, or goes away.
        DiskError
            When the device's disk is full.
        UsageError
            When the device cannot do what is asked.
        """
        ...


def check_delegate(request: Request, known: Collection[str], where: str, why: str = "") -> None:
    """Refuse a delegate that a device has not got.

    Parameters
    ----------
    where, why:
        The device, as the beginning of a sentence, and what is to be said behind it.

    Raises
    ------
    UsageError
        The known ones are offered.
    """
    if request.delegate not in known:
        raise UsageError(
            f"{where} has no delegate {request.delegate!r}{why}.",
            remedy=nearest(request.delegate, known),
        )


def result_of(
    model: BenchModel, sha256: str, results: Sequence[Result], *, where: str, remedy: str
) -> Result:
    """Return the result of a model among those that an app measured, under the model's name.

    Parameters
    ----------
    sha256:
        Of the model's file or package: the app knows it by no other name.
    where:
        The app, in messages.

    Raises
    ------
    UsageError
        When the app has not got the model.
    """
    for result in results:
        if result.model_sha256 == sha256:
            return result.model_copy(update={"name": model.name})
    raise UsageError(f"{where} has not got {model.name}.", remedy=remedy)


def shifted(progress: Progress | None, turn: int, request: Request) -> Progress | None:
    """Return `progress` as that of one turn: all numbers of threads are measured one by one."""
    turns = len(request.threads)
    if progress is None:
        return None

    def shifted(done: int, total: int) -> None:
        progress(turn * total + done, turns * total)

    return shifted


def to_results(
    request: Request,
    threads: int,
    recordings: Mapping[str, Recording],
    alphas: Mapping[str, F32],
    circumstances: Circumstances,
) -> list[Result]:
    """Return results from what a runner noted, with statistics and verdicts worked out here.

    Parameters
    ----------
    recordings, alphas:
        By the model's name: what was noted, and the matte computed for the golden input.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    results = []
    for model in request.models:
        noted = recordings[model.name]
        latency = summarise(noted.samples_ms)
        golden = check_golden(model.golden, alphas[model.name])
        verdict, reason = judge_result(
            latency, request.protocol, noted.delegate, circumstances, golden
        )
        results.append(
            Result(
                name=model.name,
                model_sha256=sha256_file(model.path),
                model_bytes=size_bytes(model.path),
                threads=threads,
                delegate=noted.delegate,
                init_ms=noted.init_ms,
                first_ms=noted.first_ms,
                warmup_runs=noted.warmup_runs,
                samples_ms=noted.samples_ms,
                latency=latency,
                verdict=verdict,
                reason=reason,
                instructions=noted.instructions,
                peak_memory_bytes=noted.peak_memory_bytes,
                golden=golden,
                profile=noted.profile,
                sustained=sustained_curve(noted.sustained_ms) if noted.sustained_ms else None,
                protocol=request.protocol,
                circumstances=circumstances,
                recorded_at=now,
            )
        )
    return results


def check_golden(golden: Golden, alpha: F32) -> GoldenCheck:
    """Compare a matte that a device computed with the expected one.

    Raises
    ------
    UsageError
        When the device's matte is of another size, or not finite.
    """
    if alpha.size != golden.alpha.size or not np.isfinite(alpha).all():
        raise UsageError(
            f"The device's matte has {alpha.size} values, some perhaps not finite; expected are "
            f"{golden.alpha.size}.",
            remedy="Export the model again, and measure that file.",
        )
    difference = np.abs(alpha.reshape(golden.alpha.shape) - golden.alpha)
    return GoldenCheck(
        reference=golden.reference,
        max_abs=float(difference.max()),
        mean_abs=float(difference.mean()),
        limit=GOLDEN_LIMIT,
    )
