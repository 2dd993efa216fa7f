"""The region of a matte that a trimap would leave open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN

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
    """Return where a pixel of a mask lies within some pixels."""
    from scipy.ndimage import distance_transform_edt  # a second to load, for this alone

    if not mask.any():
        return mask
    near: NDArray[np.bool_] = distance_transform_edt(~mask) <= reach
    return near
