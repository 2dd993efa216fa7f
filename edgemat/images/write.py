"""Arrays to picture files, in one step, with their colours said to be sRGB."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, features

from edgemat.errors import ImageError, MissingToolError, UsageError
from edgemat.files import atomic_path
from edgemat.images.arrays import to_uint8
from edgemat.images.colour import srgb_profile

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
_QUALITY = {"JPEG": 95, "WEBP": 95, "AVIF": 90}
_SMALL_QUALITY = 80
_FORMATS_WITH_ALPHA = ("PNG", "WEBP", "TIFF", "AVIF")


def write_image(path: Path | str, array: NDArray[np.generic]) -> None:
    """Write an image in one step (never half a file); the suffix chooses the format.

    Parameters
    ----------
    path:
        Name ending in .png, .jpg, .jpeg, .webp, .tif, .tiff or .avif.
    array:
        HxW, HxWx3 RGB or HxWx4 RGBA; uint8, or float in 0..1 (values outside are clipped).

    Raises
    ------
    UsageError
        Unknown suffix, or RGBA for a format without transparency.
    ImageError
        Wrong shape or data type, a float that is not finite, or a size that the format lacks.
    DiskError
        The disk is full or the folder may not be written.
    """
    path = Path(path)
    content = encode_image(array, path)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def encode_image(array: NDArray[np.generic], name: Path, *, small: bool = False) -> bytes:
    """Return what a file of that name would hold; see :func:`write_image`.

    Parameters
    ----------
    small:
        Fewer bytes count more than time and the last bit of colours.
    """
    values = to_uint8(array)
    channels = values.shape[-1] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or channels not in (1, 3, 4) or 0 in values.shape:
        raise ImageError(
            f"An array of shape {values.shape} is no image.", remedy="Give HxW, HxWx3 or HxWx4."
        )
    kind = check_image_name(name, transparent=channels == 4)
    # Encoded in memory first: Pillow's file encoders lose the errno of a full disk.
    buffer = io.BytesIO()
    try:
        options = _options(kind, is_colour=channels > 1, small=small)
        Image.fromarray(values).save(buffer, kind, **options)
    except (OSError, ValueError, RuntimeError) as error:
        height, width = values.shape[:2]
        raise ImageError(
            f"{name}: {kind} takes no picture of {width} x {height} px.",
            remedy="Use a name that ends in .png.",
        ) from error
    return buffer.getvalue()


def check_image_name(path: Path, *, transparent: bool = False) -> str:
    """Return the format that a file name asks for: to be called before any work is done.

    Raises
    ------
    UsageError
        Unknown suffix, or a format that cannot be `transparent`.
    MissingToolError
        A format that this Pillow was built without.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{path} does not end in a known image suffix.",
            remedy="Use one of " + ", ".join(_FORMATS) + ".",
        )
    if transparent and kind not in _FORMATS_WITH_ALPHA:
        raise UsageError(
            f"{path} cannot hold transparency.", remedy="Use a name that ends in .png."
        )
    if kind == "AVIF" and not features.check("avif"):
        raise MissingToolError(
            f"{path} cannot be written: this Pillow has no AVIF.",
            remedy="Use a name that ends in .webp or .png.",
        )
    return kind


def _options(kind: str, *, is_colour: bool, small: bool) -> dict[str, Any]:
    """Return how to encode: colours are said to be sRGB, a mask's greys are no colours."""
    options: dict[str, Any] = {}
    if kind in _QUALITY:
        options["quality"] = _SMALL_QUALITY if small else _QUALITY[kind]
    elif kind == "PNG" and small:
        options["optimize"] = True
    elif kind == "PNG":
        # Finding runs alone takes less than half the time on photographs, for a tenth more bytes.
        options["compress_type"] = zlib.Z_RLE
    if is_colour and kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add(b"sRGB", b"\0")  # the PNG specification's own tag: 1 byte, perceptual
        options["pnginfo"] = info
    elif is_colour:
        options["icc_profile"] = srgb_profile()
    return options
