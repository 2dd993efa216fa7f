"""Readers of golden.npz and mattes.npz: bounded in what they unpack, damage is said.

An .npz is a zip of arrays, and numpy's own reader believes what a zip says of its sizes. Here the
shapes are known before: they are those of the artefact's feeding.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgemat.artifacts.artifact import COPY_AGAIN, Artifact
from edgemat.errors import ArtifactError
from edgemat.images import F32, U8

MAX_PICTURES = 64
MAX_BYTES = 512_000_000
"""Of one array, unpacked."""
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    rb"\{'descr': '(\|u1|<f4)', 'fortran_order': False, 'shape': \(([0-9, ]{1,99})\), \} *\n"
)
_DAMAGED = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


def read_pixels(artifact: Artifact) -> U8:
    """Return the golden inputs, N,H,W,C uint8.

    Raises
    ------
    ArtifactError
        When they cannot be read, or are not of the size that the artefact takes.
    """
    feeding = artifact.manifest.feeding
    pixels: U8 = _read(
        artifact.golden, "pixels", np.uint8, (feeding.height, feeding.width, feeding.channels)
    )
    return pixels


def read_truths(artifact: Artifact) -> F32:
    """Return the true alphas of the golden inputs, N,H,W float32; raises as `read_pixels`."""
    return _alphas(artifact, artifact.golden, "truths")


def read_mattes(artifact: Artifact) -> F32:
    """Return the artefact's own alphas of them, N,H,W float32; raises as :func:`read_pixels`."""
    return _alphas(artifact, artifact.mattes, "alphas")


def _alphas(artifact: Artifact, path: Path, name: str) -> F32:
    feeding = artifact.manifest.feeding
    alphas: F32 = _read(path, name, np.float32, (feeding.height, feeding.width))
    if not np.isfinite(alphas).all():
        raise ArtifactError(f"{path} has values in {name!r} that are not finite.", remedy=COPY_AGAIN)
    return alphas


def _read(path: Path, name: str, dtype: type[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of at least one picture of `shape`."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            head = file.read(8)
            (length,) = struct.unpack("<H", file.read(2))
            header = _HEADER.fullmatch(file.read(length))
            if head != _MAGIC + b"\x01\x00" or header is None:
                raise ValueError("not an array that edgemat writes")
            found = tuple(int(part) for part in header[2].split(b",") if part.strip())
            kind = np.dtype(header[1].decode())
            if kind != dtype or found[1:] != shape or not 1 <= found[0] <= MAX_PICTURES:
                raise ValueError(f"it holds {kind} of shape {found}, not {np.dtype(dtype)} {shape}")
            size = int(np.prod(found)) * kind.itemsize
            content = file.read(size) if size <= MAX_BYTES else b""
            if len(content) != size:
                raise ValueError("it is too short, or too large")
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArtifactError(
            f"The array {name!r} of {path} cannot be read: {reason.rstrip('.')}.",
            remedy=COPY_AGAIN,
        ) from error
    return np.frombuffer(content, kind).reshape(found)
