"""The losses on detail of RMat (thesis, section 5.5.1): l_lap, l_g and l_gp.

Conventions as in :mod:`edgemat.training.losses`. Outside of `region` the truth takes the place of
the prediction first, as at inference the trimap does: nothing is learned there, and no edge arises
at the border of the region.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LAPLACIAN_LEVELS = 5
GRADIENT_PENALTY = 0.01  # lambda of eq. 5.4
# Burt and Adelson's; its outer product is the pyramid's kernel.
_BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def laplacian_loss(pred: Tensor, truth: Tensor, region: Tensor | None = None) -> Tensor:
    """Return the Laplacian loss l_lap: the distance of two Laplacian pyramids.

    "The usual l_lap" of the thesis' references [32] and [43]: the sum over five levels s = 0..4 of
    2**s times the mean absolute difference.

    Parameters
    ----------
    pred, truth:
        B,1,H,W alpha mattes.
    region:
        B,1,H,W, true (or 1) where the loss is taken; the whole image by default.
    """
    difference, share = _inside(pred, truth, region)
    # A pyramid is linear: the difference of two is the pyramid of the difference.
    total = torch.zeros_like(share)
    for level in range(LAPLACIAN_LEVELS):
        if level == LAPLACIAN_LEVELS - 1 or min(difference.shape[-2:]) < 4:
            detail, smaller = difference, None  # what is left
        else:
            smaller = _blur(difference)[..., ::2, ::2]
            detail = difference - _enlarged(smaller, like=difference)
        total = total + 2**level * detail.abs().mean(dim=(1, 2, 3))
        if smaller is None:
            break
        difference = smaller
    return (total / share).mean()


def gradient_penalty_loss(
    pred: Tensor,
    truth: Tensor,
    region: Tensor | None = None,
    *,
    penalty: float = GRADIENT_PENALTY,
) -> Tensor:
    """Return l_gp (eq. 5.4): the gradients' L1 distance, and a penalty on the gradient itself.

    Equation 5.4 writes the penalty of the gradient of alpha, and alpha's hat on what it is compared
    with; the truth's gradient is a constant, so that it is read as the prediction's. The gradient
    is the difference to the next pixel. With a penalty of 0 this is Table 5.3's l_g.

    Parameters
    ----------
    pred, truth, region:
        As of :func:`laplacian_loss`.
    """
    difference, share = _inside(pred, truth, region)
    total = _variation(difference)
    if penalty:
        total = total + penalty * _variation(_raised(truth) + difference)
    return (total / share).mean()


def _inside(pred: Tensor, truth: Tensor, region: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the error, 0 outside of the region, and the region's share of each picture, B."""
    difference = _raised(pred) - _raised(truth)
    if region is None:
        return difference, torch.ones(len(pred), dtype=difference.dtype, device=pred.device)
    inside = region.to(difference.dtype)
    pixels = inside[0].numel()
    return difference * inside, inside.sum(dim=(1, 2, 3)).clamp_min(1) / pixels


def _variation(alpha: Tensor) -> Tensor:
    """Return the mean absolute differences to the right and lower neighbours, B."""
    across = F.pad(alpha[..., 1:] - alpha[..., :-1], (0, 1))
    down = F.pad(alpha[..., 1:, :] - alpha[..., :-1, :], (0, 0, 0, 1))
    return across.abs().mean(dim=(1, 2, 3)) + down.abs().mean(dim=(1, 2, 3))


def _blur(alpha: Tensor) -> Tensor:
    # Slices, not a convolution: autocast would run that in bfloat16.
    padded = F.pad(alpha, (2, 2, 2, 2), mode="replicate")
    height, width = alpha.shape[-2:]
    zero = alpha.new_zeros(())
    rows = sum((w * padded[..., k : k + height, :] for k, w in enumerate(_BINOMIAL)), zero)
    return sum((w * rows[..., k : k + width] for k, w in enumerate(_BINOMIAL)), zero)


def _enlarged(alpha: Tensor, *, like: Tensor) -> Tensor:
    """Return `alpha` at twice its size: zeros between its pixels, blurred (Burt and Adelson)."""
    spread = torch.zeros_like(like)
    spread[..., ::2, ::2] = alpha
    return 4 * _blur(spread)


def _raised(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
