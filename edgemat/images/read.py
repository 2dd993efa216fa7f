"""Picture files to arrays: every mode that a user may bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgemat.errors import ImageError
from edgemat.images.arrays import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN, to_float
from edgemat.images.colour import to_srgb
from edgemat.images.decode import PictureFile, load
from edgemat.images.labels import (
    full_scale_of,
    mask_from_values,
    refuse_class_colours,
    select_labels,
    trimap_from_numbers,
    warn,
)

_LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JXL")
_NEARLY_OPAQUE, _NEARLY_ALL = 250, 0.999


def read_image(path: PictureFile) -> U8:
    """Read a photograph as HxWx3 uint8 RGB, turned as its EXIF orientation says.

    Grey (8 and 16 bit), palette, CMYK and 16-bit colour files are converted to 8-bit RGB. An
    alpha channel is dropped and the colours below it are kept as they are: a photograph is not
    composited over anything. Use :func:`read_rgba` for a cut-out, :func:`read_background` for a
    background. Colours become sRGB by the file's profile (see :mod:`.colour`); of several
    pictures in a file the first is read, with a warning.

    Raises
    ------
    ImageError
        The file is missing, truncated or no image; a side lies outside 32..12,000 px; a value of
        a float image is not finite or lies outside 0..1.
    """
    return read_rgba(path)[0]


def read_rgba(path: PictureFile) -> tuple[U8, F32 | None]:
    """Read a cut-out as (HxWx3 uint8 RGB, HxW float32 alpha in 0..1, or None without alpha).

    The colours are not premultiplied. Raises as :func:`read_image` does.
    """
    image = load(path)
    if _is_deep(image):
        grey = np.round(_deep_grey(np.array(image), path) * 255).astype(np.uint8)
        image, profile = Image.fromarray(grey), image.info.get("icc_profile")
        image.info["icc_profile"] = profile
    coloured = _explained(to_srgb, image, path)
    if coloured.mode == "RGB":
        return np.array(coloured), None
    rgba = np.array(coloured)
    return np.ascontiguousarray(rgba[..., :3]), to_float(rgba[..., 3])


def read_background(path: PictureFile) -> U8:
    """Read a background as HxWx3 uint8 RGB: where it is transparent, white shows through.

    Raises as :func:`read_image` does.
    """
    colours, alpha = read_rgba(path)
    if alpha is None:
        return colours
    white = np.float32(255) * (1 - alpha[..., None])
    return np.round(colours * alpha[..., None] + white).astype(np.uint8)


def read_grey(path: PictureFile, *, labels: tuple[int, ...] | None = None) -> F32:
    """Read an alpha matte or a mask as HxW float32 in 0..1 (8 bit, 16 bit, or float).

    A file with an alpha channel gives that channel, unless it is opaque but for a few pixels:
    many programs save a grey mask as RGBA, and then the mask is in the colours. A colour file
    gives its luma (ITU-R BT.601). A mask of 0 and 1 is understood, with a warning.

    Parameters
    ----------
    labels:
        Class numbers that are foreground, for a mask of class numbers.

    Raises
    ------
    ImageError
        As :func:`read_image`, and for class numbers without `labels`.
    """
    image = load(path)
    if labels is not None:
        return to_float(select_labels(image, labels, path))
    if image.has_transparency_data:
        alpha = np.array(_convert(image, "RGBA", path).getchannel("A"))
        if (alpha >= _NEARLY_OPAQUE).mean() < _NEARLY_ALL:
            return to_float(mask_from_values(alpha, path, lossy=_is_lossy(image)))
    refuse_class_colours(image, path)
    if _is_deep(image):
        deep = np.array(image)
        numbers = _numbers(deep)
        if numbers is not None:
            mask = mask_from_values(numbers, path)
            if mask is not numbers:
                return to_float(mask)
        return _deep_grey(deep, path)
    return to_float(mask_from_values(_luma(image, path), path, lossy=_is_lossy(image)))


def read_trimap(path: PictureFile) -> U8:
    """Read a trimap as HxW uint8 in {0, 128, 255}.

    Luma of at most 10 % is background (0), of at least 90 % foreground (255), and everything
    between is unknown (128), so that trimaps painted in other greys or saved as JPEG are
    understood. The numbers 0, 1 and 2 are as well, with a warning, where it is certain which is
    which. An alpha channel is ignored, unless the colours are the same everywhere.

    Raises
    ------
    ImageError
        As :func:`read_image`, and for numbers that are no greys of a trimap.
    """
    image = load(path)
    refuse_class_colours(image, path)
    if _is_deep(image):
        deep = np.array(image)
        numbers = _numbers(deep)
        numbered = None if numbers is None else trimap_from_numbers(numbers, path)
        if numbered is not None:
            return numbered
        luma = _deep_grey(deep, path)
    else:
        values = _luma(image, path)
        if image.has_transparency_data and values.min() == values.max():
            values = np.array(_convert(image, "RGBA", path).getchannel("A"))
            warn(f"{path} has its trimap in the alpha channel; it is read from there.")
        numbered = trimap_from_numbers(values, path)
        if numbered is not None:
            return numbered
        luma = to_float(values)
    trimap = np.full(luma.shape, UNKNOWN, np.uint8)
    trimap[luma <= 0.1] = BACKGROUND
    trimap[luma >= 0.9] = FOREGROUND
    return trimap


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _numbers(values: NDArray[Any]) -> U8 | None:
    """Return the values of a deep picture where 8 bits hold them, so that they may be labels."""
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 255:
        return None
    return values.astype(np.uint8)


def _deep_grey(values: NDArray[Any], path: PictureFile) -> F32:
    """Return the values of a 16-bit, 32-bit or float grey image as float32 in 0..1."""
    if not np.isfinite(values).all():
        raise ImageError(
            f"{path} has values that are not finite.", remedy="Replace NaN and inf in it."
        )
    full_scale = 1.0 if values.dtype.kind == "f" else full_scale_of(values, path)
    if values.min() < 0 or values.max() > full_scale:
        raise ImageError(
            f"{path} has values from {values.min():g} to {values.max():g}; "
            f"only 0 to {full_scale:g} is understood.",
            remedy="Save it as an 8-bit or 16-bit PNG.",
        )
    return (values / full_scale).astype(np.float32)


def _luma(image: Image.Image, path: PictureFile) -> U8:
    """Return the luma of an 8-bit picture, HxW uint8."""
    if image.mode not in ("L", "1"):
        # By way of RGB, so that palette and CMYK files mean their colours.
        image = _convert(image, "RGB", path)
    return np.array(_convert(image, "L", path))


def _is_lossy(image: Image.Image) -> bool:
    return getattr(image, "format", None) in _LOSSY


def _convert(image: Image.Image, mode: str, path: PictureFile) -> Image.Image:
    return _explained(lambda image, _: image.convert(mode), image, path)


def _explained(
    convert: Callable[[Image.Image, PictureFile], Image.Image],
    image: Image.Image,
    path: PictureFile,
) -> Image.Image:
    """Convert a picture; a colour mode that has no conversion is an error that says so."""
    try:
        return convert(image, path)
    except ValueError as error:
        raise ImageError(
            f"{path} has the colour mode {image.mode}, which cannot be converted.",
            remedy="Save it as an RGB PNG or JPEG.",
        ) from error
