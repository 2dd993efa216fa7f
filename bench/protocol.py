"""The protocol of measuring a latency, so that the next person gets the same number.

Every candidate is warmed up, then all are measured in blocks that take turns A-B-B-A, so that a
slow change of the machine (heat, a neighbour) meets all of them alike. Only the call itself
lies between two readings of the clock. Raw samples are kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from edgemat.bench.stats import Latency, summarise
from edgemat.callbacks import Progress
from edgemat.errors import UsageError

Clock = Callable[[], int]
"""Returns nanoseconds, monotonic."""
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Protocol:
    """The settings of one measurement. All minimums hold per candidate.

    Attributes
    ----------
    warmup_runs, warmup_seconds:
        Both minimums must be met before anything is measured.
    runs, seconds:
        Both minimums of the measured part; `seconds` is the sum of the samples.
    blocks:
        Blocks per candidate, even, so that every A-B-B-A is complete.
    settle_runs:
        Unmeasured runs at the start of a block: the caches still hold the other candidate.
    max_cv, max_drift:
        Above these the measurement is called invalid.
    sustained_seconds:
        Afterwards each candidate runs alone for so long, without a pause; 0 leaves that out.
    """

    warmup_runs: int = 10
    warmup_seconds: float = 1.0
    runs: int = 200
    seconds: float = 10.0
    blocks: int = 10
    settle_runs: int = 1
    max_cv: float = 0.10
    max_drift: float = 0.10
    sustained_seconds: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("warmup_runs", 0), ("runs", 1), ("settle_runs", 0)):
            if getattr(self, name) < least:
                raise _impossible(name, getattr(self, name), f"at least {least}")
        for name in ("warmup_seconds", "seconds", "max_cv", "max_drift", "sustained_seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise _impossible(name, value, "finite and not negative")
        if self.blocks < 2 or self.blocks % 2:
            raise _impossible("blocks", self.blocks, "even and at least 2")

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)

    @classmethod
    def strict(cls, **settings: Any) -> Protocol:
        """Return the settings of a figure for publication: MLPerf's single-stream minimums."""
        return cls(**{"runs": 1024, "seconds": 60.0} | settings)


@dataclass(frozen=True)
class Measurement:
    """The samples of one candidate.

    Attributes
    ----------
    samples_ms:
        Raw latencies in milliseconds, in the order in which they were taken.
    warmup_runs:
        Runs that the warm-up took.
    unsteady:
        In what the samples scatter or drift too much; empty when they do not.
    sustained_ms:
        The raw latencies of the sustained part, empty where there was none.
    """

    samples_ms: tuple[float, ...]
    warmup_runs: int
    latency: Latency
    unsteady: tuple[str, ...]
    sustained_ms: tuple[float, ...]

    @property
    def verdict(self) -> Literal["valid", "invalid"]:
        """Return ``"invalid"`` when the samples scatter or drift too much."""
        return "invalid" if self.unsteady else "valid"


def schedule(names: Sequence[str], blocks: int) -> Iterator[str]:
    """Yield the candidate of each block: A-B-B-A, A-B-B-A, ... with `blocks` blocks each."""
    for _ in range(blocks // 2):
        yield from names
        yield from reversed(names)


def measure(
    candidates: Mapping[str, Callable[[], object]],
    protocol: Protocol,
    *,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
) -> dict[str, Measurement]:
    """Measure all candidates side by side and return name to measurement, in the given order.

    Raises
    ------
    UsageError
        When there is no candidate.
    """
    if not candidates:
        raise UsageError("There is nothing to measure.", remedy="Give at least one candidate.")
    names = list(candidates)
    sustained = protocol.sustained_seconds > 0
    total = len(names) * (1 + protocol.blocks + sustained)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    warmups: dict[str, int] = {}
    for name in names:
        warmups[name] = _warm_up(candidates[name], protocol, clock)
        step()
    samples_ns: dict[str, list[int]] = {name: [] for name in names}
    for name in schedule(names, protocol.blocks):
        samples_ns[name] += _block(candidates[name], protocol, clock)
        step()
    sustained_ns: dict[str, list[int]] = {name: [] for name in names}
    if sustained:
        for name in names:
            sustained_ns[name] = _until(
                candidates[name], 1, round(protocol.sustained_seconds * NS_PER_S), clock
            )
            step()
    return {
        name: _measurement(samples_ns[name], warmups[name], sustained_ns[name], protocol)
        for name in names
    }


def unsteadiness(latency: Latency, protocol: Protocol) -> tuple[str, ...]:
    """Return in what samples scatter or drift beyond the protocol's limits."""
    reasons = []
    if latency.cv > protocol.max_cv:
        reasons.append(f"CV {latency.cv:.1%} is above {protocol.max_cv:.0%}")
    if abs(latency.drift) > protocol.max_drift:
        reasons.append(f"drift {latency.drift:+.1%} is beyond {protocol.max_drift:.0%}")
    return tuple(reasons)


def _warm_up(run: Callable[[], object], protocol: Protocol, clock: Clock) -> int:
    """Run until both warm-up minimums are met and return the number of runs."""
    deadline = clock() + round(protocol.warmup_seconds * NS_PER_S)
    runs = 0
    while runs < protocol.warmup_runs or clock() < deadline:
        run()
        runs += 1
    return runs


def _block(run: Callable[[], object], protocol: Protocol, clock: Clock) -> list[int]:
    """Return the samples of one block in nanoseconds: its share of both minimums."""
    for _ in range(protocol.settle_runs):
        run()
    least_runs = math.ceil(protocol.runs / protocol.blocks)
    least_ns = math.ceil(protocol.seconds * NS_PER_S / protocol.blocks)
    return _until(run, least_runs, least_ns, clock)


def _until(run: Callable[[], object], least_runs: int, least_ns: int, clock: Clock) -> list[int]:
    """Return the samples, in nanoseconds, of runs until both minimums are met."""
    samples: list[int] = []
    spent = 0
    while len(samples) < least_runs or spent < least_ns:
        start = clock()
        run()
        samples.append(clock() - start)
        spent += samples[-1]
    return samples


def _measurement(
    samples_ns: Sequence[int], warmup_runs: int, sustained_ns: Sequence[int], protocol: Protocol
) -> Measurement:
    samples_ms = _ms(samples_ns)
    latency = summarise(samples_ms)
    unsteady = unsteadiness(latency, protocol)
    return Measurement(samples_ms, warmup_runs, latency, unsteady, _ms(sustained_ns))


def _ms(samples_ns: Sequence[int]) -> tuple[float, ...]:
    return tuple(ns / NS_PER_MS for ns in samples_ns)


def _impossible(name: str, value: float, rule: str) -> UsageError:
    return UsageError(f"The benchmark protocol has {name} = {value}.", remedy=f"It must be {rule}.")
