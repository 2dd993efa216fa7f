"""Latencies for the report: grouped by their circumstances, for only then may they be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from edgemat.report.data import ModelReport
from edgemat.report.plots import Curve, Distribution, latency_distributions, sustained_curves

BASELINE_TARGET = "tflite-fp32"
"""What the speed of the other files is a multiple of."""

PROFILED = 12
"""Operators of a profile that are shown."""

_MEASUREMENT = (
    "threads", "delegate", "init_ms", "first_ms", "warmup_runs", "samples_ms", "latency",
    "verdict",
)  # fmt: skip
_PLACE = ("device_kind", "device", "soc", "cores", "os", "abi", "runtime")
"""The circumstances without which a latency means nothing."""
_GROUP = (*_PLACE, "transport", "virtualised", "governor")


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
    bench: Mapping[str, Any]
    speed: float | None

    @property
    def profile(self) -> list[dict[str, Any]]:
        """Return the slowest operators with their share of all, the slowest first."""
        operators = self.bench.get("profile") or ()
        total = sum(one["ms"] for one in operators) or 1.0
        slowest = sorted(operators, key=lambda one: -one["ms"])[:PROFILED]
        return [{**one, "share": one["ms"] / total} for one in slowest]


@dataclass(frozen=True)
class LatencyGroup:
    """Measurements made under the same circumstances, which may stand side by side."""

    place: Mapping[str, Any]
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


def has_circumstances(bench: Mapping[str, Any]) -> bool:
    """Return whether the measurement says everything without which it means nothing."""
    place = bench.get("circumstances") or {}
    return all(bench.get(name) is not None for name in _MEASUREMENT) and all(
        place.get(name) for name in _PLACE
    )


def latency_groups(
    models: Sequence[ModelReport], benches: Sequence[Mapping[str, Any]]
) -> tuple[LatencyGroup, ...]:
    """Return the measurements by machine and system, each with the file that it is of.

    Files are found by their hash, so that a result never stands beside a file of the same name
    that was made later.
    """
    files = {f.manifest.payload_sha256: (m, f) for m in models for f in m.files}
    grouped: dict[tuple[object, ...], list[_Named]] = {}
    for bench in benches:
        key = tuple(bench["circumstances"].get(name) for name in _GROUP)
        model, file = files.get(bench["model_sha256"], (None, None))
        label = bench["name"] if file is None else file.label
        named = _Named("" if model is None else model.name, label, bench)
        grouped.setdefault(key, []).append(named)
    groups = []
    for members in grouped.values():
        rows = _rows(models, members)
        place = members[0].bench["circumstances"]
        physical = place["device_kind"] == "physical"
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
    devices = [group for group in groups if group.place["transport"] != "host"]
    for kind in ("physical", "emulated"):
        places = [group for group in devices if group.place["device_kind"] == kind]
        if len(places) < 2:
            continue
        values: dict[tuple[str, str, int], dict[int, float]] = {}
        for number, group in enumerate(places):
            for row in group.rows:
                figure = _figure_of(row.bench, kind)
                key = (row.model, row.label, int(row.bench["threads"]))
                if figure is not None:
                    values.setdefault(key, {})[number] = figure
        rows = tuple(
            AcrossRow(*key, tuple(found.get(n) for n in range(len(places))))
            for key, found in values.items()
            if len(found) > 1
        )
        names = tuple(f"{g.place['device']} ({g.place['transport']})" for g in places)
        if rows:
            tables.append(Across(kind == "emulated", names, rows))
    return tuple(tables)


def _figure_of(bench: Mapping[str, Any], kind: str) -> float | None:
    """Return the figure that stands for a measurement: p50, or millions of instructions."""
    if kind == "emulated":
        count = bench.get("instructions")
        return None if count is None else count / 1e6
    return float(bench["latency"]["p50_ms"]) if bench["verdict"] == "valid" else None


class _Named(NamedTuple):
    """A measurement, the label of its file, and its model; "" where that is not in the report."""

    model: str
    label: str
    bench: Mapping[str, Any]

    @property
    def threads(self) -> int:
        return int(self.bench["threads"])


def _rows(models: Sequence[ModelReport], members: Sequence[_Named]) -> tuple[LatencyRow, ...]:
    """Return rows by model, then threads; within these in the order in which they came."""
    order = {model.name: place for place, model in enumerate(models)}
    base = {(m.model, m.threads): m.bench for m in members if m.label == BASELINE_TARGET}
    base = {key: bench for key, bench in base.items() if key[0]}
    return tuple(
        LatencyRow(m.model, m.label, m.bench, _speed(base.get((m.model, m.threads)), m.bench))
        for m in sorted(members, key=lambda m: (order.get(m.model, len(order)), m.threads))
    )


def _speed(base: Mapping[str, Any] | None, bench: Mapping[str, Any]) -> float | None:
    """Return how many times as fast as `base`; None unless both measurements are valid."""
    if base is None or base is bench or {base["verdict"], bench["verdict"]} != {"valid"}:
        return None
    return float(base["latency"]["p50_ms"] / bench["latency"]["p50_ms"])


def _sustained_plot(rows: Sequence[LatencyRow]) -> Markup | None:
    curves = [
        Curve(_label(row), row.bench["sustained"]["at_s"], row.bench["sustained"]["p50_ms"], n)
        for n, row in enumerate(rows)
        if row.bench.get("sustained")
    ]
    return Markup(sustained_curves(curves)) if curves else None


def _label(row: LatencyRow) -> str:
    threads = row.bench["threads"]
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
            Distribution(_label(row), row.bench["samples_ms"], colour)
        )
    return tuple((name, Markup(latency_distributions(part))) for name, part in by_model.items())
