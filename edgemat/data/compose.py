"""Drawn cut-outs and composites as files, for training and tests that take folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import ProceduralSource
from edgemat.data.open import KINDS, open_data
from edgemat.data.sample import DatasetPart
from edgemat.data.sections import BackgroundSection, DataSection
from edgemat.images import write_image


def draw_folder(
    output: Path,
    *,
    kinds: str,
    count: int,
    size: int,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `count` procedural cut-outs, RGBA, to OUTPUT; those that are there are kept.

    Drawn large once, they are cut and scaled anew in every epoch: a training reads them faster
    than it could draw them.

    Parameters
    ----------
    kinds:
        One of :data:`edgemat.data.open.KINDS`.
    size:
        Height and width in pixels.
    """
    source = ProceduralSource(seed, size=(size, size), kinds=KINDS[kinds])
    for index in range(count):
        path = output / f"{index:05d}.png"
        if not path.exists():
            matte = source[index]
            write_image(path, np.dstack([matte.colours, matte.alpha]))
        if progress is not None:
            progress(index + 1)


def compose_folder(
    source: str,
    output: Path,
    *,
    backgrounds: Path | None = None,
    count: int,
    size: int,
    part: DatasetPart = "all",
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `count` composites to OUTPUT/image and their mattes to OUTPUT/alpha.

    Parameters
    ----------
    source:
        "people", "procedural", or a folder of cut-outs as :mod:`edgemat.data.folder` describes.
    backgrounds:
        Folder of photographs; by default textures are drawn.
    size:
        Height and width in pixels.
    part:
        "held-out" takes those that are never trained on, "train" the others.
    progress:
        Called with the number of composites that are written.

    Raises
    ------
    UsageError
        When a folder is missing or empty.
    """
    behind = () if backgrounds is None else (BackgroundSection(source=str(backgrounds)),)
    data = DataSection(source=source, part=part, backgrounds=behind)
    shape = (size, size)
    samples = MattingDataset(
        open_data(data, seed=seed, size=shape), size=shape, seed=seed, length=count, views="none"
    )
    for index in range(count):
        sample = samples.sample(index)
        name = f"{index:04d}.png"
        for folder, picture in (("image", sample.image), ("alpha", sample.alpha)):
            write_image(output / folder / name, picture)
        if progress is not None:
            progress(index + 1)
