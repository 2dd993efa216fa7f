"""Does a model serve everyone alike? Errors by skin tone and hair, on rendered people.

Only rendered people have an exact alpha *and* a known description. Each is put over the same
backgrounds, so that groups differ by the people alone. Renders are not photographs: what is found
here is a lower bound on what a model may do wrong with real people.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.bench.peers.ours import Ours
from edgemat.bench.peers.pictures import Loaded, Photo, edge_band
from edgemat.bench.peers.scores import PictureScore, score
from edgemat.bench.peers.sheet import Strip, make_strip
from edgemat.data.augment import cover
from edgemat.data.composite import composite
from edgemat.data.folder import FolderSource
from edgemat.data.mix import Backgrounds
from edgemat.data.sample import DatasetPart, Matte
from edgemat.data.sections import PEOPLE
from edgemat.errors import UsageError
from edgemat.images import F32, U8, to_float, to_uint8

DESCRIPTIONS = "people.json"
SKIN = {"light (Monk 1-3)": range(1, 4), "medium (4-6)": range(4, 7), "dark (7-10)": range(7, 11)}
BACKGROUNDS = 3
"""Over how many backgrounds everyone is put."""
WORST = 6
"""The number of worst pictures that are kept."""


@dataclass(frozen=True)
class GroupScore:
    """Mean errors of one group.

    Attributes
    ----------
    topic, group:
        For example "skin" and "dark (7-10)".
    people:
        How many rendered people; each is measured over several backgrounds.
    iou, mad, mad_band:
        Person IoU; mean absolute difference of alpha in the whole picture and around the edge.
    """

    topic: str
    group: str
    people: int
    iou: float
    mad: float
    mad_band: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Bias:
    """The errors by group, and the worst pictures.

    Attributes
    ----------
    model:
        Name of the artefact's folder, or of the file.
    groups:
        Sorted by topic and group.
    worst:
        The pictures with the largest errors, one of each person at most, the largest first.
    """

    model: str
    groups: list[GroupScore]
    worst: list[Strip]

    def to_json(self) -> dict[str, Any]:
        """Return all but the pictures as a mapping that JSON can hold."""
        return {"model": self.model, "groups": [group.to_json() for group in self.groups]}


@dataclass(frozen=True)
class _Picture:
    """One person over one background: what it scored, and how it looks."""

    score: PictureScore
    strip: Strip


def measure_bias(
    model: Path,
    backgrounds: Backgrounds,
    *,
    people: Path = PEOPLE,
    part: DatasetPart = "held-out",
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Bias:
    """Return the errors of a model by skin tone and by hair.

    Parameters
    ----------
    model:
        An artefact, or a .tflite file; one with a trimap is given the band around the true edge.
    people:
        Folder of cut-outs with people.json, as ``tools.render_people pack`` writes it.
    part:
        "held-out" are those that no recipe trains on.
    progress:
        Called with the number of people done and the number of all.

    Raises
    ------
    UsageError
        When there are no descriptions beside the people.
    """
    described = _descriptions(people)
    source = FolderSource(people, seed=0, size=(64, 64), part=part)
    contestant = Ours(model, threads=threads)
    found: dict[tuple[str, str], list[list[PictureScore]]] = {}
    worst: list[_Picture] = []
    count = source.count or 0
    for index in range(count):
        pictures = [
            _measure(contestant, model.name, source, index, backgrounds.background(number))
            for number in range(BACKGROUNDS)
        ]
        worst.append(max(pictures, key=lambda one: one.score.mad))
        for group in _groups(described.get(source.name(index), {})):
            found.setdefault(group, []).append([one.score for one in pictures])
        progress(index + 1, count)
    worst.sort(key=lambda one: -one.score.mad)
    return Bias(
        model.name,
        [_mean(topic, group, found[topic, group]) for topic, group in sorted(found)],
        [one.strip for one in worst[:WORST]],
    )


def put_before(person: Matte, background: U8) -> U8:
    """Return a composite, HxWx3 uint8: a person before a background that covers the picture."""
    alpha = to_float(person.alpha)
    behind = to_float(cover(background, size=(alpha.shape[0], alpha.shape[1])))
    return to_uint8(composite(to_float(person.colours), behind, alpha=alpha))


def _measure(
    contestant: Ours,
    label: str,
    source: FolderSource,
    index: int,
    background: np.ndarray[Any, Any],
) -> _Picture:
    matte = source[index]
    alpha, picture = to_float(matte.alpha), put_before(matte, background)
    band = edge_band(alpha)
    found: F32 = contestant.predict(picture, band)
    name = source.name(index)
    scored = score(found, Loaded(Photo(name, Path(name)), picture, alpha, band, band))
    notes = {label: f"IoU {scored.iou:.3f}, MAD {scored.mad:.4f}"}
    return _Picture(scored, make_strip(name, picture, alpha, {label: found}, notes))


def _descriptions(people: Path) -> dict[str, dict[str, Any]]:
    path = people / DESCRIPTIONS
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["people"]
        return {Path(one["file"]).stem: one for one in listed}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{path} does not describe the people.",
            remedy="Name a folder that `python -m tools.render_people pack` wrote.",
        ) from error


def _groups(description: dict[str, Any]) -> list[tuple[str, str]]:
    """Return topic and group of a picture of one person; of several nobody can be told apart."""
    people = description.get("people", [])
    if len(people) != 1:
        return []
    person = people[0]
    skin = next(name for name, tones in SKIN.items() if person["skin_tone"] in tones)
    hair = person["hair"]
    texture = "bald" if hair["length"] == "bald" else hair["texture"]
    return [("skin", skin), ("hair", texture), ("hair length", hair["length"])]


def _mean(topic: str, group: str, people: list[list[PictureScore]]) -> GroupScore:
    scores = [one for scores in people for one in scores]
    bands = [one.mad_band for one in scores if one.mad_band is not None]
    return GroupScore(
        topic,
        group,
        len(people),
        iou=float(np.mean([one.iou for one in scores])),
        mad=float(np.mean([one.mad for one in scores])),
        mad_band=float(np.mean(bands)) if bands else 0.0,
    )
