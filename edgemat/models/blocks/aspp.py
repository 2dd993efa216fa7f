"""Atrous spatial pyramid pooling (DeepLabv3), full and depthwise separable."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import Activation, conv_bn, separable_conv_bn


class ASPP(nn.Module):
    """Five views of the same feature, at different scales, concatenated and projected.

    Parameters
    ----------
    rates:
        Dilations of the three 3x3 branches.
    separable:
        Depthwise separable branches (IndexNet) or full convolutions (DeepLabV3+).
    activation:
        See :func:`edgemat.models.blocks.conv.conv_bn`.
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
        activation: Activation = True,
    ) -> None:
        super().__init__()

        def atrous(rate: int) -> nn.Sequential:
            conv = separable_conv_bn if separable else conv_bn
            return conv(in_channels, branch_channels, dilation=rate, activation=activation)

        def point(inputs: int, outputs: int) -> nn.Sequential:
            return conv_bn(inputs, outputs, 1, activation=activation)

        self.point = point(in_channels, branch_channels)
        self.atrous = nn.ModuleList(atrous(rate) for rate in rates)
        self.image = point(in_channels, branch_channels)
        self.project = point(5 * branch_channels, out_channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.image(F.adaptive_avg_pool2d(x, 1))  # B,C,1,1
        # Bilinear from one pixel is a constant plane, and the form that mobile delegates take.
        pooled = F.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=False)
        views = [self.point(x), *(branch(x) for branch in self.atrous), pooled]
        y: Tensor = self.dropout(self.project(torch.cat(views, dim=1)))
        return y
