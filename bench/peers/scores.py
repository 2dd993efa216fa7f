"""Scores of a matte: where the person is (IoU), and how its edge looks (SAD and Grad)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgemat.bench.peers.pictures import THRESHOLD, Loaded
from edgemat.errors import UsageError
from edgemat.images import F32, UNKNOWN
from edgemat.scoring.metrics import matting_errors


@dataclass(frozen=True)
class PictureScore:
    """One contestant on one photograph.

    Attributes
    ----------
    intersection, union:
        Pixels that are the person in both mattes, and in either.
    mad:
        Mean absolute difference of alpha over the whole picture, 0..1.
    sad, grad:
        Over the whole picture, as :func:`edgemat.matting_errors` has them (thousands).
    mad_band, sad_band, grad_band:
        In the unknown band; None where the truth has no edge.
    """

    name: str
    intersection: int
    union: int
    mad: float
    sad: float
    grad: float
    mad_band: float | None
    sad_band: float | None
    grad_band: float | None

    @property
    def iou(self) -> float:
        """Intersection over union; 1 where neither matte has a person."""
        return self.intersection / self.union if self.union else 1.0

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return {**asdict(self), "iou": self.iou}


@dataclass(frozen=True)
class SetScore:
    """Means over the photographs of a set.

    Attributes
    ----------
    photos:
        How many there are.
    iou, iou_pooled:
        Mean of the photographs' IoU, and IoU of all their pixels together.
    mad_band, sad_band, grad_band:
        Over those whose truth has an edge; None if none has.
    """

    photos: int
    iou: float
    iou_pooled: float
    mad: float
    sad: float
    grad: float
    mad_band: float | None
    sad_band: float | None
    grad_band: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


def score(alpha: F32, loaded: Loaded) -> PictureScore:
    """Compare a matte, HxW float32 in 0..1, with the truth of its photograph.

    Raises
    ------
    UsageError
        When the photograph has no truth, or the matte another size or values outside 0..1.
    """
    truth, band = loaded.truth, loaded.band
    if truth is None or band is None:
        raise UsageError(f"{loaded.photo.name} has no truth.", remedy="Use find_photos().")
    if loaded.ignored is not None:
        alpha = np.where(loaded.ignored, truth, alpha)
    whole = matting_errors(alpha, truth)
    edge = None
    if (band == UNKNOWN).any():
        edge = matting_errors(alpha, truth, trimap=band)
    person, true_person = alpha >= THRESHOLD, truth >= THRESHOLD
    if loaded.ignored is not None:
        person, true_person = person & ~loaded.ignored, true_person & ~loaded.ignored
    return PictureScore(
        name=loaded.photo.name,
        intersection=int(np.count_nonzero(person & true_person)),
        union=int(np.count_nonzero(person | true_person)),
        mad=1000 * whole.sad / whole.pixels,
        sad=whole.sad,
        grad=whole.grad,
        mad_band=1000 * edge.sad / edge.pixels if edge else None,
        sad_band=edge.sad if edge else None,
        grad_band=edge.grad if edge else None,
    )


def summarise_scores(scores: Sequence[PictureScore]) -> SetScore:
    """Return the means over at least one photograph.

    Raises
    ------
    UsageError
        When there is none.
    """
    if not scores:
        raise UsageError("There are no scores.", remedy="Compare on at least one photograph.")
    pixels = sum(s.union for s in scores)
    return SetScore(
        photos=len(scores),
        iou=_mean([s.iou for s in scores]) or 0.0,
        iou_pooled=sum(s.intersection for s in scores) / pixels if pixels else 1.0,
        mad=_mean([s.mad for s in scores]) or 0.0,
        sad=_mean([s.sad for s in scores]) or 0.0,
        grad=_mean([s.grad for s in scores]) or 0.0,
        mad_band=_mean([s.mad_band for s in scores]),
        sad_band=_mean([s.sad_band for s in scores]),
        grad_band=_mean([s.grad_band for s in scores]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
