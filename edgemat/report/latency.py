"""Latencies for the report: grouped by their circumstances, for only then may they be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from markupsafe import Markup

from edgemat.bench.devices.host import HOST
from edgemat.bench.result import Circumstances, Result
from edgemat.report.data import ModelReport
from edgemat.report.plots import Curve, Distribution, latency_distributions, sustained_curves

BASELINE_TARGET = "tflite-fp32"
"""The target whose speed is 1 in the column of speed-ups."""

PROFILED = 12
"""Operators of a profile that are shown."""

_PLACE = ("device_kind", "device", "soc", "cores", "os", "abi", "runtime")
"""The circumstances without which a latency means nothing."""
_place_of = attrgetter(*_PLACE)
_group_of = attrgetter(*_PLACE, "transport", "virtualised", "governor")


@dataclass(frozen=True)
class Profiled:
    """One kind of operator in a profile; `share` is of the time of all."""

    name: str
    count: int
    ms: float
    share: float


@dataclass(frozen=True)
class LatencyRow:
    """One measurement.

    Attributes
    ----------
    speed:
        The fp32 file's p50 over this one's, same model and threads.
    """

    model: str
    label: str
    bench: Result
    speed: float | None

    @property
    def profile(self) -> list[Profiled]:
        """Return the slowest operators with their share of all, the slowest first."""
        total = sum(one.ms for one in self.bench.profile) or 1.0
        slowest = sorted(self.bench.profile, key=lambda one: -one.ms)[:PROFILED]
        return [Profiled(one.name, one.count, one.ms, one.ms / total) for one in slowest]


@dataclass(frozen=True)
class LatencyGroup:
    """Measurements made under the same circumstances, which may stand side by side."""

    place: Circumstances
    rows: tuple[LatencyRow, ...]
    plots: tuple[tuple[str, Markup], ...]
    sustained: Markup | None


@dataclass(frozen=True)
class AcrossRow:
    """One file with one number of threads; a value per device, None where there is none."""

    model: str
    label: str
    threads: int
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Across:
    """Devices of one kind side by side: physical ones by p50, emulated ones by instructions."""

    emulated: bool
    devices: tuple[str, ...]
    rows: tuple[AcrossRow, ...]


def has_circumstances(bench: Result) -> bool:
    """Return whether the measurement says everything without which it means nothing."""
    return all(_place_of(bench.circumstances))


def latency_groups(
    models: Sequence[ModelReport], benches: Sequence[Result]
) -> tuple[LatencyGroup, ...]:
    """Return the measurements by machine and system, each with the file that it is of.

    Files are found by their hash, so that a result never stands beside a file of the same name
    that was made later.
    """
    files = {f.manifest.payload_sha256: (m, f) for m in models for f in m.files}
    grouped: dict[tuple[object, ...], list[_Named]] = {}
    for bench in benches:
        key = _group_of(bench.circumstances)
        model, file = files.get(bench.model_sha256, (None, None))
        label = bench.name if file is None else file.label
        named = _Named("" if model is None else model.name, label, bench)
        grouped.setdefault(key, []).append(named)
    groups = []
    for members in grouped.values():
        rows = _rows(models, members)
        place = members[0].bench.circumstances
        physical = place.device_kind == "physical"
        groups.append(
            LatencyGroup(
                place,
                rows,
                _latency_plots(models, rows) if physical else (),
                _sustained_plot(rows) if physical else None,
            )
        )
    return tuple(groups)


def side_by_side(groups: Sequence[LatencyGroup]) -> tuple[Across, ...]:
    """Return a table for the physical devices and one for the emulated, where there are several.

    The host is in neither: its figures never stand beside a phone's.
    """
    tables = []
    devices = [group for group in groups if group.place.transport != HOST.word]
    for kind in ("physical", "emulated"):
        places = [group for group in devices if group.place.device_kind == kind]
        if len(places) < 2:
            continue
        values: dict[tuple[str, str, int], dict[int, float]] = {}
        for number, group in enumerate(places):
            for row in group.rows:
                figure = _figure_of(row.bench, kind)
                key = (row.model, row.label, row.bench.threads)
                if figure is not None:
                    values.setdefault(key, {})[number] = figure
        rows = tuple(
            AcrossRow(*key, tuple(found.get(n) for n in range(len(places))))
            for key, found in values.items()
            if len(found) > 1
        )
        names = tuple(f"{g.place.device} ({g.place.transport})" for g in places)
        if rows:
            tables.append(Across(kind == "emulated", names, rows))
    return tuple(tables)


def _figure_of(bench: Result, kind: str) -> float | None:
    """Return the figure that stands for a measurement: p50, or millions of instructions."""
    if kind == "emulated":
        return None if bench.instructions is None else bench.instructions / 1e6
    return bench.latency.p50_ms if bench.verdict == "valid" else None


class _Named(NamedTuple):
    """A measurement, the label of its file, and its model; "" where that is not in the report."""

    model: str
    label: str
    bench: Result

    @property
    def threads(self) -> int:
        return self.bench.threads


def _rows(models: Sequence[ModelReport], members: Sequence[_Named]) -> tuple[LatencyRow, ...]:
    """Return rows by model, then threads; within these in the order in which they came."""
    order = {model.name: place for place, model in enumerate(models)}
    base = {(m.model, m.threads): m.bench for m in members if m.label == BASELINE_TARGET}
    base = {key: bench for key, bench in base.items() if key[0]}
    return tuple(
        LatencyRow(m.model, m.label, m.bench, _speed(base.get((m.model, m.threads)), m.bench))
        for m in sorted(members, key=lambda m: (order.get(m.model, len(order)), m.threads))
    )


def _speed(base: Result | None, bench: Result) -> float | None:
    """Return how many times as fast as `base`; None unless both measurements are valid."""
    if base is None or base is bench or {base.verdict, bench.verdict} != {"valid"}:
        return None
    return base.latency.p50_ms / bench.latency.p50_ms


def _sustained_plot(rows: Sequence[LatencyRow]) -> Markup | None:
    curves = [
        Curve(_label(row), row.bench.sustained.at_s, row.bench.sustained.p50_ms, n)
        for n, row in enumerate(rows)
        if row.bench.sustained is not None
    ]
    return Markup(sustained_curves(curves)) if curves else None


def _label(row: LatencyRow) -> str:
    threads = row.bench.threads
    return f"{row.label}, {threads} thread{'s' * (threads > 1)}"


def _latency_plots(
    models: Sequence[ModelReport], rows: Sequence[LatencyRow]
) -> tuple[tuple[str, Markup], ...]:
    """Return one plot per model, because models differ by more than their files do."""
    series = {(m.name, f.label): n for m in models for n, f in enumerate(m.files)}
    by_model: dict[str, list[Distribution]] = {}
    for number, row in enumerate(rows):
        colour = series.get((row.model, row.label), number)
        by_model.setdefault(row.model, []).append(
            Distribution(_label(row), row.bench.samples_ms, colour)
        )
    return tuple((name, Markup(latency_distributions(part))) for name, part in by_model.items())
