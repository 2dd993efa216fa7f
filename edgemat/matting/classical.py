"""Matting without a network, by PyMatting: the classical methods that networks are compared with.

- ``closed-form``: Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting",
  TPAMI 2008.
- ``knn``: Chen, Li and Tang, "KNN Matting", TPAMI 2013.

>>> import numpy as np
>>> from edgemat.matting.matte import matte
>>> image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
>>> trimap = np.full((32, 32), 128, np.uint8)
>>> trimap[:8], trimap[-8:] = 0, 255
>>> matte(image, trimap, model="closed-form").shape
(32, 32)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from types import MappingProxyType
from typing import Any

import numpy as np

from edgemat.errors import UsageError
from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN, to_float
from edgemat.matting.pymatting_method import load_method

METHODS = MappingProxyType({"closed-form": "estimate_alpha_cf", "knn": "estimate_alpha_knn"})
"""Name to the function of pymatting, and to its module."""

MAX_PIXELS = 4_000_000
"""Of a picture: the linear system takes more than a kilobyte for each."""


def load_solver(method: str) -> Callable[..., Any]:
    """Return pymatting's function for one of :data:`METHODS`.

    Raises
    ------
    MissingToolError
        pymatting is not installed.
    """
    return load_method(f"alpha.{METHODS[method]}", purpose=f"{method} matting")


def solve_alpha(image: U8, trimap: U8, *, method: str = "closed-form") -> F32:
    """Return the alpha matte of a picture at its own size, HxW float32 in 0..1.

    Parameters
    ----------
    image:
        HxWx3 uint8 RGB.
    trimap:
        HxW uint8 in {0, 128, 255}; known pixels keep its values.
    method:
        One of :data:`METHODS`.

    Raises
    ------
    UsageError
        Nothing is known to be foreground, or background; the system has no solution; the picture
        is too large.
    MissingToolError
        pymatting is not installed.
    """
    if not ((trimap == FOREGROUND).any() and (trimap == BACKGROUND).any()):
        raise UsageError(
            f"{method} matting needs a trimap with known foreground and background.",
            remedy="Paint some of both: white and black.",
        )
    if trimap.size > MAX_PIXELS:
        height, width = trimap.shape
        raise UsageError(
            f"The picture has {width} x {height} px, too many for {method} matting.",
            remedy=f"Scale it down to {MAX_PIXELS // 1_000_000} megapixels, or take a network.",
        )
    estimate = load_solver(method)
    values = trimap.astype(np.float64) / 255
    values[trimap == UNKNOWN] = 0.5
    try:
        with redirect_stdout(sys.stderr):  # where the solver warns, JSON is printed
            alpha: F32 = estimate(to_float(image).astype(np.float64), values).astype(np.float32)
    except ValueError as error:
        raise UsageError(
            f"{method} matting finds no solution: {error}",
            remedy="Paint more of the trimap as known.",
        ) from error
    # the solvers only pull known pixels towards the trimap
    alpha[trimap == BACKGROUND] = 0
    alpha[trimap == FOREGROUND] = 1
    return np.clip(alpha, 0, 1, out=alpha)
