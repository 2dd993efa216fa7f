"""Pictures in and out: every file mode that a user may bring, read into plain numpy arrays.

Only numpy and Pillow are needed, so that the light install (no torch) can cut out a photograph.
Images are HxWx3 RGB, alpha mattes HxW float32 in 0..1, trimaps HxW uint8 in {0, 128, 255}.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from edgemat.errors import ImageError, UsageError
from edgemat.files import atomic_path

MIN_SIDE = 32
"""Shortest side in pixels: the encoders halve an image five times."""
MAX_SIDE = 12_000
"""Longest side in pixels; a float32 RGB copy of the largest image takes 1.7 GB."""

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
"""The three values of a trimap."""

PIXEL_SCALE = np.float32(1 / 255)
"""What mobile files multiply pixels by, in float32; pixels / 255 can differ in the last bit."""

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
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_FORMATS_WITH_ALPHA = ("PNG", "WEBP", "TIFF")
_EXIF_ORIENTATION = 0x0112
# What Pillow's decoders raise on damaged bytes, besides OSError and UnidentifiedImageError
# (TypeError: TIFF tags of a wrong type; RuntimeError: AVIF, and DDS by NotImplementedError).
_DECODER_ERRORS = (
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def read_image(path: Path | str) -> U8:
    """Read a photograph as HxWx3 uint8 RGB, turned as its EXIF orientation says.

    Grey (8 and 16 bit), palette, CMYK and 16-bit colour files are converted to 8-bit RGB. An
    alpha channel is dropped and the colours below it are kept as they are: a photograph is not
    composited over anything. Use :func:`read_rgba` for a cut-out.

    Raises
    ------
    ImageError
        The file is missing, truncated or no image; a side lies outside 32..12,000 px; a value of
        a float image is not finite or lies outside 0..1.
    """
    return read_rgba(path)[0]


def read_rgba(path: Path | str) -> tuple[U8, F32 | None]:
    """Read a cut-out as (HxWx3 uint8 RGB, HxW float32 alpha in 0..1, or None without alpha).

    The colours are not premultiplied. Raises as :func:`read_image` does.
    """
    image = _load(Path(path))
    if _is_deep(image):
        grey = np.round(_deep_grey(image, path) * 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), None
    if not image.has_transparency_data:
        return np.array(_convert(image, "RGB", path)), None
    rgba = np.array(_convert(image, "RGBA", path))
    return np.ascontiguousarray(rgba[..., :3]), to_float(rgba[..., 3])


def read_grey(path: Path | str) -> F32:
    """Read an alpha matte as HxW float32 in 0..1 (8 bit, 16 bit, or float).

    A file with an alpha channel gives that channel, unless it is opaque everywhere: many
    programs save a grey mask as RGBA, and then the mask is in the colours. A colour file gives
    its luma (ITU-R BT.601). Raises as :func:`read_image` does.
    """
    image = _load(Path(path))
    if image.has_transparency_data:
        alpha = np.array(_convert(image, "RGBA", path).getchannel("A"))
        if alpha.min() < 255:
            return to_float(alpha)
    return _luma(image, path)


def read_trimap(path: Path | str) -> U8:
    """Read a trimap as HxW uint8 in {0, 128, 255}.

    Luma of at most 10 % is background (0), of at least 90 % foreground (255), and everything
    between is unknown (128), so that trimaps painted in other greys or saved as JPEG are
    understood. An alpha channel is ignored. Raises as :func:`read_image` does.
    """
    luma = _luma(_load(Path(path)), path)
    trimap = np.full(luma.shape, UNKNOWN, np.uint8)
    trimap[luma <= 0.1] = BACKGROUND
    trimap[luma >= 0.9] = FOREGROUND
    return trimap


def image_size(path: Path | str) -> tuple[int, int]:
    """Return height and width of a picture as it would be read, from its header alone.

    Raises
    ------
    ImageError
        As :func:`read_image`, as far as the header tells.
    """
    with _open(Path(path)) as image:
        width, height = image.size
        turned = image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
    return (width, height) if turned else (height, width)


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


def write_image(path: Path | str, array: NDArray[np.generic]) -> None:
    """Write an image in one step (never half a file); the suffix chooses the format.

    Parameters
    ----------
    path:
        Name ending in .png, .jpg, .jpeg, .webp, .tif or .tiff.
    array:
        HxW, HxWx3 RGB or HxWx4 RGBA; uint8, or float in 0..1 (values outside are clipped).

    Raises
    ------
    UsageError
        Unknown suffix, or RGBA for a format without transparency.
    ImageError
        Wrong shape or data type, or a float that is not finite.
    DiskError
        The disk is full or the folder may not be written.
    """
    path = Path(path)
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{path} does not end in a known image suffix.",
            remedy="Use one of " + ", ".join(_FORMATS) + ".",
        )
    values = to_uint8(array)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageError(
            f"An array of shape {values.shape} is no image.", remedy="Give HxW, HxWx3 or HxWx4."
        )
    if values.ndim == 3 and values.shape[2] == 4 and kind not in _FORMATS_WITH_ALPHA:
        raise UsageError(
            f"{path} cannot hold transparency.", remedy="Use a name that ends in .png."
        )
    # Encoded in memory first: Pillow's file encoders lose the errno of a full disk.
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


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


def _open(path: Path) -> Image.Image:
    """Open `path` lazily with its size checked against 32..12,000 px."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; the limit of this project follows just below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist.", remedy="Check the path.") from error
    except IsADirectoryError as error:
        raise ImageError(f"{path} is a folder.", remedy="Name one image file.") from error
    except PermissionError as error:
        raise ImageError(f"{path} may not be read.", remedy="Check its permissions.") from error
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except (UnidentifiedImageError, OSError, *_DECODER_ERRORS) as error:
        raise _not_readable(path) from error
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        image.close()
        raise _too_large(path)
    if min(width, height) < MIN_SIDE:
        image.close()
        raise ImageError(
            f"{path} is {width} x {height} px; the shortest side must be at least {MIN_SIDE} px.",
            remedy="Use a larger picture.",
        )
    return image


def _load(path: Path) -> Image.Image:
    """Open and decode `path`, turned upright."""
    with _open(path) as image:
        try:
            image.load()
            return ImageOps.exif_transpose(image)
        except (OSError, *_DECODER_ERRORS) as error:
            raise _not_readable(path) from error


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _deep_grey(image: Image.Image, path: Path | str) -> F32:
    """Return a 16-bit, 32-bit or float grey image as float32 in 0..1."""
    values = np.array(image)
    if not np.isfinite(values).all():
        raise ImageError(
            f"{path} has values that are not finite.", remedy="Replace NaN and inf in it."
        )
    full_scale = 1.0 if image.mode == "F" else 65535.0
    if values.min() < 0 or values.max() > full_scale:
        raise ImageError(
            f"{path} has values from {values.min():g} to {values.max():g}; "
            f"only 0 to {full_scale:g} is understood.",
            remedy="Save it as an 8-bit or 16-bit PNG.",
        )
    return (values / full_scale).astype(np.float32)


def _luma(image: Image.Image, path: Path | str) -> F32:
    if _is_deep(image):
        return _deep_grey(image, path)
    if image.mode not in ("L", "1"):
        # By way of RGB, so that palette and CMYK files mean their colours.
        image = _convert(image, "RGB", path)
    return to_float(np.array(_convert(image, "L", path)))


def _convert(image: Image.Image, mode: str, path: Path | str) -> Image.Image:
    try:
        return image.convert(mode)
    except ValueError as error:
        raise ImageError(
            f"{path} has the colour mode {image.mode}, which cannot be converted.",
            remedy="Save it as an RGB PNG or JPEG.",
        ) from error


def _not_readable(path: Path) -> ImageError:
    return ImageError(
        f"{path} is not an image that can be read, or it is truncated.",
        remedy="Save it again as PNG or JPEG.",
    )


def _too_large(path: Path) -> ImageError:
    return ImageError(
        f"{path} is larger than {MAX_SIDE:,} px on a side.", remedy="Scale it down first."
    )
