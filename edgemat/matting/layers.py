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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from edgemat.images import F32

_SMOOTHNESS = np.float32(1e-5)
_GRADIENT_WEIGHT = np.float32(1.0)
# So many diagonals are prepared at once as stay in a processor's cache.
_AT_ONCE = 64
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
        system = _prepare(_nearest(image, size), _nearest(alpha, size))
        colours = _solve(system, _nearest(colours, size), sweeps)
    return colours[:, :, 0], colours[:, :, 1]


def _mean(image: F32, chosen: Any) -> Any:
    total = chosen.ravel().astype(np.float32) @ image.reshape(-1, 3)
    return total / np.float32(chosen.sum() + 1e-5)


def _nearest(picture: F32, size: tuple[int, int]) -> F32:
    rows, columns = (np.arange(n) * own // n for n, own in zip(size, picture.shape, strict=False))
    chosen: F32 = picture[rows].take(columns, axis=1)  # quicker than both at once
    return chosen


@dataclass(frozen=True)
class _System:
    """What a pixel's colours are computed from: arrays by diagonal, ..., row.

    Attributes
    ----------
    weights:
        4 planes: of the neighbours above, left, right and below.
    own, cross:
        2 planes and 1: the diagonal and the rest of the inverse of the 2x2 system.
    given:
        2x3 planes: what the picture itself adds to the foreground and the background.
    """

    weights: F32
    own: F32
    cross: F32
    given: F32


def _prepare(image: F32, alpha: F32) -> _System:
    """Return the systems of all pixels of an HxWx3 picture and its HxW matte."""
    height, width = alpha.shape
    # By diagonals, with one pixel around that repeats the edge.
    a, a_picture = _by_diagonals(height, width)
    a_picture[...] = np.pad(alpha, 1, mode="edge")
    mixed, mixed_picture = _by_diagonals(height, width, 3)
    mixed_picture[1:-1, 1:-1] = image
    lines, rows = len(a) - 2, height + 2  # the first and the last diagonal have a corner alone
    system = _System(
        *(np.zeros((lines, *planes, rows), np.float32) for planes in ((4,), (2,), (), (2, 3)))
    )
    for start in range(0, lines, _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, lines))
        behind, front, ahead = (a[part.start + by : part.stop + by] for by in range(3))
        weights, own, cross = system.weights[part], system.own[part], system.cross[part]
        np.subtract(front[:, 1:], behind[:, :-1], out=weights[:, 0, 1:])
        np.subtract(front, behind, out=weights[:, 1])
        np.subtract(front, ahead, out=weights[:, 2])
        np.subtract(front[:, :-1], ahead[:, 1:], out=weights[:, 3, :-1])
        np.abs(weights, out=weights)
        weights *= _GRADIENT_WEIGHT
        weights += _SMOOTHNESS
        pull = weights[:, 1] + weights[:, 2] + weights[:, 0] + weights[:, 3]
        back = 1 - front
        np.add(back * back, pull, out=own[:, 0])
        np.add(front * front, pull, out=own[:, 1])
        np.multiply(-front, back, out=cross)
        determinant = own[:, 0] * own[:, 1] - cross * cross
        own /= determinant[:, None]
        cross /= determinant
        here = mixed[part.start + 1 : part.stop + 1]
        shares = own[:, 0] * front + cross * back, own[:, 1] * back + cross * front
        for layer, share in enumerate(shares):
            np.multiply(share[:, None], here, out=system.given[part, layer])
    return system


def _solve(system: _System, start: F32, sweeps: int) -> F32:
    """Return the colours HxWx2x3 after some sweeps that begin with `start`, of the same size."""
    height, width = start.shape[:2]
    layers, layers_picture = _by_diagonals(height, width, 2, 3)
    layers_picture[1:-1, 1:-1] = start
    # Of a pixel the neighbours above, left, right and below lie in storage at -d - 1, -d, d, d + 1,
    # d being a diagonal: -d - 1 and three more by two steps, of 2 d + 1 and of 1.
    d, *planes, row = layers.strides
    around = as_strided(
        layers, (height + width, 2, 2, 2, 3, height + 1), (d, 2 * d + row, row, *planes, row)
    )
    weights = system.weights.reshape(-1, 2, 2, 1, 1, height + 2)
    shorter = min(height, width)
    pulls = np.empty((4, 2, 3, shorter), np.float32)
    pulls_as_around = pulls.reshape(2, 2, 2, 3, shorter)
    near, found = np.empty((2, 2, 3, shorter), np.float32)
    for _ in range(sweeps):
        _repeat_edge(layers_picture)
        for line in range(1, height + width):  # diagonals that have pixels, without the first
            first, last = max(1, line + 1 - width), min(height, line)
            here = slice(first, last + 1)
            count = last + 1 - first
            s, t, pull = near[..., :count], found[..., :count], pulls_as_around[..., :count]
            np.multiply(weights[line, ..., here], around[line, ..., first - 1 : last], out=pull)
            np.add.reduce(pulls[..., :count], axis=0, out=s)
            np.multiply(system.cross[line, here], s[::-1], out=t)
            s *= system.own[line, :, None, here]
            s += t
            s += system.given[line, ..., here]
            np.maximum(s, 0, out=s)
            np.minimum(s, 1, out=layers[line + 1, ..., here])
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
