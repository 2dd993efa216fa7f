"""Downsampling by 2 and its inverse: max-pooling with switches, sum-pooling, interleaving.

A *switch* tells which of the four positions of a 2x2 window won. The training form keeps it as
torch's index tensor; the deploy form as four masks, because no mobile runtime has max-unpooling.
Positions are always in the order top-left, top-right, bottom-left, bottom-right.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.narrowing import bias_of

Positions = tuple[Tensor, Tensor, Tensor, Tensor]
ChannelOrder = Literal["nchw", "nhwc"]

# A difference times this, cut at 1, says "not equal". Float32 values of a network that differ at
# all differ by far more than 2**-100; see also `edgemat.quantize.ptq.INT8_SHARPNESS`.
SHARPNESS = 2.0**100


class MaxPool(nn.Module):
    """2x2 max-pooling that also returns the switch."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return F.max_pool2d(x, 2, return_indices=True)

    def deploy(self) -> DeployMaxPool:
        return DeployMaxPool()


class MaxUnpool(nn.Module):
    """Put each value back where its maximum was (SegNet's unpooling); zeros elsewhere."""

    def forward(self, x: Tensor, switch: Tensor) -> Tensor:
        return F.max_unpool2d(x, switch, [2, 2])

    def deploy(self) -> DeployMaxUnpool:
        return DeployMaxUnpool()


class LevelPool(nn.Module):
    """Base of what halves the feature of one level by 2x2 windows, beside an index network.

    Attributes
    ----------
    channels:
        Of the feature: no weight tells it. :func:`edgemat.models.pruned.settle_channels` corrects
        it where pruning has left fewer.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    @abstractmethod
    def deploy(self) -> nn.Module:
        """Return the form for phones."""


class SumPool(LevelPool):
    """Sum over 2x2 windows: indexed pooling once the index map has been multiplied in (eq. 3.1)."""

    def forward(self, x: Tensor) -> Tensor:
        return 4 * F.avg_pool2d(x, 2)

    def deploy(self) -> Ones:
        return Ones(self.channels)


class PlainMaxPool(LevelPool):
    """2x2 max-pooling alone: where the maxima were is left to the index map."""

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2)

    def deploy(self) -> nn.MaxPool2d:
        return nn.MaxPool2d(2)


class Ones(nn.Conv2d):
    """:class:`SumPool` as a depthwise convolution: one operator in every delegate, int8 included.

    Its weights are ones and stay so.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 2, 2, groups=channels, bias=False)
        nn.init.ones_(self.weight)


class Rearrangement(nn.Module):
    """Base of what moves values about, written for the layout of the runtime.

    For "nhwc" the permutations cancel against the converter's own.
    """

    def __init__(self, layout: ChannelOrder = "nchw") -> None:
        super().__init__()
        self.layout = layout


class Interleave(Rearrangement):
    """Write s x s maps of B,C,H,W, in reading order, between each other: B,C,sH,sW.

    Equal to a pixel shuffle, but torch's order of channels turns into rank-6 transposes in TFLite.
    Here it is concatenation and reshaping alone.
    """

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        b, c, h, w = maps[0].shape
        side = math.isqrt(len(maps))
        if self.layout == "nhwc":
            last = [m.permute(0, 2, 3, 1) for m in maps]
            rows = [
                torch.cat(last[start : start + side], dim=3).reshape(b, h, side * w, c)
                for start in range(0, side * side, side)
            ]
            whole = torch.cat(rows, dim=2).reshape(b, side * h, side * w, c)
            return whole.permute(0, 3, 1, 2)
        flat = [m.reshape(b, c * h, w, 1) for m in maps]
        rows = [
            torch.cat(flat[start : start + side], dim=3).reshape(b, c * h, 1, side * w)
            for start in range(0, side * side, side)
        ]
        return torch.cat(rows, dim=2).reshape(b, c, side * h, side * w)


class Deinterleave(Rearrangement):
    """The inverse of :class:`Interleave`: B,C,2H,2W to the four maps of its 2x2 windows.

    For "nhwc" by reshaping and slices of neighbours: slices that skip values, x[..., 0::2], are
    taken by no mobile delegate, and each would cut the graph.
    """

    def forward(self, x: Tensor) -> Positions:
        b, c, h, w = (int(length) for length in x.shape)
        if self.layout == "nchw":
            even, odd = x[:, :, 0::2], x[:, :, 1::2]
            return even[..., 0::2], even[..., 1::2], odd[..., 0::2], odd[..., 1::2]
        windows = x.permute(0, 2, 3, 1).reshape(b * h // 2, 2, w // 2, 2 * c)
        tl, tr, bl, br = (
            windows[:, row : row + 1, :, column * c : (column + 1) * c]
            .reshape(b, h // 2, w // 2, c)
            .permute(0, 3, 1, 2)
            for row in (0, 1)
            for column in (0, 1)
        )
        return tl, tr, bl, br


class Subpixels(nn.Module):
    """B,4,H,W to B,1,2H,2W: each channel is one position of the 2x2 windows (pixel shuffle)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, 2)

    def deploy(self) -> DeploySubpixels:
        return DeploySubpixels()


def initialise_subpixels(predict: nn.Conv2d) -> None:
    """Let the matte start near 0.5, with small differences between the pixels."""
    nn.init.normal_(predict.weight, 0.0, 0.01)
    nn.init.constant_(bias_of(predict), 0.5)


class DeploySubpixels(nn.Module):
    """The pixel shuffle made of slices and :class:`Interleave`."""

    def __init__(self) -> None:
        super().__init__()
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.interleave((x[:, 0:1], x[:, 1:2], x[:, 2:3], x[:, 3:4]))
        return y


class DeployMaxPool(nn.Module):
    """Max-pooling whose switch is four 0/1 masks, made of subtraction, product and minimum.

    The first maximum in reading order wins a tie, as in torch. Comparisons would say the same, but
    mobile delegates do not take them, and every one would cut the graph in two.
    """

    def __init__(self) -> None:
        super().__init__()
        self.windows = Deinterleave()
        self.below = Below()

    def forward(self, x: Tensor) -> tuple[Tensor, Positions]:
        pooled = F.max_pool2d(x, 2)
        tl, tr, bl, _ = self.windows(x)
        lost_tl, lost_tr, lost_bl = (self.below(value, pooled) for value in (tl, tr, bl))
        after_tr = lost_tl * lost_tr
        after_bl = after_tr * lost_bl
        return pooled, (1.0 - lost_tl, lost_tl - after_tr, after_tr - after_bl, after_bl)


class Below(nn.Module):
    """1 where a value is below the maximum, 0 where it equals it.

    Attributes
    ----------
    sharpness:
        See :data:`SHARPNESS`; smaller where the arithmetic is int8.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = SHARPNESS

    def forward(self, value: Tensor, maximum: Tensor) -> Tensor:
        return torch.clamp((maximum - value) * self.sharpness, max=1.0)  # the rest is never below 0


class DeployMaxUnpool(nn.Module):
    """Max-unpooling with the masks of :class:`DeployMaxPool`."""

    def __init__(self) -> None:
        super().__init__()
        self.interleave = Interleave()

    def forward(self, x: Tensor, switch: Positions) -> Tensor:
        tl, tr, bl, br = switch
        y: Tensor = self.interleave((x * tl, x * tr, x * bl, x * br))
        return y
