"""The data that the shipped models learned from, for the bill of materials.

Of all these only the rendered people are part of edgemat; docs/data.md says where each is from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """A set of pictures, or another's weights.

    Attributes
    ----------
    licence:
        An SPDX expression where there is one, else in words.
    said:
        Pattern of the words by which a model's card names it.
    ships:
        Where it lies in the package, if it does.
    """

    ref: str
    name: str
    licence: str
    said: str
    ships: str | None = None

    def is_named(self, card: str) -> bool:
        """Return whether a card's text names it."""
        return re.search(self.said, card) is not None


DATA = (
    DataSet(
        ref="data-people",
        name="people rendered by edgemat",
        licence="CC0-1.0",
        said=r"rendered by edgemat",
        ships="edgemat/assets/people",
    ),
    DataSet("data-drawn", "pictures drawn by edgemat", "edgemat's own", r"drawn by (it|edgemat)"),
    DataSet("data-eg1800", "EG1800", "for academic exchange only", r"EG1800"),
    DataSet(
        ref="data-ccp",
        name="Clothing Co-Parsing",
        licence="repository Apache-2.0, photographs of third parties",
        said=r"Clothing Co-Parsing",
    ),
    DataSet(
        ref="data-coco",
        name="COCO 2017",
        licence="photographs under their own Creative Commons licences",
        said=r"COCO",
    ),
    DataSet("data-pennfudan", "Penn-Fudan", "research", r"Penn-Fudan"),
    DataSet("data-voc", "PASCAL VOC", "photographs of third parties, research", r"VOC"),
    DataSet("data-cc0-portraits", "CC0 portraits", "CC0-1.0", r"CC0 portraits"),
    DataSet("data-bsds500", "BSDS500", "non-commercial research", r"BSDS500"),
    DataSet("data-yoga", "yoga photographs", "research", r"yoga"),
    DataSet(
        ref="data-imagenet",
        name="photographs of ImageNet",
        licence="photographs of third parties, research",
        said=r"ImageNet(?! weights)",
    ),
    DataSet(
        ref="data-imagenet-weights",
        name="MobileNetV2 trained on ImageNet",
        licence="Apache-2.0",
        said=r"ImageNet weights|started from portrait's",
    ),
    DataSet(
        ref="data-debian-wallpapers",
        name="Debian wallpapers",
        licence="by picture: GPL-2+, CC-BY, CC-BY-SA, CC0, MIT",
        said=r"Debian wallpapers",
    ),
    DataSet("data-panoramas", "panoramas of Poly Haven", "CC0-1.0", r"CC0 panoramas"),
)
