"""PSPM B5: prior-free portrait matting with attention-guided parameter sharing (thesis, ch. 6).

    RGB -> shared MobileNetV2 (1/16) -> ASPP -> segmentation decoder -> trimap M at 1/4   (fig. 6.5)
                    |  1/16, 1/8, 1/4 fused layer by layer                 | attention
                    +------------------------------------------> matting decoder -> alpha

Dai et al., "A Light-weight Prior-free Portrait Matting Network", CGF 40(1), 2021. The thesis fixes
the totals (5.90 M parameters, 6.53 G); the widths of the fusion path are our reading of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.aspp import ASPP
from edgemat.models.blocks.layers import (
    MattingNetwork,
    MattingOutput,
    conv_bn,
    initialise,
    scale_channels,
)
from edgemat.models.blocks.pooling import MaxPool, MaxUnpool
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.indexnet import initialise_head, prediction_head
from edgemat.models.info import ModelInfo

TRIMAP_CLASSES = ("background", "unknown", "foreground")


class SegmentationDecoder(nn.Module):
    """DeepLabV3+: ASPP at 1/16, a low-level feature at 1/4, three classes of a trimap at 1/4.

    Parameters
    ----------
    channels:
        Width of the decoder: 256 in DeepLabV3+.
    reduced:
        What the low-level feature is reduced to: 48 there.
    """

    def __init__(
        self,
        low_channels: int,
        high_channels: int,
        *,
        channels: int,
        reduced: int,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.context = ASPP(
            high_channels,
            channels,
            branch_channels=channels,
            rates=(6, 12, 18),
            separable=False,
            dropout=dropout,
        )
        self.reduce = conv_bn(low_channels, reduced, 1)
        self.refine = nn.Sequential(
            *conv_bn(channels + reduced, channels), *conv_bn(channels, channels)
        )
        self.classify = nn.Conv2d(channels, len(TRIMAP_CLASSES), 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        context = F.interpolate(
            self.context(high), size=low.shape[-2:], mode="bilinear", align_corners=False
        )
        return self.classify(self.refine(torch.cat([context, self.reduce(low)], dim=1)))


class TrimapAttention(nn.Module):
    """M = F_p + U_p / 2 (eq. 6.1): the softmax over the classes as one map in 0..1.

    The expectation is a 1x1 convolution with fixed weights, so that it stays in the delegate.
    """

    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1))

    def forward(self, logits: Tensor) -> Tensor:
        return F.conv2d(torch.softmax(logits, dim=1), self.weights)


class PSPM(MattingNetwork):
    """Portrait matting without a trimap: 5.90 M parameters at full width.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    """

    encoder: MobileNetV2
    stride = 16

    def __init__(self, *, in_channels: int = 3, width: float = 1.0) -> None:
        super().__init__()
        self.encoder = MobileNetV2(in_channels, width=width, output_stride=16)
        c = self.encoder.channels
        self.pool, self.unpool = MaxPool(), MaxUnpool()
        self.segment = SegmentationDecoder(
            c[2],
            c[7],
            channels=scale_channels(256, width),
            reduced=scale_channels(48, width),
        )
        self.attention = TrimapAttention()
        self.fuse16 = conv_bn(c[7], c[4], 1)
        self.fuse8 = conv_bn(c[4], c[3], 1)
        self.decode4 = conv_bn(c[3], c[2], 5)
        self.decode2 = nn.Sequential(*conv_bn(c[2], c[1], 5), *conv_bn(c[1], c[0], 5))
        self.decode1 = conv_bn(c[0], c[0], 5)
        self.predict = prediction_head(c[0])
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 16."""
        features, pooled, switches = [], {}, {}
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            features.append(x)
            if number in self.encoder.pooled:
                x, switches[number] = self.pool(x)
                pooled[number] = x

        logits = self.segment(pooled[2], x)  # B,3,H/4,W/4
        trimap = self.attention(logits)  # B,1,H/4,W/4 in 0..1

        x = self.unpool(self.fuse16(x), switches[4]) + features[4]  # 1/8
        x = self.unpool(self.fuse8(x), switches[3]) + features[3]  # 1/4
        x = x + x * trimap
        x = self.unpool(self.decode4(x), switches[2])  # 1/2
        x = self.unpool(self.decode2(x), switches[0])  # 1/1
        return MattingOutput(self.predict(self.decode1(x)), logits)


MODELS = (ModelInfo("pspm-b5", PSPM, "portrait", 6, "6.4", 5.90, 6.53),)
