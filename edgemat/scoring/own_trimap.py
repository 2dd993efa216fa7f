"""The trimap that a network estimates by itself, judged on photographs: the mIoU of Table 6.5.

A photograph meets the network in a letterbox, as in an app. The truth is the trimap of the true
matte in the same letterbox, as wide as the one that the network was trained to find; the
letterbox's margins do not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgemat.artifacts.feeding import Feeding
from edgemat.data.trimap import CLASS_DILATION, classes_from_trimap, fixed_trimap
from edgemat.images import F32, U8, resize
from edgemat.matting.tiling import Letterbox
from edgemat.scoring.metrics import count_pairs, mean_iou

Counts = tuple[tuple[int, ...], ...]
"""Pixels of each true class (rows) that were given each class (columns)."""


@runtime_checkable
class EstimatesTrimap(Protocol):
    """A predictor that may estimate a trimap."""

    @property
    def feeding(self) -> Feeding:
        """The inputs that the model takes."""

    def estimate_trimap(self, x: F32) -> NDArray[np.int64] | None:
        """Return HxW classes of 1,H,W,3 in 0..1, or None where no trimap is estimated."""


def trimap_counts(model: object, image: U8, truth: F32) -> Counts | None:
    """Count what a network's own trimap of a photograph makes of each pixel.

    Parameters
    ----------
    model:
        Any predictor, or the name of a method.
    image, truth:
        HxWx3, and its true alpha, HxW in 0..1.

    Returns
    -------
    Counts or None
        None for a model that is given its trimap, estimates none, or meets pictures otherwise.
    """
    if not isinstance(model, EstimatesTrimap) or model.feeding.fitting != "letterbox":
        return None
    frame = model.feeding.height, model.feeding.width
    fit = Letterbox.fit((image.shape[0], image.shape[1]), frame)
    small = fit.scale(image).astype(np.float32) * np.float32(model.feeding.scale)
    found = model.estimate_trimap(fit.pad(small)[None])
    if found is None:
        return None
    alpha = resize(truth, (fit.height, fit.width), method="bilinear")
    trimap = fixed_trimap(alpha, dilation=max(1, round(frame[0] * CLASS_DILATION)))
    pairs = count_pairs(fit.crop(found), classes_from_trimap(trimap))
    return tuple(tuple(row) for row in pairs.tolist())


def mean_trimap_iou(found: Iterable[Counts | None]) -> float | None:
    """Return the mIoU over all pictures that have counts, in 0..1; None without any."""
    counts = [one for one in found if one is not None]
    return mean_iou(np.sum(counts, axis=0)) if counts else None
