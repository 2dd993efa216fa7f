"""Two measurements side by side: by how much did the latency change, and how sure is that?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgemat.bench.result import Result
from edgemat.errors import UsageError

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Change:
    """The change of a figure from one result to another.

    Attributes
    ----------
    figure:
        ``"p50"`` and the like, in milliseconds; or ``"instructions"`` of an emulated device.
    before, after:
        The figure itself.
    change, low, high:
        Relative change, and its 95 % confidence interval; an exact count has an interval of no
        width.
    valid:
        Whether both results are.
    notes:
        What differs between the two beside the model, and what is invalid.
    """

    name: str
    device: str
    threads: int
    figure: str
    before: float
    after: float
    change: float
    low: float
    high: float
    valid: bool
    notes: tuple[str, ...]

    @property
    def certain(self) -> bool:
        """Return whether the interval leaves out that nothing changed."""
        return not self.low <= 0.0 <= self.high

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self) | {"certain": self.certain}


def compare(
    before: Sequence[Result], after: Sequence[Result], *, percentile: float = 50.0
) -> list[Change]:
    """Return the changes of all pairs of the same name and number of threads.

    One result on either side is a pair whatever its name. The interval is that of a circular
    block bootstrap, which keeps the likeness of neighbouring samples.

    Raises
    ------
    UsageError
        When there is no such pair, or a pair was measured on an emulated and a physical device.
    """
    if len(before) == len(after) == 1:
        pairs = [(before[0], after[0])]
    else:
        known = {(r.name, r.threads): r for r in before}
        pairs = [(known[r.name, r.threads], r) for r in after if (r.name, r.threads) in known]
    if not pairs:
        names = ", ".join(sorted({r.name for r in (*before, *after)}))
        raise UsageError(
            f"No model was measured in both, with the same number of threads: {names}.",
            remedy="Measure both with the same names and --threads.",
        )
    return [_change(old, new, percentile) for old, new in pairs]


def _change(old: Result, new: Result, percentile: float) -> Change:
    kinds = {old.circumstances.device_kind, new.circumstances.device_kind}
    if len(kinds) > 1:
        raise UsageError(
            f"{old.name} was measured on an emulated and on a physical device.",
            remedy="Compare emulated with emulated: only their instructions mean something.",
        )
    figure, before, after, low, high = (
        _counted(old.instructions, new.instructions)
        if old.instructions is not None and new.instructions is not None
        else _timed(old, new, percentile)
    )
    return Change(
        name=new.name if new.name == old.name else f"{old.name} -> {new.name}",
        device=new.circumstances.device,
        threads=new.threads,
        figure=figure,
        before=before,
        after=after,
        change=after / before - 1.0,
        low=low,
        high=high,
        valid={old.verdict, new.verdict} == {"valid"},
        notes=_differences(old, new),
    )


class _Compared(NamedTuple):
    """A figure before and after, and the interval of its relative change."""

    figure: str
    before: float
    after: float
    low: float
    high: float


def _counted(before: int, after: int) -> _Compared:
    change = after / before - 1.0
    return _Compared("instructions", float(before), float(after), change, change)


def _timed(old: Result, new: Result, percentile: float) -> _Compared:
    a, b = np.asarray(old.samples_ms), np.asarray(new.samples_ms)
    before, after = float(np.percentile(a, percentile)), float(np.percentile(b, percentile))
    ratios = _resampled(b, percentile, seed=1) / _resampled(a, percentile, seed=0) - 1.0
    tail = (1.0 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(ratios, [tail, 100 - tail]).tolist()
    return _Compared(f"p{percentile:g}", before, after, low, high)


def _resampled(
    samples: npt.NDArray[np.float64], percentile: float, *, seed: int
) -> npt.NDArray[np.float64]:
    """Return the percentile of RESAMPLES series made of blocks of the samples."""
    length = max(1, round(samples.size ** (1 / 3)))
    blocks = -(-samples.size // length)
    random = np.random.default_rng(seed)
    found = np.empty(RESAMPLES)
    steps = np.arange(length)
    for n in range(RESAMPLES):
        starts = random.integers(samples.size, size=blocks)
        places = (starts[:, None] + steps).ravel()[: samples.size] % samples.size
        found[n] = np.percentile(samples[places], percentile)
    return found


def _differences(old: Result, new: Result) -> tuple[str, ...]:
    a, b = old.circumstances, new.circumstances
    told = {
        "device": (a.device, b.device),
        "SoC": (a.soc, b.soc),
        "transport": (a.transport, b.transport),
        "system": (a.os, b.os),
        "runtime": (a.runtime, b.runtime),
        "governor": (a.governor, b.governor),
        "CPU mask": (a.cpu_mask, b.cpu_mask),
        "delegate": (old.delegate.used, new.delegate.used),
        "threads": (old.threads, new.threads),
    }
    notes = [f"{what}: {x} and {y}" for what, (x, y) in told.items() if x != y]
    sides = (("before", old), ("after", new))
    notes += [f"{side} is invalid: {r.reason}" for side, r in sides if r.verdict == "invalid"]
    return tuple(notes)
