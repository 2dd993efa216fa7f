"""Foreground and background colours of a picture with a known matte, in numpy alone.

The multi-level method of Germer, Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground
Estimation", ICPR 2020, with the constants of its authors' PyMatting, and equal to that up to
rounding. At each of some sizes, from one pixel to the whole picture, Gauss-Seidel sweeps in reading
order solve for colours that mix to the picture and are smooth where alpha is.

In a sweep a pixel needs what is new above and left of it, and what is old below and right: pixels
of a diagonal do not need each other. So pictures are kept by diagonals, and each is done at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from edgemat.images import F32

_SMOOTHNESS = np.float32(1e-5)
_GRADIENT_WEIGHT = np.float32(1.0)
# Sweeps at sizes up to the small one in both directions, and at larger ones.
_SMALL_SIZE, _SMALL_SWEEPS, _SWEEPS = 32, 10, 2


def estimate_layers(image: F32, alpha: F32) -> tuple[F32, F32]:
    """Return smooth foreground and background colours, both HxWx3 float32 in 0..1.

    Parameters
    ----------
    image:
        HxWx3 float32 in 0..1.
    alpha:
        HxW float32 in 0..1.
    """
    height, width = alpha.shape
    if height > width:  # diagonals are stored by rows: no more of them than columns
        turned = estimate_layers(image.swapaxes(0, 1), alpha.T)
        return turned[0].swapaxes(0, 1), turned[1].swapaxes(0, 1)
    levels = max(1, math.ceil(math.log2(max(height, width))))
    colours = np.stack([_mean(image, alpha > 0.9), _mean(image, alpha < 0.1)])[None, None]
    for level in range(levels + 1):
        size = round(height ** (level / levels)), round(width ** (level / levels))
        sweeps = _SMALL_SWEEPS if max(size) <= _SMALL_SIZE else _SWEEPS
        colours = _solve(_nearest(image, size), _nearest(alpha, size), colours, sweeps)
    return colours[:, :, 0], colours[:, :, 1]


def _mean(image: F32, chosen: Any) -> Any:
    return image[chosen].sum(axis=0) / np.float32(chosen.sum() + 1e-5)


def _nearest(picture: F32, size: tuple[int, int]) -> F32:
    rows, columns = (np.arange(n) * own // n for n, own in zip(size, picture.shape, strict=False))
    chosen: F32 = picture[rows[:, None], columns]
    return chosen


def _solve(image: F32, alpha: F32, start: F32, sweeps: int) -> F32:
    """Return the colours HxWx2x3 after some sweeps that begin with `start`, of another size."""
    height, width = alpha.shape
    # By diagonals, with one pixel around that repeats the edge: diagonal, ..., row.
    a, a_picture = _by_diagonals(height, width)
    a_picture[...] = np.pad(alpha, 1, mode="edge")
    layers, layers_picture = _by_diagonals(height, width, 2, 3)
    layers_picture[1:-1, 1:-1] = _nearest(start, (height, width))
    mixed, mixed_picture = _by_diagonals(height, width, 1, 3)
    mixed_picture[1:-1, 1:-1, 0] = image

    # Of each pixel: weights of its neighbours, and the inverse of its 2x2 system.
    before = _SMOOTHNESS + _GRADIENT_WEIGHT * np.abs(a[1:-1] - a[:-2])  # left of it
    above = _SMOOTHNESS + _GRADIENT_WEIGHT * np.abs(a[1:-1, 1:] - a[:-2, :-1])
    after = _SMOOTHNESS + _GRADIENT_WEIGHT * np.abs(a[1:-1] - a[2:])
    below = _SMOOTHNESS + _GRADIENT_WEIGHT * np.abs(a[1:-1, :-1] - a[2:, 1:])
    front = a[1:-1]
    back = 1 - front
    pull = before + after
    pull[:, 1:] += above
    pull[:, :-1] += below
    own = np.stack([back * back + pull, front * front + pull], axis=1)  # of the inverse
    cross = -front * back
    determinant = own[:, 0] * own[:, 1] - cross * cross
    own /= determinant[:, None]
    cross /= determinant
    given = np.stack([own[:, 0] * front + cross * back, own[:, 1] * back + cross * front], axis=1)
    given = given[:, :, None] * mixed[1:-1]

    near, found = np.empty((2, 2, 3, min(height, width)), np.float32)
    for _ in range(sweeps):
        _repeat_edge(layers_picture)
        for line in range(2, height + width + 1):  # diagonals that have pixels
            first, last = max(1, line - width), min(height, line - 1)
            here, up, down = (slice(first + by, last + 1 + by) for by in (0, -1, 1))
            s, t = near[..., : last + 1 - first], found[..., : last + 1 - first]
            np.multiply(before[line - 1, here], layers[line - 1, ..., here], out=s)
            np.multiply(above[line - 1, up], layers[line - 1, ..., up], out=t)
            s += t
            np.multiply(after[line - 1, here], layers[line + 1, ..., here], out=t)
            s += t
            np.multiply(below[line - 1, here], layers[line + 1, ..., down], out=t)
            s += t
            np.multiply(cross[line - 1, here], s[::-1], out=t)
            s *= own[line - 1, :, None, here]
            s += t
            s += given[line - 1, ..., here]
            np.maximum(s, 0, out=s)
            np.minimum(s, 1, out=layers[line, ..., here])
    return np.ascontiguousarray(layers_picture[1:-1, 1:-1])


def _by_diagonals(height: int, width: int, *planes: int) -> tuple[Any, Any]:
    """Return storage by diagonal, plane and row of a picture with a border, and it as a picture."""
    stored = np.zeros((height + width + 3, *planes, height + 2), np.float32)
    diagonal, *between, row = stored.strides
    picture = as_strided(
        stored,
        (height + 2, width + 2, *planes),
        (diagonal + row, diagonal, *between),
    )
    return stored, picture


def _repeat_edge(picture: F32) -> None:
    picture[:, 0], picture[:, -1] = picture[:, 1], picture[:, -2]
    picture[0], picture[-1] = picture[1], picture[-2]
