"""Readers of golden.npz and mattes.npz: bounded in what they unpack, damage is said.

Their shapes are known before: they are those of the artefact's feeding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgemat.artifacts.artifact import COPY_AGAIN, Artifact
from edgemat.errors import ArtifactError
from edgemat.images import F32, U8
from edgemat.npz import NpzError, read_array

MAX_PICTURES = 64


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
        raise ArtifactError(
            f"{path} has values in {name!r} that are not finite.", remedy=COPY_AGAIN
        )
    return alphas


def _read(path: Path, name: str, dtype: type[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of at least one picture of `shape`."""

    def fits(found: np.dtype[Any], pictures: tuple[int, ...]) -> bool:
        return found == dtype and pictures[1:] == shape and 1 <= sum(pictures[:1]) <= MAX_PICTURES

    try:
        return read_array(path, name, fits=fits)
    except (OSError, NpzError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ArtifactError(
            f"{path} cannot be used: {reason}, but {np.dtype(dtype)} pictures of {shape} are "
            "needed.",
            remedy=COPY_AGAIN,
        ) from error
