"""Files to decoded pictures: what may be decoded, how large, turned upright."""

from __future__ import annotations

import contextlib
import importlib
import io
import struct
import sys
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from edgemat.errors import ImageError
from edgemat.images.arrays import MAX_SIDE, MIN_SIDE
from edgemat.images.labels import DEPTHS, full_scale_of, warn

# What is decoded. Left out: what runs programs (EPS goes to Ghostscript), and rare decoders.
_READABLE = [
    "PNG",
    "JPEG",
    "WEBP",
    "TIFF",
    "BMP",
    "GIF",
    "PPM",
    "TGA",
    "AVIF",
    "HEIF",
    "JXL",
]
# Pillow's modules for those that are no extra; Image.init loads all it has, which takes longer.
_PLUGINS = ("Avif", "Bmp", "Gif", "Jpeg", "Png", "Ppm", "Tga", "Tiff", "WebP")
# Formats of an extra: how their files begin, and what reads them.
_EXTRA = {
    "HEIC": (4, (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc")),
    "JPEG XL": (0, (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
}
_COLOURS = {"RGB": 3, "RGBA": 3, "LA": 1}  # channels that are no alpha
_EXIF_ORIENTATION = 0x0112
_TOLD_BY = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")  # chunks of a PNG that can hold an orientation
# What Pillow's decoders raise on damaged bytes, besides OSError and UnidentifiedImageError
# (TypeError: TIFF tags of a wrong type; LookupError: animated GIF, TIFF's compression;
# RuntimeError: AVIF, and DDS by NotImplementedError).
_DECODER_ERRORS = (
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    RuntimeError,
    struct.error,
    zlib.error,
)


class PictureBytes(io.BytesIO):
    """An encoded picture in memory, read as a file would be; `name` stands for it in messages."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self._shown = name

    def __str__(self) -> str:
        return self._shown


@dataclass(frozen=True)
class PackedFile:
    """A file that lies uncompressed within another, such as a .tar.

    Attributes
    ----------
    archive:
        The file that holds it.
    name:
        Its own name there.
    offset, size:
        Where it lies, in bytes.
    """

    archive: Path
    name: str
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.name} in {self.archive}"

    def open(self) -> BinaryIO:
        """Return it as a file, of which no more is read than is asked for.

        Raises
        ------
        OSError
            As opening the archive does.
        """
        return io.BufferedReader(_Window(self.archive, self.offset, self.size))

    def read(self) -> bytes:
        """Return the content.

        Raises
        ------
        OSError
            As reading the archive does.
        """
        with self.open() as file:
            return file.read()


class _Window(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._offset, self._size, self._at = offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._offset + self._at)
        count = self._file.readinto(memoryview(buffer)[:wanted])
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


PictureFile = Path | str | PictureBytes | PackedFile
"""What pictures are read from."""


def image_size(path: PictureFile) -> tuple[int, int]:
    """Return height and width of a picture as it would be read, from its header alone.

    Raises
    ------
    ImageError
        As :func:`read_image`, as far as the header tells.
    """
    with _open(path) as image:
        width, height = image.size
        try:
            if isinstance(image, PngImageFile) and not _tells_behind_pixels(image):
                exif = Image.Image.getexif(image)  # a PNG's own decodes it first, to look behind
            else:
                exif = image.getexif()
            orientation = exif.get(_EXIF_ORIENTATION, 1)
        except (OSError, *_DECODER_ERRORS) as error:
            raise _not_readable(path) from error
        # Pillow gives a TIFF's size as it will be turned.
        turned = image.format != "TIFF" and orientation in range(5, 9)
    return (width, height) if turned else (height, width)


def _tells_behind_pixels(image: PngImageFile) -> bool:
    """Whether a PNG that was just opened has text or EXIF behind its pixels, which are skipped."""
    file = image.fp
    assert file is not None
    place = file.tell()
    try:
        file.seek(len(b"\x89PNG\r\n\x1a\n"))
        seen_pixels = False
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if seen_pixels and kind in _TOLD_BY:
                return True
            if kind == b"IEND":  # what follows is no part of the picture
                break
            seen_pixels |= kind == b"IDAT"
            file.seek(length + 4, io.SEEK_CUR)  # the chunk, and its checksum
        return False
    finally:
        file.seek(place)


def _open(path: PictureFile) -> Image.Image:
    """Open `path` lazily with its size checked against 32..12,000 px."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; the limit of this project follows just below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            source = path.open() if isinstance(path, PackedFile) else path
            image = Image.open(source, formats=_formats())
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist.", remedy="Check the path.") from error
    except IsADirectoryError as error:
        raise ImageError(f"{path} is a folder.", remedy="Name one image file.") from error
    except PermissionError as error:
        raise ImageError(f"{path} may not be read.", remedy="Check its permissions.") from error
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except (UnidentifiedImageError, OSError, *_DECODER_ERRORS) as error:
        raise _missing_decoder(path) or _not_readable(path) from error
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


def load(path: PictureFile) -> Image.Image:
    """Open and decode `path`, turned upright."""
    with _open(path) as image:
        try:
            of_16_bits = ";16" in str(getattr(image, "tile", "")) and image.mode in _COLOURS
            image.load()
            # a JPEG's further pictures (MPO) are its depth and gain maps
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                warn(f"{path} holds several pictures; the first is read.")
            upright = _whole_depth(image, path) if of_16_bits else ImageOps.exif_transpose(image)
            upright.format = image.format  # which a copy forgets: lossy files hold odd values
            return upright
        except (OSError, *_DECODER_ERRORS) as error:
            raise _not_readable(path) from error


def _whole_depth(image: Image.Image, path: PictureFile) -> Image.Image:
    """Return 16-bit colours of 14 bits or less as 8 bits, upright.

    Of each value Pillow keeps the upper 8 of 16 bits; where these are nearly empty, the lower ones
    are read as well.

    Raises
    ------
    ImageError
        When this format's lower bits cannot be read.
    """
    upright = ImageOps.exif_transpose(image)
    upper = np.array(upright)
    count = _COLOURS[image.mode]
    if upper[..., :count].max() >= 1 << max(DEPTHS) - 8:
        return upright
    with _open(path) as again:
        swapped = str.maketrans("LBN", "BLB" if sys.byteorder == "little" else "BLL")
        again.tile = [_with_raw_mode(tile, swapped) for tile in again.tile]  # type: ignore[attr-defined]
        try:
            again.load()
        except (OSError, ValueError) as error:  # no such raw mode
            raise ImageError(
                f"{path} uses the lower bits of its 16 alone: it would be read as nearly black.",
                remedy="Save it as 8 bits, or scale its values up to 65535.",
            ) from error
        lower = np.array(ImageOps.exif_transpose(again))
    deep = (upper.astype(np.uint16) << 8) | lower
    planes = [deep[..., :count], deep[..., count:]]
    found = np.concatenate([_to_8_bits(plane, path) for plane in planes], axis=2)
    whole = Image.fromarray(found, image.mode)
    whole.info = upright.info
    return whole


def _with_raw_mode(tile: Any, table: dict[int, int]) -> Any:
    """Return a tile whose values are read from their other bytes: "RGB;16B" for "RGB;16L"."""

    def other(value: Any) -> Any:
        if not (isinstance(value, str) and ";16" in value):
            return value
        head, _, order = value.partition(";16")
        return f"{head};16{order.translate(table)}"

    args = tile.args
    return tile._replace(args=tuple(map(other, args)) if isinstance(args, tuple) else other(args))


def _to_8_bits(values: NDArray[np.uint16], path: PictureFile) -> NDArray[np.uint8]:
    """Return values of however many bits as 0..255; those of a mask of 0 and 1 stay."""
    if not values.size or values.max() <= 1:
        return values.astype(np.uint8)
    return np.round(values / full_scale_of(values, path) * 255).astype(np.uint8)


@cache
def _formats() -> list[str]:
    """Return what this installation decodes of `_READABLE`: HEIC and JPEG XL are an extra."""
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    with contextlib.suppress(ImportError):
        import pillow_jxl  # noqa: F401 - registers itself
    for name in _PLUGINS:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"PIL.{name}ImagePlugin")
    return [name for name in _READABLE if name in Image.OPEN]


def _missing_decoder(path: PictureFile) -> ImageError | None:
    """Return what to install where a file is of a format that this installation cannot read."""
    try:
        if isinstance(path, PictureBytes):
            head = path.getvalue()[:16]
        elif isinstance(path, PackedFile):
            with path.open() as file:
                head = file.read(16)
        else:
            with Path(path).open("rb") as file:
                head = file.read(16)
    except OSError:
        return None
    for name, (start, marks) in _EXTRA.items():
        if any(head[start:].startswith(mark) for mark in marks):
            return ImageError(
                f"{path} is a {name} picture, which this installation does not read.",
                remedy='Run: pip install "edgemat[heif]", or save it as JPEG.',
            )
    return None


def _not_readable(path: PictureFile) -> ImageError:
    return ImageError(
        f"{path} is not an image that can be read, or it is truncated.",
        remedy="Save it again as PNG or JPEG.",
    )


def _too_large(path: PictureFile) -> ImageError:
    return ImageError(
        f"{path} is larger than {MAX_SIDE:,} px on a side.", remedy="Scale it down first."
    )
