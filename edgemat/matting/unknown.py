"""The region of a matte that a trimap would leave open."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN
from edgemat.matting.tiling import SMALL_BOX, Box, for_boxes

_SURE_BACKGROUND, _SURE_FOREGROUND = 0.05, 0.95
_REACH_SHARE = 1 / 100
_SOFT_REACH = 3
"""Times the reach round the inside of what is soft over more than it (hair, fur, blur). That lies a
reach away from its own border: so twice as far beyond that."""


def trimap_of_matte(alpha: F32, *, reach: int | None = None) -> U8:
    """Return the trimap that a matte suggests by its uncertainty: HxW uint8 in {0, 128, 255}.

    Unknown is what lies within `reach` pixels of a half-opaque pixel or of an edge, and twice as
    far round what is half-opaque over more than that. The frame's edge is none. A network's mattes
    are seldom exactly 0 or 1: below 0.05 is background, above 0.95 foreground.

    Parameters
    ----------
    alpha:
        HxW float32 in 0..1.
    reach:
        In pixels; by default a hundredth of the longer side.
    """
    reach = max(1, round(max(alpha.shape) * _REACH_SHARE)) if reach is None else reach
    background, foreground = alpha <= _SURE_BACKGROUND, alpha >= _SURE_FOREGROUND
    at_an_edge = _near(background, reach) & _near(foreground, reach)
    sure = background | foreground
    soft = ~sure & ~_near(sure, reach)
    trimap = np.where(foreground, FOREGROUND, BACKGROUND).astype(np.uint8)
    trimap[at_an_edge | _near(~sure, reach) | _near(soft, _SOFT_REACH * reach)] = UNKNOWN
    return trimap


def _near(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return where a pixel of an HxW mask lies within some pixels, box by box on all cores."""
    near = np.zeros_like(mask)
    height, width = mask.shape

    def fill(box: Box) -> None:
        rows, columns = box
        top, left = max(0, rows.start - reach), max(0, columns.start - reach)
        part = mask[top : min(rows.stop + reach, height), left : min(columns.stop + reach, width)]
        if part.all():
            near[box] = True
        elif part.any():
            found = _near_at_once(part, reach)
            near[box] = found[_from(rows, top), _from(columns, left)]

    for_boxes((height, width), fill, side=SMALL_BOX)
    return near


def _from(part: slice, start: int) -> slice:
    """Return where a part lies in what begins at `start`."""
    return slice(part.start - start, part.stop - start)


def _near_at_once(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return where a pixel of a mask lies within some pixels.

    The same as scipy's ``distance_transform_edt(~mask) <= reach``, without its slow import: a
    disc is a pile of rows, and the one `rows` away reaches isqrt(reach^2 - rows^2) to each side.
    """
    aside = _columns_to(mask, reach)
    near: NDArray[np.bool_] = aside <= reach
    for rows in range(1, min(reach, len(mask) - 1) + 1):
        within = aside <= math.isqrt(reach * reach - rows * rows)
        near[rows:] |= within[:-rows]
        near[:-rows] |= within[rows:]
    return near


def _columns_to(mask: NDArray[np.bool_], reach: int) -> NDArray[np.integer[Any]]:
    """Return how many columns away a row's nearest pixel of the mask is, at most reach + 1."""
    width = mask.shape[1]
    columns = np.arange(width, dtype=np.int32)
    far = np.int32(width + reach + 1)
    before = np.maximum.accumulate(np.where(mask, columns, -far), axis=1)
    after = np.minimum.accumulate(np.where(mask, columns, 2 * far)[:, ::-1], axis=1)
    nearest = np.minimum(columns - before, after[:, ::-1] - columns)
    least = np.min_scalar_type(reach + 1)
    result: NDArray[np.integer[Any]] = np.minimum(nearest, reach + 1).astype(least)
    return result
