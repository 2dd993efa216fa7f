"""What a network's upsampling knows of what was lost on the way down: the thesis' claim in words.

Section 3.5 calls upsampling guided when it sees what the encoder saw before it was sampled down,
and blind when it does not; max-unpooling sees where the largest value was, and lies between.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Literal

from edgemat.errors import UsageError
from edgemat.models import model_info
from edgemat.models.blocks.sampling import AFFINITY_SAMPLINGS, BLIND_SAMPLINGS, INDEX_SAMPLINGS
from edgemat.models.dncnn import DnCNN
from edgemat.models.indexnet_slim import IndexNetSlim
from edgemat.models.network import Network
from edgemat.models.upernet import UperNet

Kind = Literal["guided", "max-unpooling", "blind", "other"]

_BOTH_WAYS = tuple(name for name in BLIND_SAMPLINGS if name.endswith("-deconv"))
_SAMPLINGS: Mapping[Kind, tuple[str, ...]] = {
    "guided": (*INDEX_SAMPLINGS, *AFFINITY_SAMPLINGS),
    "max-unpooling": ("max-unpool", "hmi"),  # section 3.6.1 takes HMI's index from max-pooling
    "other": ("s2d-d2s", *_BOTH_WAYS),
    "blind": BLIND_SAMPLINGS,  # what is left of them
}
_WITHOUT_CHOICE: Mapping[type[Network], Kind] = {DnCNN: "other", IndexNetSlim: "guided"}
"""Networks whose sampling is no argument."""


def kind_of(model: str) -> Kind:
    """Return the kind of a network's upsampling.

    "other" is what keeps all values (space-to-depth), learns both ways (deconvolution), does not
    sample at all (DnCNN), or is guided in one part alone (UperNet): the claim is not about them.

    >>> from edgemat.experiments.kinds import kind_of
    >>> kind_of("reconstruct-index-m2o"), kind_of("dncnn-segnet"), kind_of("dncnn-conv-carafe")
    ('guided', 'max-unpooling', 'blind')

    Raises
    ------
    UsageError
        For a network whose sampling cannot be told, or an unknown name.
    """
    info = model_info(model)
    if info.network in _WITHOUT_CHOICE:
        return _WITHOUT_CHOICE[info.network]
    if info.network is UperNet:
        ways = {info.config["pyramid"], info.config["fusion"]}
        return "other" if len(ways) > 1 else "guided" if ways == {"index"} else "blind"
    argument = inspect.signature(info.network).parameters.get("sampling")
    if argument is not None:
        sampling = info.config.get("sampling", argument.default)
        if sampling is None:  # enlarged bilinearly
            return "blind"
        for kind, names in _SAMPLINGS.items():
            if sampling in names:
                return kind
    raise UsageError(
        f"{model} has no sampling that can be called guided or blind.",
        remedy="Compare networks that differ in their sampling, such as those of Table 3.4.",
    )


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
