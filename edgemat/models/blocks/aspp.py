"""Atrous spatial pyramid pooling (DeepLabv3), full and depthwise separable."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.layers import conv_bn, separable_conv_bn


class ASPP(nn.Module):
    """Five views of the same feature, at different scales, concatenated and projected.

    Parameters
    ----------
    rates:
        Dilations of the three 3x3 branches.
    separable:
        Depthwise separable branches (IndexNet) or full convolutions (DeepLabV3+).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        branch_channels: int,
        rates: tuple[int, int, int],
        separable: bool,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()

        def atrous(rate: int) -> nn.Sequential:
            if separable:
                return separable_conv_bn(in_channels, branch_channels, dilation=rate)
            return conv_bn(in_channels, branch_channels, dilation=rate)

        self.point = conv_bn(in_channels, branch_channels, 1)
        self.atrous = nn.ModuleList(atrous(rate) for rate in rates)
        self.image = conv_bn(in_channels, branch_channels, 1)
        self.project = conv_bn(5 * branch_channels, out_channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.image(F.adaptive_avg_pool2d(x, 1))  # B,C,1,1
        # Bilinear from one pixel is a constant plane, and the form that mobile delegates take.
        pooled = F.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=False)
        views = [self.point(x), *(branch(x) for branch in self.atrous), pooled]
        return self.dropout(self.project(torch.cat(views, dim=1)))
