"""The training losses of IndexNet (thesis chapter 3) and of PSPM (chapter 6).

Conventions for every function here: tensors are B,C,H,W; alpha mattes and images lie in 0..1
(the image is RGB *before* ImageNet normalisation); a prediction need not be clamped; the mean is
taken per image over its region and then over the batch. An image whose region is empty counts
as 0, so that losses and gradients stay finite. Half precision is raised to float32, because
the epsilon of the Charbonnier distance vanishes in it.

Trimap classes are ordered 0 background, 1 unknown, 2 foreground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from edgemat.errors import UsageError

CHARBONNIER_EPS = 1e-12
NO_CLASS = -100
AFFINITY_SIDE = 20
"""Cells of the affinity grid: the encoder's 1/16 of the thesis' crops of 320 px."""
AFFINITY_MIN_SIGMA = 1 / 255
"""A contrast below one 8-bit step is no structure: it must not be stretched to full range."""


@dataclass(frozen=True)
class Loss:
    """A loss to minimise and the unweighted parts that it is the weighted sum of.

    Attributes
    ----------
    total:
        Scalar tensor, differentiable.
    parts:
        Name to scalar tensor, each still attached to the graph.
    """

    total: Tensor
    parts: dict[str, Tensor]

    def values(self) -> dict[str, float]:
        """Return ``total`` and all parts as plain numbers, for a log."""
        named = {"total": self.total, **self.parts}
        return {name: float(part.detach()) for name, part in named.items()}


def trimap_classes(trimap: Tensor, ignored: Tensor | None = None) -> Tensor:
    """Return the classes B,H,W (int64) of a trimap B,1,H,W with values near 0, 0.5 and 1.

    Parameters
    ----------
    ignored:
        B,1,H,W bool, whose pixels are of no class.
    """
    classes = (trimap[:, 0] * 2).round().clamp(0, 2).long()
    return classes if ignored is None else classes.masked_fill(ignored[:, 0], NO_CLASS)


def forgive_overshoot(pred: Tensor, truth: Tensor) -> Tensor:
    """Return `pred` with the truth where it lies beyond a truth of 0 or of 1.

    Files clamp their matte, so that overshoot does no harm there; punished, it teaches the network
    to stay below 1 inside of people, and above 0 outside. A value on the wrong side is left as it
    is: clamping it would take its gradient.

    Parameters
    ----------
    pred, truth:
        B,1,H,W alpha mattes; the prediction is not clamped.
    """
    _same_shape(pred, truth)
    beyond = ((truth >= 1) & (pred > 1)) | ((truth <= 0) & (pred < 0))
    return torch.where(beyond, truth, pred)


def trimap_cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the mean cross-entropy L_c of the segmentation branch (eq. 6.3).

    Parameters
    ----------
    logits:
        B,3,H,W, channels in the order background, unknown, foreground.
    classes:
        B,H,W int64, see :func:`trimap_classes`; the mean is over the pixels that have one.
    """
    expected = (logits.shape[0], *logits.shape[2:])
    _require(
        tuple(classes.shape) == expected,
        f"classes of shape {_shape(classes)} for logits of shape {_shape(logits)}",
    )
    entropies = F.cross_entropy(_full(logits), classes, ignore_index=NO_CLASS, reduction="sum")
    return entropies / (classes != NO_CLASS).sum().clamp_min(1)


def alpha_loss(pred: Tensor, truth: Tensor, region: Tensor | None = None) -> Tensor:
    """Return the alpha-prediction loss l_a (eq. 6.5) as a Charbonnier distance.

    Parameters
    ----------
    pred, truth:
        B,1,H,W alpha mattes.
    region:
        B,1,H,W, true (or 1) where the loss is taken; the whole image by default.
    """
    _same_shape(pred, truth)
    return _region_mean(_charbonnier(_full(pred) - _full(truth)), _weights(region, pred))


def composition_loss(
    pred: Tensor,
    *,
    image: Tensor,
    foreground: Tensor,
    background: Tensor,
    region: Tensor | None = None,
) -> Tensor:
    """Return the composition loss: how far the predicted matte's composite is from the image.

    The three colour channels are summed and divided by the number of *pixels*, as in IndexNet's
    training code, which makes it three times the mean over the channels.

    Parameters
    ----------
    pred:
        B,1,H,W alpha matte.
    image, foreground, background:
        B,3,H,W in 0..1.
    region:
        B,1,H,W, true (or 1) where the loss is taken; the whole image by default.
    """
    _same_shape(image, foreground)
    _same_shape(image, background)
    alpha = _full(pred)
    composite = alpha * _full(foreground) + (1 - alpha) * _full(background)
    distance = _charbonnier(composite - _full(image)).sum(dim=1, keepdim=True)
    return _region_mean(distance, _weights(region, pred))


def sobel(alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the horizontal and vertical Sobel derivatives of B,1,H,W, borders replicated.

    The kernel is normalised: a ramp of slope s per pixel gives s. The thesis weighs this loss like
    those of alpha, "keeping the value ranges identical"; the plain kernel's 8 s would outweigh
    them, and training would start by making the matte flat.
    """
    # Slices, not a convolution: autocast would run that in bfloat16.
    padded = F.pad(alpha, (1, 1, 1, 1), mode="replicate")
    across = padded[..., :, 2:] - padded[..., :, :-2]  # B,1,H+2,W
    down = padded[..., 2:, :] - padded[..., :-2, :]  # B,1,H,W+2
    gx = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    gy = down[..., :, :-2] + 2 * down[..., :, 1:-1] + down[..., :, 2:]
    return gx / 8, gy / 8


def gradient_loss(pred: Tensor, truth: Tensor, unknown: Tensor) -> Tensor:
    """Return the gradient loss l_g (eq. 6.6-6.8), weight 1 in the unknown region, 0.5 elsewhere.

    Section 6.4.2 writes g_a = g_u + 0.5 g_o. It is read as the sum of two *means*, each taken
    over its own region as eq. 6.8 says, so that a thin unknown region does not drown.

    Parameters
    ----------
    pred, truth:
        B,1,H,W alpha mattes.
    unknown:
        B,1,H,W, true (or 1) in the unknown region.
    """
    _same_shape(pred, truth)
    # Sobel is linear: the difference of the gradients is the gradient of the difference.
    gx, gy = sobel(_full(pred) - _full(truth))
    distance = gx.abs() + gy.abs()
    inside = _weights(unknown, pred)
    return _region_mean(distance, inside) + 0.5 * _region_mean(distance, 1 - inside)


def affinity_loss(
    pred: Tensor,
    image: Tensor,
    *,
    side: int = AFFINITY_SIDE,
    norm: Literal["mean", "frobenius"] = "mean",
) -> Tensor:
    """Return the affinity loss l_A (eq. 6.4, 6.9): similar colours should have similar alpha.

    The thesis leaves four things open; this is the reading taken here:

    - "downsampled": averaged over square cells so that no side exceeds `side` cells. The
      affinity matrix has at most side**4 entries per image (160,000 by default).
    - sigma, "the distance between the maximum and the minimum values of the matrix": of the
      matrix of distances ||I_i - I_j||, per image. Its minimum is 0 (the diagonal), so affinities
      lie in exp(-1)..1. Sigma is at least one 8-bit step, else noise on a flat matte would
      be stretched to full contrast and its gradient would explode.
    - the norm is the root of the *mean* square over the matrix entries, so that its range (and
      with it the weight 10) does not depend on the grid. "frobenius" is the norm as printed: the
      root of the sum, as many times larger as the grid has cells.
    - the image is a constant target; the gradient reaches `pred` alone.

    Parameters
    ----------
    pred:
        B,1,H,W alpha matte.
    image:
        B,3,H,W RGB in 0..1.
    side:
        Upper bound of the cells per side, at least 2.
    norm:
        Of the difference of two matrices.
    """
    _require(side >= 2, f"an affinity grid of side {side}")
    _require(pred.shape[2:] == image.shape[2:], f"{_shape(pred)} beside {_shape(image)}")
    cell = -(-max(pred.shape[2:]) // side)  # rounded up
    difference = _affinity(_full(pred), cell) - _affinity(_full(image.detach()), cell)
    squared = (difference**2).mean(dim=(1, 2))
    if norm == "frobenius":
        squared = squared * difference[0].numel()
    return torch.sqrt(squared + CHARBONNIER_EPS).mean()


def indexnet_loss(
    pred: Tensor,
    truth: Tensor,
    *,
    image: Tensor,
    foreground: Tensor,
    background: Tensor,
    unknown: Tensor,
) -> Loss:
    """Return IndexNet's loss over the unknown region: 0.5 alpha + 0.5 composition (chapter 3)."""
    parts = {
        "alpha": alpha_loss(pred, truth, unknown),
        "composition": composition_loss(
            pred, image=image, foreground=foreground, background=background, region=unknown
        ),
    }
    return Loss(0.5 * parts["alpha"] + 0.5 * parts["composition"], parts)


def pspm_loss(
    pred: Tensor,
    truth: Tensor,
    *,
    image: Tensor,
    unknown: Tensor,
    phase: Literal[1, 2],
    logits: Tensor | None = None,
    classes: Tensor | None = None,
    ce_weight: float = 0.1,
    gradient_weight: float = 10.0,
    affinity_weight: float = 10.0,
) -> Loss:
    """Return PSPM's loss (section 6.5.3).

    Phase 1 is l_aU alone; phase 2 is l_aU + 10 l_aI + 10 l_g + 10 l_A. Where the segmentation
    branch learns too, its `logits` and `classes` add `ce_weight` times the cross-entropy
    of eq. 6.3; the thesis gives that term for its baseline only, but without it nothing in
    phase 2 ties the branch to a trimap.

    Parameters
    ----------
    pred, truth:
        B,1,H,W alpha mattes.
    image:
        B,3,H,W RGB in 0..1 (phase 2 only looks at it).
    unknown:
        B,1,H,W, true (or 1) in the unknown region.
    phase:
        1 trains the matting decoder alone, 2 the whole network.
    logits, classes:
        B,3,H,W and B,H,W, both or neither; see :func:`trimap_cross_entropy`.
    gradient_weight, affinity_weight:
        The thesis' 10 is for a decoder that phase 1 has trained. Without weight, the affinity
        is not computed.

    Raises
    ------
    UsageError
        When the phase is unknown, shapes disagree, or only one of logits and classes is given.
    """
    if phase not in (1, 2):
        raise UsageError(f"PSPM has no training phase {phase}.", remedy="Give 1 or 2.")
    _require((logits is None) == (classes is None), "logits without classes, or the reverse")
    parts = {"alpha_unknown": alpha_loss(pred, truth, unknown)}
    total = parts["alpha_unknown"]
    if phase == 2:
        parts["alpha_whole"] = alpha_loss(pred, truth)
        parts["gradient"] = gradient_loss(pred, truth, unknown)
        total = total + 10 * parts["alpha_whole"]
        total = total + gradient_weight * parts["gradient"]
        if affinity_weight:  # its matrices cost as much as a small network's own step
            parts["affinity"] = affinity_loss(pred, image)
            total = total + affinity_weight * parts["affinity"]
    if logits is not None and classes is not None:
        parts["cross_entropy"] = trimap_cross_entropy(logits, classes)
        total = total + ce_weight * parts["cross_entropy"]
    return Loss(total, parts)


def _charbonnier(difference: Tensor) -> Tensor:
    return torch.sqrt(difference**2 + CHARBONNIER_EPS)


def _region_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of B,1,H,W `values` per image over its region, then over the batch."""
    count = weights.sum(dim=(1, 2, 3)).clamp_min(1)
    return ((values * weights).sum(dim=(1, 2, 3)) / count).mean()


def _weights(region: Tensor | None, like: Tensor) -> Tensor:
    """Return `region` as 0/1 weights in the precision of the losses."""
    if region is None:
        return torch.ones_like(_full(like))
    _same_shape(region, like)
    return region.to(_full(like).dtype)


def _affinity(values: Tensor, cell: int) -> Tensor:
    """Return the affinity matrices B,N,N of B,C,H,W averaged over cells (eq. 6.4)."""
    # ceil_mode and count_include_pad give a partial cell at the border its own true mean.
    grid = F.avg_pool2d(values, cell, ceil_mode=True, count_include_pad=False).flatten(2)
    squared = torch.zeros_like(grid[:, 0, :, None] - grid[:, 0, None, :])  # B,N,N
    for channel in grid.unbind(dim=1):  # one channel at a time keeps one matrix in memory
        squared = squared + (channel[:, :, None] - channel[:, None, :]) ** 2
    sigma_squared = squared.amax(dim=(1, 2), keepdim=True).clamp_min(AFFINITY_MIN_SIGMA**2)
    return torch.exp(-squared / sigma_squared)


def _full(tensor: Tensor) -> Tensor:
    """Return float64 as it is and everything else as float32."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _shape(tensor: Tensor) -> str:
    return "x".join(str(n) for n in tensor.shape)


def _same_shape(a: Tensor, b: Tensor) -> None:
    _require(a.shape == b.shape, f"{_shape(a)} beside {_shape(b)}")


def _require(condition: bool, found: str) -> None:
    if not condition:
        raise UsageError(
            f"The losses cannot take {found}.", remedy="See edgemat.training.losses for the shapes."
        )
