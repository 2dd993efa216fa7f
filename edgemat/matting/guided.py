"""The guided filter: takes a small alpha to full size along the edges of the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgemat.images import F32, U8
from edgemat.matting.tiling import Box, for_boxes, resized_planes

# Both chosen on procedural hair, fur and portraits of 1024 px: from an exact matte of 224 px the
# mean absolute error at full size is 0.003, where bilinear enlargement has 0.015. Smaller values
# gain a little on such clean pictures but follow the noise of real ones.
GUIDE_RADIUS = 2
"""Half of the guided filter's window, in the model's pixels."""
GUIDE_EPSILON = 1e-4
"""Regularisation of the guided filter: a variance of colours in 0..1."""


def guided_coefficients(guide: F32, target: F32, *, radius: int, epsilon: float) -> F32:
    """Return the coefficients of the guided filter with a colour guide.

    In each window, ``target = a . guide + b`` by least squares with the penalty
    ``epsilon |a|^2`` (He et al., Guided Image Filtering, TPAMI 2013, eq. 19 and 20). Then a and
    b are averaged over all windows that contain a pixel. Windows are cut off at the borders.

    Parameters
    ----------
    guide:
        hxwx3 float32 in 0..1.
    target:
        hxw float32.
    radius:
        Windows are (2 radius + 1) pixels wide.
    epsilon:
        Variance of the guide below which the target is averaged instead of followed.

    Returns
    -------
    numpy.ndarray
        hxwx4 float32: a for red, green, blue, and b. The filter's result is
        ``(coefficients[..., :3] * guide).sum(-1) + coefficients[..., 3]``.
    """
    # float64, because a covariance is a small difference of large numbers
    colours, values = guide.astype(np.float64), target.astype(np.float64)
    count = _window_sums(np.ones_like(values), radius)

    def mean(planes: Any) -> Any:
        shape = count.shape + (1,) * (planes.ndim - 2)
        return _window_sums(planes, radius) / count.reshape(shape)

    mean_colour, mean_value = mean(colours), mean(values)
    products = mean(colours[..., :, None] * colours[..., None, :])
    variance = products - mean_colour[..., :, None] * mean_colour[..., None, :]
    covariance = mean(colours * values[..., None]) - mean_colour * mean_value[..., None]
    a = np.linalg.solve(variance + epsilon * np.eye(3), covariance[..., None])[..., 0]
    b = mean_value - (a * mean_colour).sum(-1)
    return np.dstack([mean(a), mean(b)]).astype(np.float32)


def _window_sums(planes: Any, radius: int) -> Any:
    """Return the sums over windows of hxwx...; outside of the picture there is nothing.

    As quick as scipy's filter for the few pixels of a window, and without a second's import.
    """
    for axis, length in enumerate(planes.shape[:2]):
        margins = [(radius, radius) if n == axis else (0, 0) for n in range(planes.ndim)]
        padded = np.moveaxis(np.pad(planes, margins), axis, 0)
        sums = np.zeros_like(padded[:length])
        for start in range(2 * radius + 1):
            sums += padded[start : start + length]
        planes = np.moveaxis(sums, 0, axis)
    return planes


def guided_upsample(alpha: F32, small: F32, image: U8) -> F32:
    """Take an alpha of a reduced picture to full size, along the picture's own edges.

    The fast guided filter (He and Sun, Fast Guided Filter, 2015): coefficients are fitted at the
    reduced size, enlarged bilinearly, and applied to the full picture. In flat alpha the
    coefficients a are 0, so that the picture's texture does not show there.

    Parameters
    ----------
    alpha:
        hxw float32 in 0..1.
    small:
        hxwx3 float32 in 0..1, `image` reduced.
    image:
        HxWx3 uint8.

    Returns
    -------
    numpy.ndarray
        HxW float32, not clipped.
    """
    size = image.shape[0], image.shape[1]
    coefficients = guided_coefficients(small, alpha, radius=GUIDE_RADIUS, epsilon=GUIDE_EPSILON)
    coefficients[..., :3] /= 255  # the full picture is left in 0..255
    result = np.empty(size, np.float32)

    def fill(box: Box) -> None:
        *factors, rest = resized_planes(coefficients, size, box)
        total = np.zeros_like(rest)
        for channel, factor in enumerate(factors):
            total += factor * image[box][..., channel]
        np.add(total, rest, out=result[box])

    for_boxes(size, fill)
    return result
