"""A loss as a recipe writes it: named terms, each with its weight.

==================== ======================================================= ===================
term                 loss                                                    thesis
==================== ======================================================= ===================
alpha_unknown        alpha prediction, unknown region                        l_aU, eq. 6.5
alpha_whole          alpha prediction, whole picture                         l_aI, eq. 6.5
composition          composition, unknown region                             section 3.6.1
gradient             Sobel gradient, everywhere but less outside             l_g, eq. 6.6 to 6.8
affinity             affinity of matte and picture                           l_A, eq. 6.4 and 6.9
cross_entropy        classes of the estimated trimap                         L_c, eq. 6.3
laplacian            Laplacian pyramid                                       l_lap, section 5.5.1
gradient_difference  gradient, without the penalty                           l_g of Table 5.3
gradient_penalty     gradient, with the penalty                              l_gp, eq. 5.4
==================== ======================================================= ===================

The last three are taken in the unknown region by networks that are given a trimap, and in the
whole picture by those that are not. A prediction is taken as it is, beyond 0 and 1 as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from edgemat.errors import UsageError
from edgemat.models.network import MattingOutput
from edgemat.training.detail import gradient_penalty_loss, laplacian_loss
from edgemat.training.losses import (
    Loss,
    affinity_loss,
    alpha_loss,
    composition_loss,
    gradient_loss,
    trimap_classes,
    trimap_cross_entropy,
)

TERMS = (
    "alpha_unknown",
    "alpha_whole",
    "composition",
    "gradient",
    "affinity",
    "cross_entropy",
    "laplacian",
    "gradient_difference",
    "gradient_penalty",
)
_UNKNOWN_CLASS = 1


def weighted_terms(
    output: MattingOutput,
    batch: Mapping[str, Tensor],
    weights: Mapping[str, float],
    *,
    unknown: Literal["truth", "estimated"] = "truth",
    affinity_norm: Literal["mean", "frobenius"] = "mean",
) -> Loss:
    """Return the weighted sum of the terms whose weight is not 0.

    Parameters
    ----------
    batch:
        ``image``, ``trimap``, ``alpha``, where known ``foreground`` and ``background``, and
        optionally ``ignored`` (B,1,H,W bool, where nothing is learned) and ``pseudo`` (B bool: the
        layers of these pictures are not those of their mattes). Pictures without known layers have
        no composition loss.
    unknown:
        Whose unknown region: the truth's, or that of the network's own trimap.

    Raises
    ------
    UsageError
        When no term is left, or one needs a trimap that the network does not estimate.
    """
    image, truth = batch["image"], batch["alpha"]
    ignored = batch.get("ignored")
    alpha = output.alpha.float()
    region = (batch["trimap"] > 0) & (batch["trimap"] < 1)
    logits = None
    if output.trimap_logits is not None:
        logits = F.interpolate(
            output.trimap_logits.float(),
            size=truth.shape[-2:],
            mode="bilinear",
            align_corners=False,
        )
    if unknown == "estimated":
        region = _needed(logits).argmax(dim=1, keepdim=True) == _UNKNOWN_CLASS
    if ignored is not None:  # what is right there has no error, and no gradient
        alpha, region = torch.where(ignored, truth, alpha), region & ~ignored
    given = None if logits is not None else region  # where a trimap is given, it bounds the losses

    def loss(term: str) -> Tensor | None:
        match term:
            case "alpha_unknown":
                return alpha_loss(alpha, truth, region)
            case "alpha_whole":
                return alpha_loss(alpha, truth)
            case "composition":
                return _composition(alpha, batch, region)
            case "gradient":
                return gradient_loss(alpha, truth, region)
            case "affinity":
                return affinity_loss(alpha, image, norm=affinity_norm)
            case "cross_entropy":
                classes = trimap_classes(batch["trimap"], ignored)
                return trimap_cross_entropy(_needed(logits), classes)
            case "laplacian":
                return laplacian_loss(alpha, truth, given)
            case "gradient_difference":
                return gradient_penalty_loss(alpha, truth, given, penalty=0.0)
        return gradient_penalty_loss(alpha, truth, given)

    found = {term: loss(term) for term in TERMS if weights.get(term)}
    parts = {term: value for term, value in found.items() if value is not None}
    if not parts:
        raise UsageError(
            "No loss is left to train on: " + (", ".join(found) or "all weights are 0") + ".",
            remedy="Give a term of train.losses that these pictures have, such as alpha_unknown.",
        )
    total = sum((weights[term] * value for term, value in parts.items()), torch.zeros(()))
    return Loss(total, parts)


def _composition(alpha: Tensor, batch: Mapping[str, Tensor], region: Tensor) -> Tensor | None:
    if "foreground" not in batch:
        return None
    if "pseudo" in batch:
        region = region & ~batch["pseudo"][:, None, None, None]
    return composition_loss(
        alpha,
        image=batch["image"],
        foreground=batch["foreground"],
        background=batch["background"],
        region=region,
    )


def _needed(logits: Tensor | None) -> Tensor:
    if logits is None:
        raise UsageError(
            "This network is given its trimap and estimates none.",
            remedy='Leave out cross_entropy and unknown = "estimated".',
        )
    return logits
