"""Quality bars: what shipped models must reach on real photographs, float and int8 side by side.

A file of bars (TOML) names sets of photographs with truth, and bounds on figures of models on
them. Relative bounds (``"+5%"``) compare the int8 file with the float model. Every photograph goes
through :func:`edgemat.matting.matte.matte`, as a user's would.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact, shipped_models
from edgemat.bench.peers.contestants import Contestant
from edgemat.bench.peers.ours import Classical, Ours
from edgemat.bench.peers.pictures import (
    THRESHOLD,
    Loaded,
    PhotoSet,
    find_looks,
    find_photos,
    load,
    percent,
)
from edgemat.bench.peers.scores import SetScore, score, summarise_scores
from edgemat.data.folder import folder_split, photographs_split
from edgemat.data.sample import DatasetPart
from edgemat.errors import UsageError, nearest
from edgemat.scoring.bounds import Bound, Verdict, judge
from edgemat.section import Section, wrong
from edgemat.toml import check_section, read_toml

File = Literal["float", "int8"]
Figure = Literal["iou", "mad", "sad_band", "grad_band", "times_closed_form", "seen"]
SEEN_SHARE = 0.02
"""Of a picture without anyone: where more is foreground, someone was seen."""


class SetSection(Section):
    """Photographs with truth in a folder, laid out as :mod:`edgemat.bench.peers.pictures` says.

    Attributes
    ----------
    split:
        Hex SHA-256 of the split that the models were trained with: no other part of the folder was
        held out from them.
    ignore_below:
        Share of a picture below which people do not count: on a screen, in a bus, far away.
    empty:
        Photographs without anyone, and without truth. What can be measured of them is "seen": the
        share of them in which more than 2 % are foreground.
    """

    name: str
    folder: str
    part: DatasetPart = "all"
    trimaps: str = "trimap"
    split: str | None = None
    ignore_below: float = Field(default=0.0, ge=0, lt=1)
    empty: bool = False

    @model_validator(mode="after")
    def _nobody_is_small_in_empty_pictures(self) -> SetSection:
        if self.empty and self.ignore_below:
            raise wrong("empty pictures have nobody to ignore", "Leave ignore_below out.")
        return self


class BarSection(Section):
    """A bound on one figure of one model on one set; it is the int8 file that must keep it.

    Without a bound the figure is measured and shown.
    """

    model: str
    set: str
    figure: Figure
    bound: str | None = None


class Bars(Section):
    """The whole file."""

    sets: tuple[SetSection, ...]
    bars: tuple[BarSection, ...]

    @property
    def by_name(self) -> dict[str, SetSection]:
        """The sets by their names."""
        return {section.name: section for section in self.sets}


@dataclass(frozen=True)
class BarResult:
    """One bar, and what was measured.

    Attributes
    ----------
    figures:
        By file; empty where nothing was measured.
    artefacts:
        By file, the name of the folder that was measured.
    photos:
        How many photographs the figures are means over.
    verdict:
        None where the bar has no bound, or nothing was measured.
    """

    bar: BarSection
    figures: dict[File, float]
    photos: int
    verdict: Verdict | None
    artefacts: dict[File, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the row as a mapping that JSON can hold."""
        verdict = None if self.verdict is None else self.verdict.to_json()
        return self.bar.model_dump() | {
            # JSON has no NaN: null where a figure has no meaning, such as an edge without an edge
            "figures": {f: None if math.isnan(v) else v for f, v in self.figures.items()},
            "photos": self.photos,
            "artefacts": self.artefacts,
            "verdict": verdict,
        }


class SetFigures(NamedTuple):
    """What one model reached on one set: figures by file, and of how many photographs."""

    figures: dict[File, dict[Figure, float]]
    photos: int


def load_bars(path: Path) -> Bars:
    """Read a file of bars.

    Raises
    ------
    UsageError
        When it is missing, broken, or names a set that it does not describe.
    """
    bars = check_section(path, Bars, read_toml(path, what="file of bars"), _keys)
    sections = bars.by_name
    for bar in bars.bars:
        if bar.set not in sections:
            raise UsageError(
                f"{path}: there is no set {bar.set!r}.", remedy=nearest(bar.set, list(sections))
            )
        if bar.bound is not None:
            Bound(bar.figure, bar.bound)
        if sections[bar.set].empty != (bar.figure == "seen"):
            raise UsageError(
                f"{path}: {bar.figure!r} is not measured on {bar.set!r}.",
                remedy='Of sets with empty = true the figure is "seen", of others any other.',
            )
    return bars


def _keys(place: tuple[int | str, ...]) -> Sequence[str]:
    parts: dict[str, type[Section]] = {"sets": SetSection, "bars": BarSection}
    section = parts[str(place[0])] if place else Bars
    return list(section.model_fields)


def measure_quality(
    bars: Bars,
    *,
    threads: int = 1,
    limit: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[BarResult]:
    """Measure all bars whose photographs and model are here.

    Parameters
    ----------
    limit:
        At most so many photographs of each set.
    progress:
        Called with a line of text before every set of every model.
    """
    sections = bars.by_name
    found = {name: _find(section, limit) for name, section in sections.items()}
    here = shipped_models()
    done: dict[tuple[str, str], SetFigures] = {}
    rows = []
    for bar in bars.bars:
        photos = found[bar.set]
        if photos is None or bar.model not in here:
            rows.append(BarResult(bar, {}, 0, None))
            continue
        key = bar.model, bar.set
        if key not in done:
            loaded = _load(photos, sections[bar.set])
            progress(f"{bar.model} on {bar.set}: {len(loaded)} photographs")
            done[key] = SetFigures(_measure(bar.model, loaded, threads), len(loaded))
        measured = done[key]
        figures: dict[File, float] = {f: measured.figures[f][bar.figure] for f in measured.figures}
        verdict = None
        if bar.bound is not None:
            (verdict,) = judge(
                [Bound(bar.figure, bar.bound)],
                {bar.figure: figures["int8"]},
                reference={bar.figure: figures["float"]},
            )
        artefacts = {file: path.name for file, path in _files(bar.model).items()}
        rows.append(BarResult(bar, figures, measured.photos, verdict, artefacts))
    return rows


def _find(section: SetSection, limit: int | None) -> PhotoSet | None:
    folder = Path(section.folder)
    if not folder.is_dir():
        return None
    split = photographs_split(folder) if section.empty else folder_split(folder)
    if section.split not in (None, split.sha256):
        raise UsageError(
            f"{folder} is not split as it was for the shipped models: what is held out now was "
            "trained on.",
            remedy=f"Split it as docs/data.md says: edgemat data hold-out {folder}",
        )
    if section.empty:
        return find_looks(folder, part=section.part, limit=limit)
    return find_photos(folder, part=section.part, limit=limit, trimaps=section.trimaps)


def _load(photos: PhotoSet, section: SetSection) -> list[Loaded]:
    """Return the photographs that have anyone who counts, or all of a set without anyone."""
    loaded = [
        load(photo, photos.truth, ignore_below=section.ignore_below) for photo in photos.photos
    ]
    kept = [one for one in loaded if one.anyone_counts]
    if not kept:
        raise UsageError(
            f"In {photos.folder} nobody covers {percent(section.ignore_below)} of a picture.",
            remedy="Give a smaller ignore_below.",
        )
    return kept


def _measure(model: str, loaded: list[Loaded], threads: int) -> dict[File, dict[Figure, float]]:
    result: dict[File, dict[Figure, float]] = {}
    if loaded[0].truth is None:
        for file, path in _files(model).items():
            result[file] = {"seen": _share_seen(Ours(path, threads=threads), loaded)}
        return result
    closed_form = math.nan
    if all(one.trimap is not None for one in loaded):
        closed_form = _run(Classical("closed-form"), loaded)[1]
    for file, path in _files(model).items():
        scores, seconds = _run(Ours(path, threads=threads), loaded)
        result[file] = {
            "iou": scores.iou,
            "mad": scores.mad,
            "sad_band": _or_nan(scores.sad_band),
            "grad_band": _or_nan(scores.grad_band),
            "times_closed_form": closed_form / seconds,
        }
    return result


def _share_seen(contestant: Contestant, photos: list[Loaded]) -> float:
    """Return in what share of the pictures more than SEEN_SHARE is foreground."""
    alphas = (contestant.predict(one.image, None) for one in photos)
    seen = [float((alpha >= THRESHOLD).mean()) > SEEN_SHARE for alpha in alphas]
    return sum(seen) / len(seen)


def _files(model: str) -> dict[File, Path]:
    return {"float": find_artifact(model), "int8": find_artifact(model, target=SHIPPED_TARGET)}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _run(contestant: Contestant, photos: list[Loaded]) -> tuple[SetScore, float]:
    """Return the mean scores, and the seconds that all photographs took; one runs beforehand."""
    contestant.predict(photos[0].image, photos[0].trimap)
    scores, seconds = [], 0.0
    for one in photos:
        start = time.perf_counter()
        alpha = contestant.predict(one.image, one.trimap)
        seconds += time.perf_counter() - start
        scores.append(score(alpha, one))
    return summarise_scores(scores), seconds
