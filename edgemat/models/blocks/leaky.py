"""Leaky rectifiers in operators that int8 runtimes compute in int8, behind a convolution too."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class RectifiedLeak(nn.Module):
    """``relu((1 - slope) x) + slope x``: a leaky rectifier with a slope in 0..1.

    Runtimes fuse no leaky rectifier into the convolution before it, whose result then has no grid
    of its own. Adopted networks have the same in their graphs
    (:mod:`edgemat.models.adopted.operators.activations`).
    """

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x * (1 - self.slope)) + x * self.slope


def rectified(module: nn.Module) -> RectifiedLeak | None:
    """Return what stands for a leaky rectifier of a slope in 0..1; None for any other module."""
    if isinstance(module, nn.LeakyReLU) and 0 <= module.negative_slope <= 1:
        return RectifiedLeak(module.negative_slope)
    return None
