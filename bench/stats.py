"""Raw latency samples in, the figures that a report prints out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgemat.errors import UsageError


@dataclass(frozen=True)
class Latency:
    """Summary of latency samples. Times are in milliseconds, ratios are plain numbers.

    Attributes
    ----------
    count:
        Number of samples.
    p50_ms, p90_ms, p95_ms, p99_ms:
        Percentiles, linearly interpolated between the two nearest samples.
    std_ms:
        Standard deviation of the sample (divided by count - 1); 0 for a single sample.
    iqr_ms:
        Interquartile range, p75 - p25.
    cv:
        Coefficient of variation, std / mean.
    drift:
        Relative change of the median from the first half of the samples to the second; positive
        when the device became slower. 0 for a single sample.
    """

    count: int
    min_ms: float
    mean_ms: float
    std_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    iqr_ms: float
    cv: float
    drift: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


def summarise(samples_ms: Sequence[float]) -> Latency:
    """Return the summary of latency samples in the order in which they were taken.

    Raises
    ------
    UsageError
        When there is no sample, or one is not a positive finite number.
    """
    samples = np.asarray(samples_ms, dtype=np.float64)
    if samples.ndim != 1 or samples.size == 0:
        raise UsageError("There are no latency samples.", remedy="Measure at least one run.")
    if not np.isfinite(samples).all() or samples.min() <= 0:
        raise UsageError(
            "A latency sample is not a positive number of milliseconds.",
            remedy="Check the clock: it must be monotonic and finer than one run.",
        )
    p25, p50, p75, p90, p95, p99 = np.percentile(
        samples, [25, 50, 75, 90, 95, 99], method="linear"
    ).tolist()
    mean = float(samples.mean())
    std = float(samples.std(ddof=1)) if samples.size > 1 else 0.0
    return Latency(
        count=int(samples.size),
        min_ms=float(samples.min()),
        mean_ms=mean,
        std_ms=std,
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        iqr_ms=p75 - p25,
        cv=std / mean,
        drift=_drift(samples),
    )


def _drift(samples: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    if samples.size < 2:
        return 0.0
    half = samples.size // 2
    first, second = float(np.median(samples[:half])), float(np.median(samples[half:]))
    return second / first - 1.0
