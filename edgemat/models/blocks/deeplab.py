"""The decoder of DeepLabV3+ (Chen et al., ECCV 2018), up to its last feature."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.aspp import ASPP
from edgemat.models.blocks.conv import conv_bn


class DeepLabDecoder(nn.Module):
    """ASPP of the deepest feature, upsampled, concatenated with a low-level one, and refined.

    Parameters
    ----------
    channels:
        Width of the decoder: 256 in DeepLabV3+.
    reduced:
        What the low-level feature is reduced to: 48 there.
    kernel:
        Side of the two refining convolutions.
    separable:
        See :class:`edgemat.models.blocks.aspp.ASPP`.
    align_corners:
        Whether upsampling keeps the corner pixels where they are, or the edges of the map.
    """

    def __init__(
        self,
        low_channels: int,
        high_channels: int,
        *,
        channels: int,
        reduced: int,
        kernel: int = 3,
        separable: bool = False,
        dropout: float = 0.5,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.context = ASPP(
            high_channels,
            channels,
            branch_channels=channels,
            rates=(6, 12, 18),
            separable=separable,
            dropout=dropout,
        )
        self.reduce = conv_bn(low_channels, reduced, 1)
        self.refine = nn.Sequential(
            *conv_bn(channels + reduced, channels, kernel), *conv_bn(channels, channels, kernel)
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Return the refined feature, at the size of `low`."""
        context = F.interpolate(
            self.context(high),
            size=low.shape[-2:],
            mode="bilinear",
            align_corners=self.align_corners,
        )
        y: Tensor = self.refine(torch.cat([context, self.reduce(low)], dim=1))
        return y
