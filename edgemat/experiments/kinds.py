"""What a network's upsampling knows of what was lost on the way down: the thesis' claim in words.

Section 3.5 calls upsampling guided when it sees what the encoder saw before it was sampled down,
and blind when it does not; max-unpooling sees where the largest value was, and lies between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["guided", "max-unpooling", "blind", "other"]

_GUIDED = ("hin", "modelwise", "shared", "unshared", "m2o", "a2u")
_UNPOOL = ("reconstruct-maxpool-unpool", "dncnn-segnet", "matting-b11")
_BLIND = ("nn", "nearest", "bilinear", "carafe")


def kind_of(model: str) -> Kind:
    """Return the kind of a network's upsampling, by its name.

    "other" is what keeps all values (space-to-depth), learns both ways (deconvolution), or does
    not sample at all (DnCNN): the claim is not about them.

    >>> from edgemat.experiments.kinds import kind_of
    >>> kind_of("reconstruct-index-m2o"), kind_of("dncnn-segnet"), kind_of("dncnn-conv-carafe")
    ('guided', 'max-unpooling', 'blind')
    """
    if model in _UNPOOL:
        return "max-unpooling"
    words = model.split("-")
    if words[-1] in _BLIND:
        return "blind"
    return "guided" if set(_GUIDED) & set(words) else "other"


def order_holds(scores: Mapping[str, float]) -> bool | None:
    """Return whether every guided network beats max-unpooling, and that every blind one.

    Parameters
    ----------
    scores:
        Of networks by name; more is better.

    Returns
    -------
    bool or None
        None when one of the three kinds is missing.
    """
    by_kind: dict[Kind, list[float]] = {"guided": [], "max-unpooling": [], "blind": []}
    for model, score in scores.items():
        by_kind.setdefault(kind_of(model), []).append(score)
    guided, unpooled, blind = (by_kind[k] for k in ("guided", "max-unpooling", "blind"))
    if not (guided and unpooled and blind):
        return None
    return min(guided) > max(unpooled) and min(unpooled) > max(blind)
