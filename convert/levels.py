"""From float weights to the integers that files store."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def levels(
    weights: NDArray[Any],
    scales: NDArray[Any],
    points: NDArray[Any],
    axis: int | None,
    limits: tuple[int, int],
) -> NDArray[Any]:
    """Round weights to integers as torch does: times the float32 reciprocal, half to even.

    Parameters
    ----------
    scales, points:
        float32 scales and zero-points, one, or one for each slice along `axis`; the integers have
        the zero-points' type.
    limits:
        The lowest and the highest integer.
    """
    shape = [1] * weights.ndim
    if axis is not None:
        shape[axis] = -1
    inverse = (np.float32(1) / scales).reshape(shape)
    rounded = np.rint(weights.astype(np.float32) * inverse) + points.reshape(shape)
    integers: NDArray[Any] = rounded.clip(*limits).astype(points.dtype)
    return integers
