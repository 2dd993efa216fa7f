"""The view of a report: everything that is derived from its data, ready for the template."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from markupsafe import Markup

from edgemat.artifacts.artifact import MattingErrors, Validation
from edgemat.artifacts.shipped import SHIPPED_TARGET
from edgemat.artifacts.vocabulary import ERROR_NAMES, REGIONS, ErrorName, Region
from edgemat.bench.result import Result
from edgemat.errors import ImageError
from edgemat.images import F32, check_same_size
from edgemat.report.data import FileReport, MatteSample, ModelReport, PhotoReport, ReportData
from edgemat.report.latency import (
    BASELINE_TARGET,
    Across,
    LatencyGroup,
    has_circumstances,
    latency_groups,
    side_by_side,
)
from edgemat.report.plots import (
    Point,
    colour_bar,
    error_against,
    heat_map,
    picture,
    training_curves,
)
from edgemat.scoring.bounds import TINY

ROUND_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Headline:
    """The first lines: what a reader must know before all else."""

    state: Literal["passed", "failed", "none"]
    passed: int
    gates: int
    verified: int
    mobile: int
    int8_convolutions: int
    convolutions: int
    islands: int
    smaller: tuple[float, ...]


@dataclass(frozen=True)
class MatteColumn:
    """The pictures of one file for one sample.

    Attributes
    ----------
    reference:
        Label of the file whose matte this one is compared with, empty for the float model.
    difference:
        None where there is no such matte.
    factor:
        What the difference is multiplied with in the map.
    """

    label: str
    reference: str
    matte: str
    error: str
    difference: str | None
    factor: float


@dataclass(frozen=True)
class SampleView:
    """One sample beside all files. The error maps of one model share their scale."""

    image: str
    truth: str
    trimap: str | None
    columns: tuple[MatteColumn, ...]


@dataclass(frozen=True)
class ScoreRow:
    """Errors of one file in both regions, each as (value, relative change against the float)."""

    file: FileReport
    cells: tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True)
class ModelView:
    """One model's section."""

    model: ModelReport
    score_rows: tuple[ScoreRow, ...]
    validation: Validation | None
    samples: tuple[SampleView, ...]
    full_scale: float
    training: tuple[Markup, ...]
    trade_offs: tuple[Markup, ...]


@dataclass(frozen=True)
class LineageNode:
    """An artefact and what was made from it; `missing_parent` is a hash not in this report."""

    file: FileReport
    children: tuple[LineageNode, ...]
    missing_parent: str | None


@dataclass(frozen=True)
class ReportView:
    """Everything derived."""

    headline: Headline
    photo: Mapping[str, str] | None
    models: tuple[ModelView, ...]
    latency: tuple[LatencyGroup, ...]
    across: tuple[Across, ...]
    withheld: int
    lineage: tuple[LineageNode, ...]
    tools: Mapping[str, str]
    notices: Mapping[tuple[str, str], tuple[str, ...]]
    colour_bar: Markup


def build_view(data: ReportData) -> ReportView:
    """Work out everything that the template shows and the data does not say itself."""
    printable = [bench for bench in data.benches if has_circumstances(bench)]
    groups = latency_groups(data.models, printable)
    files = [file for model in data.models for file in model.files]
    return ReportView(
        headline=_headline(data),
        photo=None if data.photo is None else _photo(data.photo),
        models=tuple(_model(model, groups) for model in data.models),
        latency=groups,
        across=side_by_side(groups),
        withheld=len(data.benches) - len(printable),
        lineage=_lineage(files),
        tools=_tools(files),
        notices=_notices(files),
        colour_bar=Markup(colour_bar()),
    )


@dataclass(frozen=True)
class LatencyView:
    """The latency section, and nothing else."""

    latency: tuple[LatencyGroup, ...]
    across: tuple[Across, ...]
    withheld: int


def build_latency_view(benches: Sequence[Result]) -> LatencyView:
    """Work out the latency section of results that belong to no run."""
    printable = [bench for bench in benches if has_circumstances(bench)]
    groups = latency_groups((), printable)
    return LatencyView(groups, side_by_side(groups), len(benches) - len(printable))


def _headline(data: ReportData) -> Headline:
    passed = sum(row.verdict.passed for row in data.gates)
    files = [file for model in data.models for file in model.files if file.is_mobile]
    proofs = [f.manifest.int8_proof for f in files if f.manifest.int8_proof is not None]
    smaller = []
    for model in data.models:
        full, small = model.file_of_target(BASELINE_TARGET), model.file_of_target(SHIPPED_TARGET)
        if full is not None and small is not None:
            smaller.append(full.manifest.payload_bytes / small.manifest.payload_bytes)
    all_passed: Literal["passed", "failed"] = "passed" if passed == len(data.gates) else "failed"
    return Headline(
        state=all_passed if data.gates else "none",
        passed=passed,
        gates=len(data.gates),
        verified=sum(bool(file.manifest.agreements) for file in files),
        mobile=len(files),
        int8_convolutions=sum(proof.int8_convolutions for proof in proofs),
        convolutions=sum(proof.convolutions for proof in proofs),
        islands=sum(len(proof.float_islands) for proof in proofs),
        smaller=tuple(smaller),
    )


def _photo(photo: PhotoReport) -> dict[str, str]:
    large, small, sheet = 720, 480, 2000
    album = "" if photo.album is None else picture(photo.album, longest=sheet, photograph=True)
    return {
        "album": album,
        "image": picture(photo.image, longest=large, photograph=True),
        "cutout": picture(photo.cutout, longest=large, photograph=True),
        "alpha": picture(photo.alpha, longest=small),
        "replaced": picture(photo.replaced, longest=small, photograph=True),
        "blurred": picture(photo.blurred, longest=small, photograph=True),
    }


# --- one model --------------------------------------------------------------------------------


def _model(model: ModelReport, groups: Sequence[LatencyGroup]) -> ModelView:
    for sample in model.samples:
        _check_sizes(sample)
    errors = [abs(m - s.truth) for s in model.samples for m in s.mattes.values()]
    full_scale = _round_up(_upper_end(errors))
    factors = {file.label: _amplification(model, file) for file in model.files}
    return ModelView(
        model=model,
        score_rows=tuple(_score_row(model, file) for file in model.files if file.manifest.scores),
        validation=model.files[0].manifest.validation if model.files else None,
        samples=tuple(_sample(model, s, full_scale, factors) for s in model.samples),
        full_scale=full_scale,
        training=tuple(Markup(plot) for plot in training_curves(model.training_log)),
        trade_offs=_trade_offs(model, groups),
    )


def _check_sizes(sample: MatteSample) -> None:
    for name, matte in sample.mattes.items():
        if matte.ndim != 2:
            raise ImageError(f"The matte of {name} has the shape {matte.shape}, not HxW.")
        check_same_size(sample.truth, matte, names=("the true alpha", f"the matte of {name}"))


def _upper_end(maps: Iterable[F32]) -> float:
    """Return the greatest 99.5th percentile of the maps' finite values, 0 without any."""
    finite = [values[np.isfinite(values)] for values in maps]
    return max((float(np.percentile(v, 99.5)) for v in finite if v.size), default=0.0)


def _round_up(value: float) -> float:
    """Return the next of 0.01, 0.02, 0.05, 0.1, ... 1 that is not below `value`."""
    steps = [step / scale for scale in (100, 10) for step in ROUND_STEPS] + [1.0]
    return next((step for step in steps if step >= value), 1.0)


def _reference_matte(model: ModelReport, file: FileReport, sample: MatteSample) -> F32 | None:
    """Return the matte that the file's is compared with, None for the float model's own."""
    reference = _reference_file(model, file)
    if reference is None or file.manifest.name not in sample.mattes:
        return None
    return sample.mattes.get(reference.manifest.name)


def _amplification(model: ModelReport, file: FileReport) -> float:
    """Return a factor for the map of a file's differences, the same over all samples.

    A power of ten, so that it is easily taken back out, and 1000 at most, so that a file which
    agrees in all that an eye could see has a black map.
    """
    differences = [
        abs(sample.mattes[file.manifest.name] - reference)
        for sample in model.samples
        if (reference := _reference_matte(model, file, sample)) is not None
    ]
    return 10.0 ** math.floor(math.log10(1 / max(_upper_end(differences), 1e-3)))


def _reference_file(model: ModelReport, file: FileReport) -> FileReport | None:
    if file.manifest.kind == "float":
        return None
    kinds = {a.reference for a in file.manifest.agreements}
    # An int8 file is compared with the frozen model even where it was with the float one as well.
    return model.parent_of(file) if "frozen" in kinds else model.file_of_kind("float")


def _sample(
    model: ModelReport, sample: MatteSample, full_scale: float, factors: Mapping[str, float]
) -> SampleView:
    columns = []
    for file in model.files:
        matte = sample.mattes.get(file.manifest.name)
        if matte is None:
            continue
        against, reference = _reference_matte(model, file, sample), _reference_file(model, file)
        difference = None
        if against is not None:
            difference = heat_map(abs(matte - against), full_scale=1 / factors[file.label])
        columns.append(
            MatteColumn(
                label=file.label,
                reference="" if reference is None else reference.label,
                matte=picture(matte),
                error=heat_map(abs(matte - sample.truth), full_scale=full_scale),
                difference=difference,
                factor=factors[file.label],
            )
        )
    return SampleView(
        image=picture(sample.image, photograph=True),
        truth=picture(sample.truth),
        trimap=None if sample.trimap is None else picture(sample.trimap),
        columns=tuple(columns),
    )


def _score_row(model: ModelReport, file: FileReport) -> ScoreRow:
    """Return SAD, MSE, Grad, Conn of the unknown region, then of the whole image."""
    base = model.file_of_kind("float")
    cells: list[tuple[float | None, float | None]] = []
    for region in REGIONS:
        own = file.manifest.scores.get(region)
        reference = None if base is None or base is file else base.manifest.scores.get(region)
        cells += [_score_cell(own, reference, name) for name in ERROR_NAMES]
    return ScoreRow(file, tuple(cells))


def _score_cell(
    own: MattingErrors | None, reference: MattingErrors | None, name: ErrorName
) -> tuple[float | None, float | None]:
    if own is None:
        return None, None
    value = own.of(name)
    if reference is None or abs(base := reference.of(name)) <= TINY:
        return value, None
    return value, (value - base) / abs(base)


def _trade_offs(model: ModelReport, groups: Sequence[LatencyGroup]) -> tuple[Markup, ...]:
    """Return the plots of error against size and, where measured, against latency."""
    region: Region = "unknown" if model.task == "trimap" else "whole"
    y_label = f"SAD, {'unknown region' if region == 'unknown' else 'whole image'}, thousands"
    sad = {
        file.label: file.manifest.scores[region].sad
        for file in model.files
        if file.is_mobile and region in file.manifest.scores
    }
    series = {file.label: n for n, file in enumerate(model.files)}
    sizes = {file.label: file.manifest.payload_bytes / 1e6 for file in model.files}
    plots = [("size of the file, MB", sizes)]
    for group in groups:
        rows = [r for r in group.rows if r.model == model.name and r.bench.verdict == "valid"]
        threads = min((row.bench.threads for row in rows), default=1)
        p50 = {r.label: r.bench.latency.p50_ms for r in rows if r.bench.threads == threads}
        plots.append((f"p50 latency, ms, {threads} thread{'s' * (threads > 1)}, see Latency", p50))
    out = []
    for x_label, costs in plots:
        points = [
            Point(label, costs[label], value, series[label])
            for label, value in sad.items()
            if label in costs and math.isfinite(value)
        ]
        if points:
            out.append(Markup(error_against(points, x_label=x_label, y_label=y_label)))
    return tuple(out)


# --- where everything comes from --------------------------------------------------------------


def _lineage(files: Sequence[FileReport]) -> tuple[LineageNode, ...]:
    present = {file.manifest.payload_sha256 for file in files}

    def node(file: FileReport) -> LineageNode:
        manifest = file.manifest
        children = tuple(node(f) for f in files if f.manifest.parent == manifest.payload_sha256)
        missing = manifest.parent if manifest.parent not in present else None
        return LineageNode(file, children, missing)

    return tuple(node(file) for file in files if file.manifest.parent not in present)


def _tools(files: Sequence[FileReport]) -> dict[str, str]:
    """Return tool to version, or versions where the artefacts were made by several."""
    versions: dict[str, dict[str, None]] = {}
    for file in files:
        tools = file.manifest.tools | {"edgemat, git commit": file.manifest.git or "not known"}
        for tool, version in tools.items():
            versions.setdefault(tool, {})[version] = None
    return {tool: ", ".join(found) for tool, found in versions.items()}


def _notices(files: Sequence[FileReport]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (licence, data notice) to the names of the artefacts that carry it."""
    names: dict[tuple[str, str], tuple[str, ...]] = {}
    for file in files:
        key = (file.manifest.licence, file.manifest.data_notice)
        names[key] = (*names.get(key, ()), file.manifest.name)
    return names
