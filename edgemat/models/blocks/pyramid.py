"""Pyramid pooling (PSPNet): means over a few large regions of a feature, as its context.

Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn

BINS = (1, 2, 3, 6)


class PyramidPooling(nn.Module):
    """The feature, and its means over 1x1, 2x2, 3x3 and 6x6 regions, concatenated at its size.

    Parameters
    ----------
    branch_channels:
        What the means of each grid are reduced to: 256 in the thesis.
    """

    def __init__(self, in_channels: int, branch_channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(RegionMeans(bins), *conv_bn(in_channels, branch_channels, 1))
            for bins in BINS
        )
        self.out_channels = in_channels + len(BINS) * branch_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return B,out_channels,H,W of `x`, B,C,H,W."""
        size = x.shape[-2:]
        means = [
            F.interpolate(branch(x), size=size, mode="bilinear", align_corners=False)
            for branch in self.branches
        ]
        return torch.cat([x, *means], dim=1)


class RegionMeans(nn.Module):
    """Means over `bins` x `bins` regions (adaptive average pooling).

    Region i reaches from floor(i * H / bins) to ceil((i + 1) * H / bins): neighbours share a row
    where H is not a multiple of `bins`.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.bins)

    def deploy(self) -> DeployRegionMeans:
        return DeployRegionMeans(self.bins)


class DeployRegionMeans(nn.Module):
    """:class:`RegionMeans` for one static size, exactly, whatever the size.

    No mobile runtime has adaptive pooling. The mean over a rectangle is the mean over its rows'
    means, so that each axis goes by itself: one average-pooling where its regions are equally long
    and equally apart (always for 1 and 2 bins), else the mean of a slice for each region.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor) -> Tensor:
        return self._along(self._along(x, axis=2), axis=3)

    def _along(self, x: Tensor, *, axis: int) -> Tensor:
        regions = region_bounds(int(x.shape[axis]), self.bins)  # in a trace, sizes are tensors
        lengths = {end - start for start, end in regions}
        steps = {after[0] - before[0] for before, after in itertools.pairwise(regions)}
        # with less than a row for each bin, regions repeat: steps of 0
        if len(lengths) == 1 and len(steps) <= 1 and 0 not in steps:
            length, step = lengths.pop(), steps.pop() if steps else 1
            if axis == 2:
                return F.avg_pool2d(x, (length, 1), (step, 1))
            return F.avg_pool2d(x, (1, length), (1, step))
        slices = [x.narrow(axis, start, end - start) for start, end in regions]
        return torch.cat([part.mean(axis, keepdim=True) for part in slices], dim=axis)


def region_bounds(length: int, bins: int) -> list[tuple[int, int]]:
    """Return first and one-past-last row of each of `bins` regions that cover `length` rows."""
    return [(i * length // bins, -(-(i + 1) * length // bins)) for i in range(bins)]
