"""One encoder for two tasks, the trimap and the matte: the base of every PSPM (section 6.3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn
from edgemat.models.blocks.pooling import MaxPool, MaxUnpool, Positions
from edgemat.models.blocks.segmentation import TrimapAttention
from edgemat.models.encoders.mobilenetv2 import TO_4, TO_8, TO_16, MobileNetV2
from edgemat.models.network import MattingNetwork


class Encoded(NamedTuple):
    """The features of the shared encoder.

    Attributes
    ----------
    features:
        Of every stage, before the pooling that follows some.
    switches:
        Of every pooling, by the stage before it.
    low:
        The low-level feature at 1/4, for the segmentation decoder.
    high:
        The last feature, at 1/16.
    """

    features: list[Tensor]
    switches: dict[int, Tensor | Positions]
    low: Tensor
    high: Tensor


class SharedEncoder(MattingNetwork):
    """Base of all networks that estimate trimap and matte from the features of one encoder.

    Parameters
    ----------
    encoder:
        MobileNetV2 of output stride 16; max-pooled, so that its indices serve the matting decoder.
    segment:
        Trimap scores at 1/4 from the features at 1/4 and 1/16.
    modulated:
        Whether the features of every stage are weighed (B5+FM).
    """

    encoder: MobileNetV2
    segmentation = ("encoder", "segment")
    stride = 16

    def __init__(
        self, encoder: MobileNetV2, segment: nn.Module, *, modulated: bool = False
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pool, self.unpool = MaxPool(), MaxUnpool()
        self.segment = segment
        self.modulation = (
            nn.ModuleList(FeatureModulation(c) for c in encoder.channels) if modulated else None
        )

    def encode(self, x: Tensor) -> Encoded:
        """Run the encoder on `x`, B,3,H,W, pooling and keeping what the decoders need."""
        features, pooled, switches = [], {}, {}
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            if self.modulation is not None:
                x = self.modulation[number](x)
            features.append(x)
            if number in self.encoder.pooled:
                x, switches[number] = self.pool(x)
                pooled[number] = x
        return Encoded(features, switches, pooled[TO_4], x)


class AttentionGuided(SharedEncoder):
    """Base of B5 and what is made from it: the shared part of figure 6.5, up to 1/2."""

    def __init__(
        self, encoder: MobileNetV2, segment: nn.Module, *, modulated: bool = False
    ) -> None:
        super().__init__(encoder, segment, modulated=modulated)
        _, _, c24, c32, c64, *_, c320 = encoder.channels
        self.attention = TrimapAttention()
        self.fuse16 = conv_bn(c320, c64, 1)
        self.fuse8 = conv_bn(c64, c32, 1)
        self.decode4 = conv_bn(c32, c24, 5)

    def decode_to_half(self, encoded: Encoded, logits: Tensor) -> Tensor:
        """Return the matting decoder's feature at 1/2, guided by the trimap's scores at 1/4."""
        features, switches = encoded.features, encoded.switches
        trimap = self.attention(logits)  # B,1,H/4,W/4 in 0..1
        x = self.unpool(self.fuse16(encoded.high), switches[TO_16]) + features[TO_16]  # 1/8
        x = self.unpool(self.fuse8(x), switches[TO_8]) + features[TO_8]  # 1/4
        x = x + x * trimap
        y: Tensor = self.unpool(self.decode4(x), switches[TO_4])  # 1/2
        return y


class FeatureModulation(nn.Module):
    """FM: weigh every channel by its relevance, m[c] F(x, y, c) with m in 0..1 (section 6.5.7).

    Squeeze and excitation with two scores for each channel; m is the first of their softmax, which
    for two is the sigmoid of their difference. The thesis leaves the reduction open: 8, which gives
    the parameters of Table 6.4.
    """

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.Conv2d(channels, hidden, 1)
        self.excite = nn.Conv2d(hidden, 2 * channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(x, 1)  # B,C,1,1
        first, second = self.excite(F.relu(self.squeeze(pooled))).chunk(2, dim=1)
        return x * torch.sigmoid(first - second)
