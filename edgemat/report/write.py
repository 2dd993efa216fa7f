"""The report of one run: a single HTML file that needs neither network nor JavaScript.

The pipeline fills a :class:`ReportData` and hands it to :func:`write_report`. What is derived
from it (changes against the float model, pictures, plots, lineage) is worked out in
``view``, drawn in ``plots`` and laid out by ``templates/report.html.j2``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemat.artifacts.artifact import QAT_SUFFIX, Manifest
from edgemat.errors import MissingToolError
from edgemat.files import write_text
from edgemat.images import F32, U8

if TYPE_CHECKING:
    from edgemat.bench.frontier import Frontier
    from edgemat.bench.gate import Verdict
    from edgemat.convert.layers import LayerTable

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "report.html.j2"
BENCH_TEMPLATE = "bench.html.j2"
EM_DASH = "\u2014"
_NARROW_SPACE = "\u202f"
_MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class FileReport:
    """One artefact of a model: its float or frozen form, or a mobile file.

    Attributes
    ----------
    layers:
        Differences from the frozen model tensor by tensor, for each way in which the file ran.
    """

    manifest: Manifest
    layers: tuple[LayerTable, ...] = ()

    @property
    def label(self) -> str:
        """Return the name by which tables and plots call the file within its model."""
        if self.manifest.kind == "quantized":
            trained = self.manifest.name.endswith(QAT_SUFFIX)
            return "frozen model (QAT)" if trained else "frozen model (PTQ)"
        if self.manifest.kind == "float":
            return "float model" if self.manifest.pruning is None else "pruned float model"
        return self.manifest.target or self.manifest.kind

    @property
    def is_mobile(self) -> bool:
        return self.manifest.kind in ("tflite", "coreml")


@dataclass(frozen=True)
class MatteSample:
    """One validation sample with the matte that every file gives for it.

    Attributes
    ----------
    image:
        HxWx3 RGB, uint8 or float32 in 0..1.
    truth:
        HxW float32 in 0..1, the true alpha.
    mattes:
        :attr:`Manifest.name` to HxW float32 alpha. The float and the frozen model's belong here
        too: the others are held against them.
    trimap:
        HxW uint8 in {0, 128, 255}, where the model takes one.
    """

    image: U8 | F32
    truth: F32
    mattes: Mapping[str, F32]
    trimap: U8 | None = None


@dataclass(frozen=True)
class ModelReport:
    """One trained model and everything made of it.

    Attributes
    ----------
    files:
        All artefacts, from the float model on; the one of kind "float" is the reference of the
        scores.
    training_log:
        The lines of the training log: "step", "loss", the loss's parts, and now and then figures
        of the validation set, whose names begin with "val_".
    """

    name: str
    task: str
    architecture: str
    files: tuple[FileReport, ...]
    training_log: tuple[Mapping[str, float], ...] = ()
    samples: tuple[MatteSample, ...] = ()

    def file_of_kind(self, kind: str) -> FileReport | None:
        """Return the first artefact of a kind ("float", "quantized", "tflite", "coreml")."""
        return next((f for f in self.files if f.manifest.kind == kind), None)

    def parent_of(self, file: FileReport) -> FileReport | None:
        """Return the artefact that `file` was made from."""
        sha256 = file.manifest.parent
        return next((f for f in self.files if f.manifest.payload_sha256 == sha256), None)

    def file_of_target(self, target: str) -> FileReport | None:
        """Return the artefact of a target ("tflite-int8", ...)."""
        return next((f for f in self.files if f.manifest.target == target), None)


@dataclass(frozen=True)
class GateRow:
    """One verdict of the gate and what it is about.

    Attributes
    ----------
    model, file:
        :attr:`ModelReport.name` and :attr:`FileReport.label`.
    scope:
        What the figure was taken over and held against, in words, with its unit:
        "unknown region, against the float model", "dB, against the frozen model in LiteRT".
    """

    model: str
    file: str
    verdict: Verdict
    scope: str = ""


@dataclass(frozen=True)
class PhotoReport:
    """The real photograph that was cut out at the end.

    Attributes
    ----------
    image, replaced, blurred:
        HxWx3 RGB, uint8 or float32 in 0..1: the original, with a new background, with the
        background blurred.
    alpha:
        HxW float32 in 0..1.
    cutout:
        HxWx4 RGBA, not premultiplied.
    model:
        The file that made the matte, as a reader would look it up.
    credit:
        Title, author and licence of the photograph.
    album:
        HxWx3 uint8: a sheet of more photographs beside their cut-outs.
    """

    image: U8 | F32
    alpha: F32
    cutout: U8 | F32
    replaced: U8 | F32
    blurred: U8 | F32
    model: str
    credit: str = ""
    album: U8 | None = None


@dataclass(frozen=True)
class ReportData:
    """Everything that the report tells.

    Attributes
    ----------
    created:
        UTC, ISO 8601.
    circumstances:
        What the run depended on beside the recipe (machine, device, time taken), label to value.
    demonstrations:
        Models whose weights are those of a run of minutes; the report says so at the top.
    benches:
        ``Result.to_json()`` of every measurement. One without its circumstances is not
        printed.
    skipped:
        What was not done, a sentence each with the reason.
    """

    recipe_name: str
    recipe_text: str
    created: str
    circumstances: Mapping[str, object]
    demonstrations: tuple[str, ...]
    models: tuple[ModelReport, ...]
    benches: tuple[Mapping[str, Any], ...] = ()
    gates: tuple[GateRow, ...] = ()
    photo: PhotoReport | None = None
    skipped: tuple[str, ...] = ()


def write_report(data: ReportData, path: Path) -> None:
    """Write the report to `path` in one step; everything that it shows is inside the file.

    Raises
    ------
    MissingToolError
        jinja2 or matplotlib is not installed.
    ImageError
        A matte differs in size from its sample, or an array is no image.
    DiskError
        The disk is full or the folder may not be written.
    """
    with _parts_of_the_report():
        from edgemat.report.view import build_view

        _render(path, TEMPLATE, data=data, view=build_view(data))


def write_bench_report(
    benches: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    created: str,
    frontier: Frontier | None = None,
) -> None:
    """Write a page of latencies, ``Result.to_json()`` of devices anywhere, and of a frontier.

    Raises
    ------
    MissingToolError, DiskError
        As :func:`write_report`.
    """
    with _parts_of_the_report():
        from edgemat.report.view import build_latency_view

        view = build_latency_view(benches) if benches else None
        _render(path, BENCH_TEMPLATE, created=created, view=view, frontier=frontier)


@contextmanager
def _parts_of_the_report() -> Iterator[None]:
    """Say how to install what a page needs where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"The report needs {error.name}, which is not installed.",
            remedy='Install it with: pip install "edgemat[report]"',
        ) from error


def _render(path: Path, template: str, **values: object) -> None:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "change": change,
        "megabytes": megabytes,
        "known": known,
        "signs": signs,
        "moment": moment,
    }
    write_text(path, environment.get_template(template).render(values))


def number(value: float | None, digits: int = 3, *, trim: bool = False) -> str:
    """Return a figure with `digits` significant digits; an em dash for None and NaN.

    With `trim` zeros at the end of the fraction are left out, as for a count.

    >>> number(0.01234), number(28400.0), number(0.0000123)
    ('0.0123', '28,400', '1.23·10⁻⁵')
    """
    if value is None or math.isnan(value):
        return EM_DASH
    if math.isinf(value):
        return "∞" if value > 0 else _MINUS + "∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -4 <= power < 6:
        text = f"{value:,.{max(digits - 1 - power, 0)}f}"
        text = text.rstrip("0").rstrip(".") if trim and "." in text else text
    else:
        text = f"{mantissa}·10{str(power).translate(_SUPERSCRIPT)}"
    return text.replace("-", _MINUS)


def change(fraction: float | None) -> str:
    """Return a relative change with its sign, in per cent; an em dash for None and NaN."""
    if fraction is None or math.isnan(fraction):
        return EM_DASH
    if math.isinf(fraction):
        return ("+" if fraction > 0 else _MINUS) + f"∞{_NARROW_SPACE}%"
    text = f"{fraction * 100:+.1f}".replace("-", _MINUS)
    return ("±0.0" if text[1:] == "0.0" else text) + f"{_NARROW_SPACE}%"


def megabytes(size: int) -> str:
    """Return bytes as MB (10⁶ bytes), or kB below 0.1 MB."""
    if size < 100_000:
        return f"{size / 1e3:.1f}{_NARROW_SPACE}kB"
    return f"{size / 1e6:.2f}{_NARROW_SPACE}MB"


def known(value: object) -> str:
    """Return a value as text; an em dash for None, NaN and empty text, yes and no for bools."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return EM_DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def signs(bound: str) -> str:
    """Return a bound with the signs that print uses: "<= +5 %" is "≤ +5 %"."""
    bound = bound.replace("<=", "≤").replace(">=", "≥").replace("==", "=")
    return bound.replace(" %", f"{_NARROW_SPACE}%").replace("-", _MINUS)


def moment(iso: str) -> str:
    """Return an ISO 8601 time as a reader writes it: "2026-11-22 10:00 UTC"."""
    time = datetime.fromisoformat(iso)
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".strip()
