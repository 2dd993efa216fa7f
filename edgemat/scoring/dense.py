"""Errors of what is told of every pixel: classes (Tables 3.7, 3.8), depths (3.9, 3.10)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgemat.data.layouts.pictures import NO_CLASS
from edgemat.errors import UsageError
from edgemat.images import F32
from edgemat.scoring.metrics import count_pairs, mean_iou


@dataclass
class ClassCounts:
    """Pixels of many pictures, by true class (rows) and found class (columns).

    >>> import numpy as np
    >>> from edgemat.scoring.dense import ClassCounts
    >>> counts = ClassCounts(2)
    >>> counts.add(np.array([[0, 1, 1]]), np.array([[0, 1, 0]]))
    >>> counts.pixel_accuracy, counts.mean_iou
    (0.6666666666666666, 0.5)

    Attributes
    ----------
    classes:
        How many there are.
    confusion:
        classes x classes.
    """

    classes: int
    confusion: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.confusion = np.zeros((self.classes, self.classes), np.int64)

    def add(self, found: npt.NDArray[np.integer], truth: npt.NDArray[np.integer]) -> None:
        """Count a picture: two HxW arrays of 0..classes - 1; of the truth, NO_CLASS is left out.

        Raises
        ------
        UsageError
            When they differ in shape.
        """
        _check_shapes(found.shape, truth.shape)
        labelled = truth != NO_CLASS
        self.confusion += count_pairs(found[labelled], truth[labelled], num_classes=self.classes)

    @property
    def mean_iou(self) -> float:
        """Mean over classes of intersection over union, 0..1; classes that are nowhere left out."""
        return mean_iou(self.confusion)

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels whose class was found, 0..1; NaN where none was labelled."""
        total = int(self.confusion.sum())
        return int(np.trace(self.confusion)) / total if total else math.nan


@dataclass(frozen=True)
class DepthErrors:
    """Errors of depths d against true ones g, over pixels (section 3.6.4).

    Attributes
    ----------
    rms:
        Root of the mean of (d - g)^2, in metres.
    rel:
        Mean of abs(d - g) / g.
    log10:
        Mean of abs(log10 d - log10 g).
    delta1, delta2, delta3:
        Shares of pixels with max(d / g, g / d) below 1.25, 1.25^2 and 1.25^3, 0..1.
    """

    rms: float
    rel: float
    log10: float
    delta1: float
    delta2: float
    delta3: float


LEAST_DEPTH = 1e-3
"""In metres: what is found nearer, or behind the camera, is judged as if it were here."""


def depth_errors(found: list[F32], truth: list[F32]) -> DepthErrors:
    """Compare depths, each HxW in metres, with true ones; 0 there means that none was measured.

    Raises
    ------
    UsageError
        When two differ in shape, or no true depth is above 0.
    """
    for one, other in zip(found, truth, strict=True):
        _check_shapes(one.shape, other.shape)
    known = [true > 0 for true in truth]
    g = np.concatenate([t[k] for t, k in zip(truth, known, strict=True)]).astype(np.float64)
    d = np.concatenate([f[k] for f, k in zip(found, known, strict=True)]).astype(np.float64)
    if not g.size:
        raise UsageError(
            "No pixel has a depth to compare with.",
            remedy="Give depths in millimetres, 0 for none.",
        )
    d = np.maximum(d, LEAST_DEPTH)
    ratio = np.maximum(d / g, g / d)
    return DepthErrors(
        rms=math.sqrt(float(np.mean((d - g) ** 2))),
        rel=float(np.mean(np.abs(d - g) / g)),
        log10=float(np.mean(np.abs(np.log10(d) - np.log10(g)))),
        delta1=float(np.mean(ratio < 1.25)),
        delta2=float(np.mean(ratio < 1.25**2)),
        delta3=float(np.mean(ratio < 1.25**3)),
    )


def _check_shapes(found: tuple[int, ...], truth: tuple[int, ...]) -> None:
    if found != truth:
        raise UsageError(
            f"What was found has the shape {found}, the truth {truth}.",
            remedy="Bring what was found to the size of the truth first.",
        )
