"""Pictures as arrays: HxWx3 RGB, alpha mattes HxW float32 in 0..1, trimaps HxW uint8."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgemat.errors import ImageError

MIN_SIDE = 32
"""Shortest side in pixels: the encoders halve an image five times."""
MAX_SIDE = 12_000
"""Longest side in pixels; a float32 RGB copy of the largest image takes 1.7 GB."""

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
"""The three values of a trimap."""

PIXEL_SCALE = np.float32(1 / 255)
"""The factor of pixels in mobile files, in float32; pixels / 255 can differ in the last bit."""

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of R, G and B in 0..1, by which the encoders that ImageNet trained see pixels."""

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
T = TypeVar("T", np.uint8, np.float32)
Method = Literal["area", "bicubic", "bilinear", "nearest"]

_FILTERS = {
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}


def to_uint8(array: NDArray[np.generic]) -> U8:
    """Return uint8 unchanged, and floats in 0..1 rounded to 0..255 (clipped outside).

    Raises
    ------
    ImageError
        Another data type, or a value that is not finite.
    """
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if not np.issubdtype(array.dtype, np.floating):
        raise ImageError(
            f"An array of {array.dtype} is no image.", remedy="Give uint8, or floats in 0..1."
        )
    if not np.isfinite(array).all():
        raise ImageError("The image has values that are not finite.", remedy="Replace NaN and inf.")
    return np.round(np.clip(array.astype(np.float32), 0, 1) * 255).astype(np.uint8)


def to_float(array: U8) -> F32:
    """Return uint8 0..255 as float32 in 0..1."""
    scaled: F32 = np.divide(array, 255, dtype=np.float32)
    return scaled


def resize(array: NDArray[T], size: tuple[int, int], *, method: Method = "bicubic") -> NDArray[T]:
    """Resize HxW or HxWxC to `size` = (height, width); uint8 or float32, kept as it is.

    Shrinking is anti-aliased for all methods but "nearest" (Pillow widens the filter). Bicubic
    overshoot is clipped to the range of the input, so an alpha in 0..1 stays in 0..1.

    Parameters
    ----------
    array:
        uint8, or float32 in any range.
    size:
        Target (height, width) in pixels, each at least 1.
    method:
        "area" to shrink exactly, "bicubic" or "bilinear" for pictures, "nearest" for trimaps.
    """
    if array.shape[:2] == tuple(size):
        return array.copy()
    height, width = size
    if array.ndim == 3 and not (array.dtype == np.uint8 and array.shape[2] == 3):
        planes = [resize(plane, size, method=method) for plane in np.moveaxis(array, 2, 0)]
        return np.stack(planes, axis=2)
    image = Image.fromarray(np.ascontiguousarray(array))
    out = np.array(image.resize((width, height), _FILTERS[method]), dtype=array.dtype)
    if method == "bicubic":
        np.clip(out, array.min(), array.max(), out=out)
    return out


def check_same_size(
    image: NDArray[np.generic], other: NDArray[np.generic], *, names: tuple[str, str]
) -> None:
    """Raise ImageError unless both arrays agree in height and width; `names` go into the text."""
    (height, width), (other_height, other_width) = image.shape[:2], other.shape[:2]
    check_sizes((height, width), (other_height, other_width), names=names)


def check_sizes(size: tuple[int, int], other: tuple[int, int], *, names: tuple[str, str]) -> None:
    """Raise ImageError unless two sizes (height, width) agree; `names` go into the text."""
    if size != other:
        (height, width), (other_height, other_width) = size, other
        raise ImageError(
            f"{names[1]} is {other_width} x {other_height} px but {names[0]} is "
            f"{width} x {height} px.",
            remedy=f"Give {names[1]} the same width and height as {names[0]}.",
        )
