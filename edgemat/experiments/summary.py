"""What the runs of a series say: mean and spread over seeds, and in how many the order holds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from edgemat.experiments.kinds import Kind, kind_of, order_holds
from edgemat.experiments.series import Series


@dataclass(frozen=True)
class Spread:
    """A figure over seeds.

    Attributes
    ----------
    deviation:
        Sample standard deviation; None with one seed.
    """

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return mean and deviation of values, at least one."""
        several = len(values) > 1
        return cls(statistics.mean(values), statistics.stdev(values) if several else None)

    def __str__(self) -> str:
        text = f"{self.mean:.4g}"
        return text if self.deviation is None else f"{text} ± {self.deviation:.2g}"


@dataclass(frozen=True)
class NetworkSummary:
    """A network's figures.

    Attributes
    ----------
    seconds:
        Of one training, the mean.
    """

    model: str
    kind: Kind
    seeds: tuple[int, ...]
    figures: dict[str, Spread]
    seconds: float


def summarise(series: Series) -> list[NetworkSummary]:
    """Return a row for each network, the best first by the series' score."""
    rows = []
    for model in dict.fromkeys(run.model for run in series.runs):
        runs = [run for run in series.runs if run.model == model]
        figures = {name: Spread.of([run.figures[name] for run in runs]) for name in runs[0].figures}
        seeds = tuple(sorted(run.seed for run in runs))
        seconds = statistics.mean(run.seconds for run in runs)
        rows.append(NetworkSummary(model, kind_of(model), seeds, figures, seconds))
    sign = -1 if series.more_is_better else 1
    return sorted(rows, key=lambda row: sign * row.figures[series.score].mean)


def orders(series: Series) -> dict[int, bool]:
    """Return whether guided beats max-unpooling beats blind, for each seed that has all three."""
    sign = 1 if series.more_is_better else -1
    found = {}
    for seed in sorted({run.seed for run in series.runs}):
        scores = {r.model: sign * r.figures[series.score] for r in series.runs if r.seed == seed}
        holds = order_holds(scores)
        if holds is not None:
            found[seed] = holds
    return found
