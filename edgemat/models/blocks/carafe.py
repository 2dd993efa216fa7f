"""CARAFE: content-aware reassembly of features (Wang et al., ICCV 2019), a blind upsampling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.pooling import Interleave, Positions


class Carafe(nn.Module):
    """Upsample by 2: every output pixel is a weighted mean of a window of the input.

    The weights are predicted from the input alone: 1x1 convolution to 64 channels, 3x3 convolution
    to a k x k kernel for each of the four positions, softmax over the kernel. No biases: so
    Table 4.2's +0.26 M.

    Parameters
    ----------
    kernel:
        k, side of the window: 5, as in the thesis but for Table 4.1, whose 1 makes it nearest
        neighbours.
    """

    def __init__(self, channels: int, *, kernel: int = 5, compressed: int = 64) -> None:
        super().__init__()
        self.kernel = kernel
        self.compress = nn.Conv2d(channels, compressed, 1, bias=False)
        self.encode = nn.Conv2d(compressed, 4 * kernel**2, 3, padding=1, bias=False)
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> Tensor:
        """Return B,C,2H,2W of `x`, B,C,H,W."""
        scores = self.encode(self.compress(x))  # B,4*k*k,H,W; position by position
        scores = self.interleave(cast(Positions, scores.chunk(4, dim=1)))  # B,k*k,2H,2W
        kernels = torch.softmax(scores, dim=1)
        # the windows of x, from where their neighbours are two pixels apart
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return reassemble(x, kernels, side=self.kernel, spacing=2)


def reassemble(
    x: Tensor, weights: Tensor, *, side: int, spacing: int = 1, stride: int = 1
) -> Tensor:
    """Return the weighted sum of each pixel's window; zeros outside the picture.

    Parameters
    ----------
    x:
        B,C,H,W.
    weights:
        B,side*side,H/stride,W/stride: the weights of the window in reading order, shared by all
        channels.
    side, spacing, stride:
        Of the windows; see :func:`shifts`.
    """
    total = torch.zeros_like(x[:, :, ::stride, ::stride])
    for place, shifted in enumerate(shifts(x, side=side, spacing=spacing, stride=stride)):
        total = total + shifted * weights[:, place : place + 1]
    return total


def shifts(x: Tensor, *, side: int, spacing: int = 1, stride: int = 1) -> Iterator[Tensor]:
    """Yield `x` shifted to every place of a window, in reading order; zeros from outside.

    Parameters
    ----------
    side:
        Of the window. An even one goes with stride 2: its middle are the pixels that stride steps
        over.
    spacing:
        Distance of neighbours in a window, in pixels.
    stride:
        Distance of windows; H and W are multiples of it.
    """
    h, w = x.shape[-2:]
    padded = F.pad(x, [(side - 1) // 2 * spacing] * 4)
    for row in range(0, side * spacing, spacing):
        rows = padded[:, :, row : row + h - stride + 1 : stride]
        for column in range(0, side * spacing, spacing):
            yield rows[:, :, :, column : column + w - stride + 1 : stride]
