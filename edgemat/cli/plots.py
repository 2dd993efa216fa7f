"""Plots as files of their own; those of the report are in `edgemat.report.plots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.errors import MissingToolError, UsageError, nearest
from edgemat.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from edgemat.artifacts.vocabulary import ErrorName
    from edgemat.bench.frontier import Candidate
    from edgemat.bench.throughput import OpenedFolder, Throughput
    from edgemat.quantize.sensitivity import BlockError
    from edgemat.workflow.api.photographs import SetErrors

FORMATS = (".svg", ".png", ".pdf")


def check_format(path: Path) -> None:
    """Refuse a file name whose ending is no format, before any work is done.

    Raises
    ------
    UsageError
        The known endings are offered.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"{path.name} does not end in the name of a picture's format.",
            remedy=nearest(path.suffix, FORMATS),
        )


def save_ranking(blocks: Sequence[BlockError], path: Path) -> None:
    """Draw what every block costs in int8, in SAD and Grad, the worst on top."""
    figure = _figure(7.0, 1.2 + 0.3 * len(blocks))
    axes = figure.subplots()
    names = [block.block for block in reversed(blocks)]
    bars: tuple[tuple[float, ErrorName, str], ...] = ((0.2, "sad", "SAD"), (-0.2, "grad", "Grad"))
    for offset, error, label in bars:
        places = [number + offset for number in range(len(blocks))]
        values = [100 * block.added[error] for block in reversed(blocks)]
        axes.barh(places, values, height=0.4, label=label)
    axes.set_yticks(range(len(blocks)), names)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("error in the unknown region with this block alone in int8, % over float")
    axes.legend(frameon=False)
    _save(figure, path)


def save_robustness(found: Mapping[str, Sequence[SetErrors]], path: Path) -> None:
    """Draw models' errors in the unknown region over the widths of trimaps (figures 5.5, 5.7).

    Parameters
    ----------
    found:
        A curve each, by the model's name: a legend has them where there are several.
    """
    _save(draw_robustness(found), path)


def draw_robustness(found: Mapping[str, Sequence[SetErrors]]) -> Figure:
    """Return the figure of :func:`save_robustness`: four panels, one for each error."""
    from edgemat.artifacts.vocabulary import ERROR_NAMES

    several = len(found) > 1
    figure = _figure(9.0, 3.0 if several else 2.6)
    for axes, name in zip(figure.subplots(1, len(ERROR_NAMES)), ERROR_NAMES, strict=True):
        for model, sets in found.items():
            labels = [one.trimaps.removeprefix("by ") for one in sets]
            values = [one.means["unknown"].of(name) for one in sets]
            axes.plot(range(len(sets)), values, marker="o", label=model)
            axes.set_xticks(range(len(sets)), labels, rotation=30)
        axes.set_title(name.upper() if name in ("sad", "mse") else name.capitalize())
        axes.set_ylim(bottom=0)
    figure.supxlabel("dilation of the trimap")
    if several:
        curves, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(curves, names, loc="outside upper center", ncols=4, frameon=False)
    return figure


def save_growth(found: Sequence[Throughput], opened: Sequence[OpenedFolder], path: Path) -> None:
    """Draw how seconds and memory of a step grow with size and batch, and opening with the set."""
    base = found[0].setting
    by_size = sorted((o for o in found if o.setting.batch == base.batch), key=_size_of)
    by_batch = sorted((o for o in found if o.setting.size == base.size), key=_batch_of)
    figure = _figure(9.0, 4.6)
    (steps, batches, sets), (sizes_mb, batches_mb, spare) = figure.subplots(2, 3)
    for axes, memory, rows, place, label in (
        (steps, sizes_mb, by_size, _size_of, f"side, px (batch {base.batch})"),
        (batches, batches_mb, by_batch, _batch_of, f"batch (side {base.size} px)"),
    ):
        places = [place(one) for one in rows]
        axes.plot(places, [o.setting.batch / o.training_per_s for o in rows], "o-", label="step")
        axes.plot(places, [o.setting.batch / o.loader_per_s for o in rows], "o-", label="loader")
        axes.set_ylabel("s for a batch")
        told = [(where, o.peak_mb) for where, o in zip(places, rows, strict=True) if o.peak_mb]
        memory.plot([where for where, _ in told], [peak for _, peak in told], "o-")
        memory.set_ylabel("peak memory, MB")
        memory.set_xlabel(label)
        for one in (axes, memory):
            one.set_ylim(0, 1.1 * max(one.get_ylim()[1], 0))
    steps.legend(frameon=False)
    sets.plot([one.mattes for one in opened], [one.seconds for one in opened], "o-")
    sets.set_ylim(bottom=0)
    sets.set_xlabel("mattes of the folder")
    sets.set_ylabel("s to open it")
    spare.set_axis_off()
    _save(figure, path)


def _size_of(one: Throughput) -> int:
    return one.setting.size


def _batch_of(one: Throughput) -> int:
    return one.setting.batch


def save_frontier(found: Sequence[Candidate], path: Path) -> None:
    """Draw SAD against latency and against size; what nothing beats is joined by a line."""
    figure = _figure(10.0, 4.2)
    left, right = figure.subplots(1, 2, sharey=True)
    kinds = sorted({candidate.kind for candidate in found})
    panels = (
        (left, "p50_ms", "best_for_latency", "p50 latency on this host, ms"),
        (right, "megabytes", "best_for_size", "size of the file, MB"),
    )
    for axes, cost, mark, label in panels:
        for number, kind in enumerate(kinds):
            own = [c for c in found if c.kind == kind]
            colour = f"C{number}"
            axes.scatter(
                [getattr(c, cost) for c in own], [c.sad for c in own], label=kind, c=colour
            )
            for c in own:
                text = f"{c.size[0]}, {c.gmacs:.1f} G"
                where = (getattr(c, cost), c.sad)
                axes.annotate(text, where, (4, 3), textcoords="offset points", fontsize=7)
        best = sorted((getattr(c, cost), c.sad) for c in found if getattr(c, mark))
        axes.plot(*zip(*best, strict=True), color="grey", linewidth=1, zorder=0)
        axes.set_xlabel(label)
        axes.set_xscale("log")
        axes.margins(x=0.2)  # room for the last point's text
        for formatter in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
            formatter("{x:g}")
    left.set_ylabel("SAD in the unknown region, thousands")
    left.legend(frameon=False)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingToolError(
            "Plots need matplotlib, which is not installed.",
            remedy='Run: pip install "edgemat[report]"',
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    check_format(path)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower().removeprefix("."), dpi=150)
