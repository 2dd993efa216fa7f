"""Small pictures, mattes and trimaps to compute with, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN, resize, to_float

DECIMALS = 5
Vector = dict[str, list[Any]]
"""What one file holds: cases, by what is tested."""


def picture(height: int, width: int, *, seed: int) -> U8:
    """Return HxWx3: coloured clouds, with a fine grain so that filters have something to do."""
    rng = np.random.default_rng(seed)
    clouds = resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (height, width), method="bicubic")
    grain = rng.integers(-12, 13, clouds.shape)
    return np.clip(clouds + grain, 0, 255).astype(np.uint8)


def alpha(height: int, width: int, *, seed: int) -> F32:
    """Return HxW in 0..1, in steps of 1/255: 0 and 1 over wide areas, soft between them."""
    rng = np.random.default_rng(seed)
    clouds = resize(rng.integers(0, 256, (3, 3), np.uint8), (height, width), method="bicubic")
    steep = np.clip((clouds.astype(np.int64) - 128) * 4 + 128, 0, 255)
    return to_float(steep.astype(np.uint8))


def trimap(height: int, width: int, *, seed: int) -> U8:
    """Return HxW in {0, 128, 255}."""
    soft = alpha(height, width, seed=seed)
    known = np.where(soft > 0.5, FOREGROUND, BACKGROUND)
    return np.where((soft > 0) & (soft < 1), UNKNOWN, known).astype(np.uint8)


def as_json(array: NDArray[Any]) -> Mapping[str, Any]:
    """Return an array as JSON can hold it: bytes exactly, floats rounded."""
    values = array.ravel().tolist()
    if array.dtype != np.uint8:
        values = [round(value, DECIMALS) for value in values]
    return {"shape": list(array.shape), "values": values}
