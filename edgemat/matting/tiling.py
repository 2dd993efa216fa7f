"""Pictures of any size for a model of one size: fitting, overlapping tiles, bands of rows.

Everything here is plain geometry on numpy arrays. Large pictures are worked on in bands of rows,
so that a float copy of 12,000 x 12,000 px never exists.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgemat.images import F32, U8, resize

T = TypeVar("T", np.uint8, np.float32)

_BAND_PIXELS = 1 << 21
_BOX_SIDE = 512
SMALL_BOX = 256
"""Side of boxes, px, of which those that lie wholly inside or outside of a matte are quick."""


@dataclass(frozen=True)
class Letterbox:
    """The place of a picture inside a model's input: scaled with its aspect ratio kept, centred.

    Attributes
    ----------
    height, width:
        Of the scaled picture, at least 1.
    margins:
        ((top, bottom), (left, right)) pixels that the picture leaves free.
    enlarges:
        True where the scaled picture is at least as large as the original.
    """

    height: int
    width: int
    margins: tuple[tuple[int, int], tuple[int, int]]
    enlarges: bool

    @classmethod
    def fit(cls, picture: tuple[int, int], frame: tuple[int, int]) -> Letterbox:
        """Fit a picture of (height, width) into a frame of (height, width)."""
        scale = min(frame[0] / picture[0], frame[1] / picture[1])
        height, width = (max(1, round(side * scale)) for side in picture)
        free_rows, free_columns = frame[0] - height, frame[1] - width
        top, left = free_rows // 2, free_columns // 2
        margins = ((top, free_rows - top), (left, free_columns - left))
        return cls(height, width, margins, enlarges=scale >= 1)

    def scale(self, picture: U8) -> U8:
        """Scale an HxWx3 picture to its place."""
        size = self.height, self.width
        return resize(picture, size, method="bicubic" if self.enlarges else "bilinear")

    def pad(self, picture: F32) -> F32:
        """Fill the margins around a scaled HxWxC picture by repeating its edge."""
        return np.pad(picture, (*self.margins, (0, 0)), mode="edge")

    def crop(self, frame: NDArray[Any]) -> NDArray[Any]:
        """Take the HxW picture out of a frame."""
        (top, _), (left, _) = self.margins
        return frame[top : top + self.height, left : left + self.width]


@dataclass(frozen=True)
class Span:
    """One tile along one axis, and the weight of each of its pixels in the blend."""

    start: int
    weights: F32

    @property
    def slice(self) -> slice:
        return slice(self.start, self.start + len(self.weights))


def tile_axis(length: int, size: int) -> list[Span]:
    """Cover `length` pixels with tiles of `size`, neighbours overlapping by a quarter or more.

    The weights are Hann windows divided by their sum. At each pixel they add up to 1, and they
    are smallest at a tile's border, where the network has seen the least of the surroundings.

    Parameters
    ----------
    length, size:
        ``length >= size >= 1``.
    """
    step = max(1, size - size // 4)
    count = 1 + -(-(length - size) // step)
    starts = np.linspace(0, length - size, count).round().astype(int)
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    total = np.zeros(length)
    for start in starts:
        total[start : start + size] += window
    return [
        Span(int(start), (window / total[start : start + size]).astype(np.float32))
        for start in starts
    ]


def bands(height: int, width: int) -> Iterator[slice]:
    """Cut a picture into bands of rows of about two megapixels each."""
    rows = max(1, _BAND_PIXELS // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


Box = tuple[slice, slice]
"""Rows and columns of a picture, each with a start and a stop; an index of it."""


def for_boxes(size: tuple[int, int], work: Callable[[Box], None], *, side: int = _BOX_SIDE) -> None:
    """Call `work` for boxes that together cover a picture of (height, width), on all cores.

    What it raises is raised here.

    Parameters
    ----------
    side:
        Of a box, px: small where much of a picture is left out box by box.
    """
    starts = product(*(range(0, length, side) for length in size))
    boxes = [
        (slice(y, min(y + side, size[0])), slice(x, min(x + side, size[1]))) for y, x in starts
    ]
    with ThreadPoolExecutor(min(len(boxes), os.cpu_count() or 1)) as pool:
        for _ in pool.map(work, boxes):
            pass


def resized_rows(picture: NDArray[T], size: tuple[int, int], rows: slice) -> NDArray[T]:
    """Return some rows of `picture` resized to `size`; as :func:`resized_box`."""
    return resized_box(picture, size, (rows, slice(0, size[1])))


def resized_box(picture: NDArray[T], size: tuple[int, int], box: Box) -> NDArray[T]:
    """Return a part of `picture` resized bilinearly to `size`, without making the rest.

    Parameters
    ----------
    picture:
        hxwxC uint8 or float32.
    size:
        (height, width) of the whole result; pixel centres lie at half-integers.
    box:
        The part of the result that is wanted.

    Returns
    -------
    numpy.ndarray
        (rows)x(columns)xC, of the picture's data type. Shrinking is anti-aliased.
    """
    return np.stack(resized_planes(picture, size, box), axis=2)


def resized_planes(picture: NDArray[T], size: tuple[int, int], box: Box) -> list[NDArray[T]]:
    """Return the C planes of :func:`resized_box`: to compute with them one by one is quicker."""
    (rows, top, bottom), (columns, left, right) = (
        _source(part, own, wanted)
        for part, own, wanted in zip(box, picture.shape[:2], size, strict=True)
    )
    height, width = (part.stop - part.start for part in box)
    planes = [
        Image.fromarray(np.ascontiguousarray(plane)).resize(
            (width, height), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
        )
        for plane in np.moveaxis(picture[rows, columns], 2, 0)
    ]
    return [np.asarray(plane) for plane in planes]


def _source(part: slice, own: int, wanted: int) -> tuple[slice, float, float]:
    """Return what a part of a resized axis is made of, and where it begins and ends in that."""
    scale = own / wanted
    start, stop = part.start * scale, min(part.stop * scale, float(own))
    if own <= _BOX_SIDE:
        return slice(0, own), start, stop
    reach = math.ceil(max(1.0, scale)) + 1  # of the triangle, widened where it shrinks
    first, last = max(0, math.floor(start) - reach), min(own, math.ceil(stop) + reach)
    return slice(first, last), start - first, stop - first
