"""Series of trainings that take a second: a short protocol, two networks, pictures of noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from edgemat.data.small_pictures import SmallPictures
from edgemat.experiments.protocol import SeriesProtocol
from edgemat.experiments.reconstruct import reconstruction_trial
from edgemat.experiments.trial import Trial

MODELS = ("reconstruct-avgpool-nn", "reconstruct-maxpool-unpool")
TINY = SeriesProtocol(
    name="tiny",
    epochs=3,
    samples=8,
    batch=4,
    optimizer="sgd",
    learning_rate=0.01,
    falls=(2,),
    width=0.125,
)


def pictures(count: int = 8) -> SmallPictures:
    drawn = np.random.default_rng(0).integers(0, 256, (count + 2, 28, 28)).astype(np.uint8)
    return SmallPictures(drawn[:count], drawn[count:])


def write_tiny(path: Path) -> None:
    """Write TINY as a user would."""
    fields = TINY.model_dump(exclude_defaults=True, mode="json")
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items()))


def noise_trial() -> Trial:
    return reconstruction_trial(pictures(), data="noise")
