"""Trimaps made from an exact alpha matte, and the classes that a segmentation branch learns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN

LARGEST_REACHES = (6, 20, 45)  # px; each a third of all loose trimaps
CLASS_BACKGROUND, CLASS_UNKNOWN, CLASS_FOREGROUND = 0, 1, 2
"""Class indices of the segmentation branch (thesis chapter 6)."""
CLASS_DILATION = 1 / 32
"""Of what that branch learns: unknown reaches this share of the picture's side."""


def trimap_from_alpha(alpha: F32, *, rng: np.random.Generator, max_dilation: int = 19) -> U8:
    """Return a trimap whose unknown region is dilated by a random distance (thesis section 3.6).

    Parameters
    ----------
    alpha:
        HxW float32 in 0..1.
    rng:
        Draws the distance in pixels, uniformly from 1..max_dilation, both included.

    Returns
    -------
    HxW uint8 in {0, 128, 255}; see :func:`fixed_trimap`.
    """
    return fixed_trimap(alpha, dilation=int(rng.integers(1, max_dilation + 1)))


def loose_trimap(alpha: F32, *, rng: np.random.Generator) -> U8:
    """Return a trimap as people draw them: tight or very loose, on both sides of its own width.

    The unknown region reaches 1 to 6, 20 or 45 px into the background, and likewise, drawn anew,
    into the foreground.

    Parameters
    ----------
    alpha:
        HxW float32 in 0..1.
    """
    outside, inside = (
        trimap_from_alpha(alpha, rng=rng, max_dilation=int(rng.choice(LARGEST_REACHES)))
        for _ in range(2)
    )
    return np.where(alpha >= 1, inside, outside).astype(np.uint8)


def fixed_trimap(alpha: F32, *, dilation: int) -> U8:
    """Return a trimap whose unknown region reaches `dilation` pixels beyond the partial alphas.

    Unknown (128) is every pixel within the Euclidean distance `dilation` of a pixel with
    0 < alpha < 1; elsewhere it is foreground (255) where alpha is 1 and background (0) where
    alpha is 0. A binary mask has no partial alpha: there the pixels on both sides of each step
    between 0 and 1 take their place, since the true edge lies between them.
    """
    trimap = np.where(alpha >= 1, FOREGROUND, BACKGROUND).astype(np.uint8)
    core = (alpha > 0) & (alpha < 1)
    if not core.any():
        core = _steps(alpha >= 1)
    if core.any():
        trimap[distance_transform_edt(~core) <= dilation] = UNKNOWN
    return trimap


def classes_from_trimap(trimap: U8) -> NDArray[np.int64]:
    """Return HxW int64 class indices: 0 background, 1 unknown, 2 foreground."""
    classes = np.full(trimap.shape, CLASS_UNKNOWN, np.int64)
    classes[trimap == BACKGROUND] = CLASS_BACKGROUND
    classes[trimap == FOREGROUND] = CLASS_FOREGROUND
    return classes


def _steps(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the pixels that differ from a 4-neighbour."""
    steps = np.zeros_like(mask)
    down = mask[1:] != mask[:-1]
    right = mask[:, 1:] != mask[:, :-1]
    steps[1:] |= down
    steps[:-1] |= down
    steps[:, 1:] |= right
    steps[:, :-1] |= right
    return steps
