"""Arrays out of .npz files, bounded in what they unpack.

An .npz is a zip of arrays, and numpy's own reader believes what the zip says of their sizes: a few
thousand bytes can ask for gigabytes.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 512_000_000
"""Of one array, unpacked."""
_MAGIC = (b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00")
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[biuf][0-9]{1,2})', 'fortran_order': (False|True), "
    rb"'shape': \(([0-9, ]{0,99})\),? ?\} *\n"
)
_DAMAGED = (
    *(OSError, ValueError, LookupError, EOFError, RuntimeError, TypeError, AttributeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, MemoryError, OverflowError),
)


class NpzError(ValueError):
    """A file that is no .npz, is damaged, or holds another array than is wanted."""


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in a file, in its order.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    NpzError
        When it is no .npz.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except FileNotFoundError:
        raise
    except _DAMAGED as error:
        raise _explained(error) from error


def read_array(
    path: Path,
    name: str,
    *,
    fits: Callable[[np.dtype[Any], tuple[int, ...]], bool] = lambda *_: True,
) -> NDArray[Any]:
    """Return one array of numbers.

    Parameters
    ----------
    fits:
        Tells by dtype and shape whether the array is wanted, before it is unpacked.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    NpzError
        When it is no .npz, or its array is missing, damaged, unwanted or above :data:`MAX_BYTES`.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            magic = file.read(8)
            length = file.read(4 if magic == _MAGIC[1] else 2).ljust(4, b"\0")
            header = _HEADER.fullmatch(file.read(min(struct.unpack("<I", length)[0], 1 << 16)))
            if magic not in _MAGIC or header is None:
                raise NpzError(f"{name!r} is not an array of numbers")
            dtype = np.dtype(header[1].decode())
            shape = tuple(int(part) for part in header[3].split(b",") if part.strip())
            if not fits(dtype, shape):
                raise NpzError(f"{name!r} is {dtype} of shape {shape}")
            size = prod(shape) * dtype.itemsize
            content = file.read(size) if size <= MAX_BYTES else b""
            if len(content) != size:
                raise NpzError(f"{name!r} is cut off, or too large")
    except (FileNotFoundError, NpzError):
        raise
    except _DAMAGED as error:
        raise _explained(error) from error
    order: Any = "F" if header[2] == b"True" else "C"
    return np.frombuffer(content, dtype).reshape(shape, order=order).copy(order)


def _explained(error: BaseException) -> NpzError:
    reason = (str(error).splitlines() or [""])[0] or type(error).__name__
    return NpzError(reason.strip("'\".")[:200])
