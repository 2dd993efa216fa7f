"""The meaning of numbers in a mask or a trimap, where they are not 0..255.

Masks come with 0 and 1, with class numbers, with 8 or 12 bits in 16; trimaps with 0, 1 and 2. What
is certain is understood and said; what could mean two things is refused by name.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgemat.errors import ImageError, PictureWarning
from edgemat.images.arrays import FOREGROUND, U8, UNKNOWN

MAX_CLASS = 40
"""Class numbers of public data sets lie below it; a mask's soft values do not stop there."""
VOID = 255
"""The number that class masks give to borders (Pascal VOC)."""
DEPTHS = (8, 10, 12, 14)
"""Bits that 16-bit files are filled with, besides all 16."""

LABELS_REMEDY = (
    "Save foreground as 255 and all else as 0; edgemat data soften takes class numbers, "
    "the foreground's as --labels 1,15."
)


def full_scale_of(values: NDArray[np.generic], path: object) -> float:
    """Return what stands for 1 in a 16-bit picture: 65535, or less where the top bits are empty."""
    peak = int(values.max())
    for bits in DEPTHS:
        if 1 < peak < 1 << bits:
            warn(f"{path} holds {bits} bits in 16; they are read as 0 to {(1 << bits) - 1}.")
            return float((1 << bits) - 1)
    return 65535.0


def mask_from_values(values: U8, path: object, *, lossy: bool = False) -> U8:
    """Return a mask as 0..255: one of 0 and 1 is widened.

    Parameters
    ----------
    values:
        HxW uint8 as in the file.
    lossy:
        The file's compression invents values (JPEG), so that a few do not tell anything.

    Raises
    ------
    ImageError
        When the values are class numbers.
    """
    counts = np.bincount(values.ravel(), minlength=256)
    levels = np.flatnonzero(counts)
    counts = counts[levels]
    if lossy or levels[-1] == 0:
        return values
    if levels.tolist() == [0, 1]:
        warn(f"{path} has the values 0 and 1; they are read as 0 and 255.")
        return values * np.uint8(255)
    numbered = (levels > 0) & (levels <= MAX_CLASS)
    others = (levels > MAX_CLASS) & (levels != VOID)
    white = int(counts[levels == VOID].sum())
    if numbered.any() and not others.any() and int(counts[numbered].sum()) > white:
        raise ImageError(
            f"{path} seems to hold class numbers ({_listed(levels)}), not a mask of 0 to 255.",
            remedy=LABELS_REMEDY,
        )
    return values


def select_labels(image: Image.Image, labels: tuple[int, ...], path: object) -> U8:
    """Return 255 where a class mask has one of `labels`, else 0: HxW uint8.

    Raises
    ------
    ImageError
        When the picture is in colour, or has none of them.
    """
    classes = numbers_of(
        image,
        path,
        what="class numbers",
        remedy="Give a palette or grey picture, or leave --labels out.",
    )
    chosen = np.isin(classes, labels)
    if not chosen.any():
        raise ImageError(
            f"{path} has none of the labels {', '.join(map(str, labels))}; it has "
            f"{_listed(np.unique(classes))}.",
            remedy="Give others, or leave that picture out.",
        )
    return np.where(chosen, np.uint8(255), np.uint8(0))


def numbers_of(image: Image.Image, path: object, *, what: str, remedy: str) -> NDArray[np.generic]:
    """Return the numbers of a palette or grey picture as they are in the file, HxW.

    Parameters
    ----------
    what:
        What they are to be, in words.

    Raises
    ------
    ImageError
        When the picture is in colour, with the remedy given.
    """
    if image.mode not in ("P", "L", "1", "I;16", "I"):
        raise ImageError(f"{path} has colours of mode {image.mode}, not {what}.", remedy=remedy)
    return np.array(image)


def refuse_class_colours(image: Image.Image, path: object) -> None:
    """Refuse a palette picture whose colours are no greys: they stand for classes.

    Raises
    ------
    ImageError
        With the remedy.
    """
    if image.mode != "P":
        return
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    used = palette[np.unique(np.array(image)).clip(max=len(palette) - 1)]
    if (used != used[:, :1]).any():
        raise ImageError(
            f"{path} is a palette picture in colours: class numbers, not greys.",
            remedy=LABELS_REMEDY,
        )


def trimap_from_numbers(values: U8, path: object) -> U8 | None:
    """Return 0, 128 and 255 for a trimap of the numbers 0, 1 and 2; None where it has greys.

    Which number is "unknown" is seen from where it lies: between the other two.

    Raises
    ------
    ImageError
        When numbers of a few are there whose meaning is not certain.
    """
    levels = np.unique(values)
    if levels[-1] > MAX_CLASS or levels[-1] == 0:
        return None
    if levels.tolist() == [0, 1, 2]:
        for middle, top in ((1, 2), (2, 1)):
            if not _touch(values, 0, top):
                warn(f"{path} has the values 0, 1 and 2; {middle} is read as unknown.")
                table = np.zeros(3, np.uint8)
                table[middle], table[top] = UNKNOWN, FOREGROUND
                return table[values]
    raise ImageError(
        f"{path} has the values {_listed(levels)} of 255, which are no greys of a trimap.",
        remedy="Save background as 0, unknown as 128 and foreground as 255.",
    )


def _touch(values: U8, one: int, other: int) -> bool:
    """Return whether pixels of two values lie side by side, a few aside."""
    beside = [(values[:, :-1], values[:, 1:]), (values[:-1], values[1:])]
    both = sum(
        int((((a == one) & (b == other)) | ((a == other) & (b == one))).sum()) for a, b in beside
    )
    return both > 0.01 * sum(int((a != b).sum()) for a, b in beside)


def warn(text: str) -> None:
    """Say how a picture was understood."""
    warnings.warn(text, PictureWarning, stacklevel=3)


def _listed(levels: NDArray[np.generic]) -> str:
    shown = ", ".join(str(level) for level in levels[:5])
    return shown + (", ..." if len(levels) > 5 else "")
