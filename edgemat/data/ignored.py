"""People who are too small to be meant: on a screen, in a bus, far away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label

from edgemat.images import F32

SEEN = 0.05
"""Alpha from which on a pixel belongs to a part."""
REACH = 1 / 50
"""How far around a small part nothing is counted, as a share of the picture's longer side."""


def small_parts(alpha: F32, least: float) -> NDArray[np.bool_]:
    """Return where parts of a matte lie that are smaller than `least`, with what is around them.

    Parts are what hangs together. What is around a part of full size is never taken.

    Parameters
    ----------
    alpha:
        HxW float32 in 0..1.
    least:
        Share of the picture, 0..1, that a part must cover to be meant.

    Returns
    -------
    small
        HxW bool.
    """
    if not least:
        return np.zeros(alpha.shape, np.bool_)
    parts, count = label(alpha >= SEEN, structure=np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), weights=(alpha >= 0.5).ravel(), minlength=count + 1)
    is_small = sizes < least * alpha.size
    is_small[0] = False
    reach = max(1, round(REACH * max(alpha.shape)))
    small: NDArray[np.bool_] = is_small[parts]
    meant = (parts > 0) & ~small
    return small | (_grown(small, reach) & ~_grown(meant, reach))


def _grown(area: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    if not area.any():
        return area
    near: NDArray[np.bool_] = distance_transform_edt(~area) <= reach
    return near
