"""Folders of mattes and photographs, made small: what training at a few hundred pixels needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from edgemat.data.drawn.draw import extend_colours
from edgemat.data.folder import photographs_of
from edgemat.data.layouts.files import StoredFile
from edgemat.data.layouts.own import find_own
from edgemat.data.sample import Use
from edgemat.images import (
    F32,
    MIN_SIDE,
    U8,
    encode_image,
    read_grey,
    read_rgba,
    read_trimap,
    resize,
    to_float,
    to_uint8,
)

ALPHAS, TRIMAPS, BACKGROUNDS = "alpha", "trimap", "background"
LOSSLESS, LOSSY = ".png", ".webp"


@dataclass(frozen=True)
class PackedPicture:
    """A picture that is to be packed.

    Attributes
    ----------
    source:
        The file as it is.
    target:
        Where it goes in the packed folder. Alphas, trimaps and cut-outs lose nothing but size,
        other colours are compressed.
    content:
        What it shows.
    """

    source: StoredFile
    target: Path
    content: Literal["alpha", "trimap", "colours"] = "colours"

    def encoded(self, side: int) -> bytes:
        """Return the bytes of `target`, its longer side `side` px where it was more.

        The shorter keeps the MIN_SIDE px below which no picture is read.

        Raises
        ------
        ImageError
            When the picture is damaged.
        """
        if self.content == "alpha":
            shrunk = _shrink(to_uint8(read_grey(self.source)), side)
        elif self.content == "trimap":
            trimap = read_trimap(self.source)
            shrunk = resize(trimap, _size(trimap, side), method="nearest")
        else:
            colours, opacity = read_rgba(self.source)
            if opacity is None:
                shrunk = _shrink(colours, side)
            else:
                shrunk = _shrink_cutout(colours, opacity, side)
        return encode_image(shrunk, self.target, small=True)


def pack_mattes(source: Path, target: Path, uses: Collection[Use]) -> Iterator[PackedPicture]:
    """Yield the pictures of a folder of mattes, laid out as :mod:`edgemat.data.folder` says.

    Parameters
    ----------
    target:
        Folder for them.
    uses:
        The colours that are needed.

    Raises
    ------
    UsageError
        When the folder is laid out otherwise, or has not those colours.
    """
    found = [find_own(source, use) for use in sorted(set(uses))]
    first = found[0]
    for stem, file in first.alphas.items():
        if first.colours:
            yield PackedPicture(file, target / ALPHAS / f"{stem}{LOSSLESS}", "alpha")
        else:
            yield PackedPicture(file, target / f"{stem}{LOSSLESS}")
    for kind in {files.has_layers: files for files in found}.values():
        folder = target / ("foreground" if kind.has_layers else "image")
        for stem, file in kind.colours.items():
            yield PackedPicture(file, folder / f"{stem}{LOSSY}")
    for stem, file in first.trimaps.items():
        yield PackedPicture(file, target / TRIMAPS / f"{stem}{LOSSLESS}", "trimap")
    for file in first.backgrounds:
        yield PackedPicture(file, target / BACKGROUNDS / f"{Path(file.name).stem}{LOSSY}")


def pack_photographs(source: Path, target: Path) -> Iterator[PackedPicture]:
    """Yield the photographs of a folder, or of its image/, which then is in `target` as well."""
    for stem, file in photographs_of(source).items():
        yield PackedPicture(file, target / file.parent.relative_to(source) / f"{stem}{LOSSY}")


def _size(picture: U8, side: int) -> tuple[int, int]:
    height, width = picture.shape[:2]
    scale = min(1.0, max(side / max(height, width), MIN_SIDE / min(height, width)))
    return round(height * scale), round(width * scale)


def _shrink(picture: U8, side: int) -> U8:
    return resize(picture, _size(picture, side), method="area")


def _shrink_cutout(colours: U8, alpha: F32, side: int) -> U8:
    """Return a smaller cut-out, HxWx4, whose colours are those of what is opaque."""
    size = _size(colours, side)
    small = resize(alpha, size, method="area")
    weighted = resize(to_float(colours) * alpha[..., None], size, method="area")
    return np.dstack([to_uint8(extend_colours(weighted, small)), to_uint8(small)])
