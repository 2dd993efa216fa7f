"""The tables of a run: what each contestant costs, and how right it is on each folder."""

from __future__ import annotations

from dataclasses import dataclass

from edgemat.bench.peers.contest_result import ContestResult, SetResult
from edgemat.bench.peers.pictures import BAND, THRESHOLD, percent
from edgemat.bench.peers.scores import SetScore, summarise_scores
from edgemat.bench.protocol import Measurement
from edgemat.doctor import int8_kind

NONE = "-"
COST_COLUMNS = (
    "contestant",
    "runtime",
    "input, WxH",
    "file, KB",
    "network p50, ms",
    "photo p50, ms",
    "memory, MB",
    "licence",
)
SCORE_COLUMNS = (
    "contestant",
    "photos",
    "IoU",
    "IoU pooled",
    "MAD",
    "SAD band",
    "Grad band",
    "SAD",
    "Grad",
)


@dataclass(frozen=True)
class TextTable:
    """One table: a title, columns, rows of text as long as the columns, and lines below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def make_tables(result: ContestResult) -> list[TextTable]:
    """Return the table of costs and one table of scores per folder that has a truth."""
    scored = [_score_table(result, one) for one in result.sets if one.photos.truth is not None]
    return [_cost_table(result), *scored]


def to_markdown(tables: list[TextTable]) -> str:
    """Return the tables as Markdown."""
    parts = []
    for table in tables:
        lines = [f"## {table.title}", ""]
        lines += [_row(table.columns), _row(("---",) * len(table.columns))]
        lines += [_row(row) for row in table.rows]
        lines += ["", *(f"- {note}" for note in table.notes)]
        parts.append("\n".join(lines))
    return "# Peers\n\n" + "\n\n".join(parts) + "\n"


def _cost_table(result: ContestResult) -> TextTable:
    where, settings, costs = result.where, result.settings, result.costs
    rows = []
    for name in result.order:
        facts = result.facts.get(name)
        if facts is None:
            rows.append((name, *(NONE,) * (len(COST_COLUMNS) - 1)))
            continue
        size = result.size_bytes(name)
        memory = costs.memory_bytes.get(name)
        rows.append(
            (
                name,
                facts.runtime,
                facts.input_size,
                NONE if size is None else f"{size / 1e3:,.0f}",
                _milliseconds(costs.network.get(name)),
                _milliseconds(costs.whole.get(name)),
                NONE if memory is None else f"{memory / 1e6:.0f}",
                facts.licence,
            )
        )
    notes = [f"{name}: {reason}" for name, reason in result.absent.items()]
    if settings.costs and costs.photo:
        notes += _cost_notes(result)
    threads = f"{settings.threads} thread{'s' if settings.threads != 1 else ''}"
    kind = int8_kind(result.int8_dot_product)
    title = f"Costs on {where.soc} {kind}, {where.cores} cores, {threads}; {where.runtime}"
    return TextTable(title, COST_COLUMNS, tuple(rows), tuple(notes))


def _cost_notes(result: ContestResult) -> list[str]:
    costs, where = result.costs, result.where
    notes = [
        "network: one run (of a trimap model: one tile) on an input in place, by onnxruntime and "
        "torch with copying; all in turns, A-B-B-A.",
        f"photo: {costs.photo}, {costs.megapixels:.2f} megapixels, from pixels to a matte of its "
        f"size, {result.settings.photo_runs} runs in turns.",
        "memory: peak of a process that makes this one matte, minus that of one that only imports "
        "the runtime and reads the photograph.",
    ]
    load = where.before.load_average, where.after.load_average
    if load[0] is not None and load[1] is not None:
        notes.append(f"load average before {load[0]:.1f}, after {load[1]:.1f}.")
    for kind, measured in (("network", costs.network), ("photo", costs.whole)):
        shaky = [name for name, m in measured.items() if m.verdict == "invalid"]
        if shaky:
            notes.append(f"(!) {kind} times that scatter or drift too much: {', '.join(shaky)}.")
    notes += [f"{f.contestant}: memory not measured: {f.reason}" for f in costs.failures]
    return notes


def _score_table(result: ContestResult, one: SetResult) -> TextTable:
    rows, lacking = [], []
    for name, facts in result.facts.items():  # the absent have their row among the costs
        scores = one.scores[name]
        if scores:
            rows.append((name, *_score_cells(summarise_scores(scores))))
            continue
        rows.append((name, *(NONE,) * (len(SCORE_COLUMNS) - 1)))
        if facts.takes_trimap:
            lacking.append(name)
    painted = any(photo.trimap for photo in one.photos.photos)
    notes = [
        f"IoU at alpha >= {THRESHOLD}: mean over photographs, and over all their pixels together.",
        "band: the unknown region of the trimap given with a photograph."
        if painted
        else f"band: within {BAND:.0%} of the longer side of the true edge.",
        "MAD in 0..1; SAD and Grad in thousands, mean over photographs.",
    ]
    if one.photos.truth == "mask":
        notes.append("The truth is binary: in the band, a soft matte is counted as wrong.")
    if ignored := result.settings.ignore_below:
        notes.append(f"People below {percent(ignored)} of a picture do not count.")
    if lacking:
        notes.append(f"Without a trimap no matte: {', '.join(lacking)}.")
    notes += [f"{f.contestant} failed on {f.photo}: {f.reason}" for f in one.failures]
    if one.skipped:
        notes.append(f"{len(one.skipped)} pictures not used:")
        notes += [f"{name}: {reason}" for name, reason in one.skipped]
    part = "" if one.photos.part == "all" else f", {one.photos.part}"
    return TextTable(f"{one.photos.name}{part}", SCORE_COLUMNS, tuple(rows), tuple(notes))


def _score_cells(mean: SetScore) -> tuple[str, ...]:
    return (
        str(mean.photos),
        f"{mean.iou:.4f}",
        f"{mean.iou_pooled:.4f}",
        f"{mean.mad:.4f}",
        _thousands(mean.sad_band),
        _thousands(mean.grad_band),
        _thousands(mean.sad),
        _thousands(mean.grad),
    )


def _thousands(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _milliseconds(measured: Measurement | None) -> str:
    if measured is None:
        return NONE
    sign = "" if measured.verdict == "valid" else " (!)"
    p50 = measured.latency.p50_ms
    return f"{p50:,.0f}{sign}" if p50 >= 100 else f"{p50:.2f}{sign}"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
