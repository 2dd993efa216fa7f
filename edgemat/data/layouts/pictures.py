"""The sets of the thesis' other tasks: pictures, and pictures with labels or depths.

=================  ==================================================================  =============
name               layout                                                              task
=================  ==================================================================  =============
bsd400, bsd68,     pictures in the folder itself                                       denoising
set12
sun-rgbd           train/image, train/label, test/image, test/label                    segmentation
ade20k             images/training, images/validation, annotations/training,           segmentation
                   annotations/validation
nyudv2             train/image, train/depth, test/image, test/depth                    depth
=================  ==================================================================  =============

Labels are PNGs of class numbers, 0 for none; depths 16-bit PNGs in millimetres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edgemat.data.listing import pictures
from edgemat.errors import UsageError
from edgemat.models.info import Task

NO_CLASS = -1
"""Of a pixel that nobody labelled, once classes count from 0: it is not learned and not judged."""


@dataclass(frozen=True)
class PairSet:
    """Pictures, each with what is to be found in it.

    Attributes
    ----------
    parts:
        Part to the folders of its pictures and of their labels or depths; "." and None for
        pictures alone.
    sizes:
        How many pictures each part has when it is complete.
    task:
        What is learned from it.
    classes:
        How many segmentation tells apart.
    """

    title: str
    parts: Mapping[str, tuple[str, str | None]]
    sizes: Mapping[str, int]
    task: Task
    classes: int = 0

    @property
    def tree(self) -> str:
        """The folders, for people."""
        lines = [
            "the pictures themselves" if inside == "." else ", ".join(filter(None, (inside, truth)))
            for inside, truth in self.parts.values()
        ]
        return "".join(f"\n    {line}" for line in lines)

    def find(self, path: Path) -> dict[str, dict[str, tuple[Path, Path | None]]]:
        """Return the pictures of each part by name, with their truths.

        Raises
        ------
        UsageError
            When a part has no pictures, or one has no partner.
        """
        found = {}
        for part, (inside, truth) in self.parts.items():
            images = pictures(path / inside)
            if not images:
                raise UsageError(
                    f"There are no pictures in {path / inside}.",
                    remedy="`edgemat data layouts` shows how each set is laid out.",
                )
            truths = pictures(path / truth) if truth is not None else {}
            alone = sorted(images.keys() ^ truths.keys()) if truth is not None else []
            if alone:
                raise UsageError(
                    f"In {path} {alone[0]} has no partner: {len(alone)} pictures or truths of "
                    f"{part} stand alone.",
                    remedy="Every picture needs a truth of the same name.",
                )
            found[part] = {name: (file, truths.get(name)) for name, file in images.items()}
        return found


def _alone(title: str, count: int) -> PairSet:
    return PairSet(title, {"all": (".", None)}, {"all": count}, "denoising")


PAIR_SETS: Mapping[str, PairSet] = MappingProxyType(
    {
        "bsd400": _alone("400 pictures of Berkeley, to train denoising", 400),
        "bsd68": _alone("BSD68", 68),
        "set12": _alone("Set12", 12),
        "sun-rgbd": PairSet(
            "SUN RGB-D, 37 classes",
            {"train": ("train/image", "train/label"), "test": ("test/image", "test/label")},
            {"train": 5285, "test": 5050},
            "segmentation",
            classes=37,
        ),
        "ade20k": PairSet(
            "ADE20K, 150 classes",
            {
                "train": ("images/training", "annotations/training"),
                "test": ("images/validation", "annotations/validation"),
            },
            {"train": 20210, "test": 2000},
            "segmentation",
            classes=150,
        ),
        "nyudv2": PairSet(
            "NYUDv2",
            {"train": ("train/image", "train/depth"), "test": ("test/image", "test/depth")},
            {"test": 654},
            "depth",
        ),
    }
)
