"""The answer of every device: one record, one published schema.

``docs/result-schema.json`` is its schema, which :mod:`edgemat.bench.schema` prints. The host, a
phone on a cable, a board on the network, a browser's page and both demo apps write it, so that
their figures can be stored, compared and gated alike.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgemat.bench.protocol import Protocol, unsteadiness
from edgemat.bench.stats import Latency, summarise
from edgemat.errors import ArtifactError, UsageError

MAX_BYTES, MAX_SAMPLES = 16_000_000, 2_000_000
"""Above these a file is no result: an hour of raw samples has half of it."""
SUSTAINED_POINTS = 60
GOLDEN_LIMIT = 0.005
"""Of the mean absolute difference of a device's matte: the bound that `verify` sets for int8."""
SHA256 = r"^[0-9a-f]{64}$"
WORD = r"^[a-z][a-z0-9-]*$"

DeviceKind = Literal["physical", "emulated"]
ThermalStatus = Literal["none", "light", "moderate", "severe", "critical", "emergency", "shutdown"]
THERMAL_STATUSES: tuple[ThermalStatus, ...] = (
    "none", "light", "moderate", "severe", "critical", "emergency", "shutdown",
)  # fmt: skip
"""Android's, in its order; iOS' nominal, fair, serious, critical are none, light, severe,
critical."""


class ResultPart(BaseModel):
    """A part of a result: never changed, no field that the schema does not know, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Delegate(ResultPart):
    """The delegate that computes. `used` is read from the loaded graph, never assumed."""

    asked: str = Field(description="xnnpack, gpu, webgpu, npu, cpu, all, none")
    used: str = Field(description="what most operators really run on: the same words, or more")
    operators: int | None = Field(ge=0, description="operators of the file")
    delegated: int | None = Field(ge=0, description="of these, inside the delegate used")
    partitions: int | None = Field(ge=0, description="pieces the delegated part is cut into")


class Condition(ResultPart):
    """A device's state at one moment; null is what it does not tell."""

    thermal_status: ThermalStatus | None = None
    thermal_headroom: float | None = Field(
        default=None, ge=0, description="forecast, 1 is where the device throttles severely"
    )
    temperature_c: float | None = Field(default=None, description="hottest sensor, degrees Celsius")
    battery_level: float | None = Field(default=None, ge=0, le=1)
    charging: bool | None = None
    low_power_mode: bool | None = None
    load_average: float | None = Field(default=None, ge=0, description="of one minute")
    frequencies_mhz: tuple[float, ...] = Field(default=(), description="of each core")


class Circumstances(ResultPart):
    """Circumstances that a latency depends on; null is what the device does not tell."""

    # Any word, so that one may read what a newer edgemat measured.
    transport: str = Field(
        pattern=WORD, description="way to the device: host, adb, ssh, ...; `edgemat devices`"
    )
    device_kind: DeviceKind = Field(description="emulated: a program imitates the processor")
    device: str = Field(description="a name for people, such as 'Pixel 8' or 'this machine'")
    soc: str = Field(description="system on chip, or processor")
    cores: int = Field(ge=1, description="logical cores that the process may use")
    cpu_mask: str | None = Field(default=None, description="hexadecimal, bit n is core n")
    os: str
    abi: str = Field(description="arm64-v8a, x86_64, wasm32, ...")
    governor: str | None = Field(default=None, description="frequency governor of core 0")
    virtualised: bool | None = Field(
        default=None, description="a hypervisor shares the processor out: neighbours may disturb"
    )
    runtime: str = Field(description="name and version of what runs the model")
    before: Condition = Condition()
    after: Condition = Condition()


class GoldenCheck(ResultPart):
    """The device's matte against the expected one, computed in the same run."""

    reference: Literal["artefact", "litert-on-host"] = Field(
        description="artefact: the matte stored with it; else what LiteRT computes where "
        "edgemat runs"
    )
    max_abs: float = Field(ge=0)
    mean_abs: float = Field(ge=0)
    limit: float = Field(gt=0, description="of mean_abs")

    @property
    def passed(self) -> bool:
        return self.mean_abs <= self.limit


class OperatorTime(ResultPart):
    """One kind of operator, or one operator, in the runtime's own profile."""

    name: str
    count: int = Field(ge=1, description="operators of that name")
    ms: float = Field(ge=0, description="mean of one inference")


class Sustained(ResultPart):
    """The course of the latency when the device does nothing else for minutes."""

    seconds: float = Field(gt=0)
    at_s: tuple[float, ...] = Field(description="middle of each window")
    p50_ms: tuple[float, ...] = Field(description="median of the inferences in the window")
    runs: int = Field(ge=1)

    @property
    def change(self) -> float:
        """Return the last window's median over the first's, minus 1."""
        return self.p50_ms[-1] / self.p50_ms[0] - 1.0


class Result(ResultPart):
    """The latency of one model on one device in one setting, with all that it depends on.

    An emulated device has no latency worth a name: its figure is `instructions`.
    """

    schema_version: Literal[2] = 2
    name: str
    model_sha256: str = Field(pattern=SHA256)
    model_bytes: int = Field(ge=1)
    threads: int = Field(ge=1)
    delegate: Delegate
    init_ms: float = Field(ge=0, description="loading the file and preparing its graph")
    first_ms: float = Field(ge=0, description="the first inference")
    warmup_runs: int = Field(ge=0)
    samples_ms: tuple[float, ...] = Field(
        min_length=1,
        max_length=MAX_SAMPLES,
        description="raw latencies, in the order in which they were taken",
    )
    latency: Latency
    verdict: Literal["valid", "invalid"]
    reason: str = Field(description="why it is invalid, else empty")
    instructions: int | None = Field(
        default=None, ge=1, description="of one inference, where an emulator counts them"
    )
    peak_memory_bytes: int | None = Field(
        default=None, ge=0, description="of the whole process, all its models included"
    )
    golden: GoldenCheck | None = Field(description="null: nothing was there to compare with")
    profile: tuple[OperatorTime, ...] = ()
    sustained: Sustained | None = None
    protocol: Protocol
    circumstances: Circumstances
    recorded_at: str = Field(description="UTC, ISO 8601")

    def to_json(self) -> dict[str, Any]:
        """Return the result as a mapping that JSON can hold, raw samples included."""
        return self.model_dump(mode="json")


def judge_result(
    latency: Latency,
    protocol: Protocol,
    delegate: Delegate,
    circumstances: Circumstances,
    golden: GoldenCheck | None,
) -> tuple[Literal["valid", "invalid"], str]:
    """Return the verdict on a measurement, and all reasons when it is invalid (else empty)."""
    before, after = circumstances.before, circumstances.after
    reasons = list(unsteadiness(latency, protocol))
    if is_hot(before):
        reasons.append(f"the device was hot at the start ({_heat(before)})")
    elif is_hot(after):
        reasons.append(f"the device was throttled at the end ({_heat(after)})")
    if before.low_power_mode or after.low_power_mode:
        reasons.append("low-power mode is on")
    if delegate.asked != "all" and delegate.used != delegate.asked:  # all: the runtime chooses
        reasons.append(f"{delegate.asked} was asked for and {delegate.used} was used")
    if golden is not None and not golden.passed:
        reasons.append(
            f"the matte is wrong: mean |difference| {golden.mean_abs:.2g} to the golden one, "
            f"limit {golden.limit:g}"
        )
    return ("invalid" if reasons else "valid"), "; ".join(reasons)


def is_hot(condition: Condition) -> bool:
    """Return whether a device says that it holds its clocks back, or is about to."""
    status, headroom = condition.thermal_status, condition.thermal_headroom
    throttled = status is not None and THERMAL_STATUSES.index(status) >= 2
    return throttled or (headroom is not None and headroom >= 1.0)


def sustained_curve(samples_ms: Sequence[float]) -> Sustained:
    """Return the curve of inferences that followed each other without a pause."""
    samples = np.asarray(samples_ms, dtype=np.float64)
    ends = np.cumsum(samples) / 1000.0
    seconds = float(ends[-1])
    window = np.minimum((ends / seconds * SUSTAINED_POINTS).astype(int), SUSTAINED_POINTS - 1)
    filled = [n for n in range(SUSTAINED_POINTS) if (window == n).any()]
    width = seconds / SUSTAINED_POINTS
    return Sustained(
        seconds=seconds,
        at_s=tuple((n + 0.5) * width for n in filled),
        p50_ms=tuple(float(np.median(samples[window == n])) for n in filled),
        runs=samples.size,
    )


def parse_results(text: str | bytes, source: str) -> list[Result]:
    """Return the results in a JSON text: one, or a list of them.

    The summary and the verdict are worked out again from the raw samples: who measured does
    not judge.

    Parameters
    ----------
    source:
        Where the text comes from, for messages.

    Raises
    ------
    ArtifactError
        When the text is no JSON or does not fit the schema.
    """
    try:
        loaded = json.loads(text)
        items = loaded if isinstance(loaded, list) else [loaded]
        return [_judged_again(Result.model_validate(item)) for item in items]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        detail = f"{place}: {first['msg']}" if place else first["msg"]
    except UsageError as error:  # an impossible protocol, samples that are none
        detail = error.message.rstrip(".")
    except (ValueError, RecursionError) as error:  # no JSON, or no text
        detail = str(error).splitlines()[0]
    raise ArtifactError(
        f"{source} is no benchmark result: {detail}.",
        remedy="Give a JSON file that edgemat bench or a demo app wrote; the schema is "
        "docs/result-schema.json.",
    )


def read_results(path: Path) -> list[Result]:
    """Return the results in a JSON file; see :func:`parse_results`."""
    try:
        size, text = path.stat().st_size, b""
        if size <= MAX_BYTES:
            text = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}.", remedy="Give the path of a JSON file."
        ) from error
    if size > MAX_BYTES:
        raise ArtifactError(
            f"{path} has {size / 1e6:.0f} MB: no result is that large.",
            remedy="Give a JSON file that edgemat bench or a demo app wrote.",
        )
    return parse_results(text, str(path))


def _judged_again(result: Result) -> Result:
    latency = summarise(result.samples_ms)
    verdict, reason = judge_result(
        latency, result.protocol, result.delegate, result.circumstances, result.golden
    )
    return result.model_copy(update={"latency": latency, "verdict": verdict, "reason": reason})


def _heat(condition: Condition) -> str:
    status, headroom = condition.thermal_status, condition.thermal_headroom
    told = [] if status is None else [f"thermal status {status}"]
    if headroom is not None:
        told.append(f"headroom {headroom:.2f}")
    return ", ".join(told)
