"""IndexNet made slim for phones: its index blocks and context, nothing at full resolution.

    RGB + trimap -> MobileNetV2, stem at 1/2, an index block before every pool -> ASPP
                 -> decoder: indexed upsampling, concatenated skip, 3x3 convolution
                 -> stem added at 1/2 -> four subpixels -> alpha

Most of IndexNet's work is in 5x5 convolutions at full and half resolution. Here the first
convolution strides, as in MobileNetV2 itself, the decoder has a stage for every pool alone, and the
last convolution predicts the four pixels of every 2x2 window.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgemat.models.aspp import ASPP
from edgemat.models.index import IndexBlock, IndexedUpsample
from edgemat.models.layers import (
    MattingNetwork,
    MattingOutput,
    conv_bn,
    initialise,
    scale_channels,
)
from edgemat.models.mobilenetv2 import MobileNetV2
from edgemat.models.pooling import Subpixels, SumPool
from edgemat.models.pspm_slim import initialise_subpixels


class IndexNetSlim(MattingNetwork):
    """Trimap-based matting with learned indices.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    hidden_mult:
        See :class:`edgemat.models.index.IndexBlock`.
    """

    encoder: MobileNetV2
    stride = 32

    def __init__(self, *, in_channels: int = 4, width: float = 1.0, hidden_mult: int = 1) -> None:
        super().__init__()
        self.encoder = MobileNetV2(in_channels, width=width, stem_stride=2)
        channels = self.encoder.channels
        detail = scale_channels(16, width**0.5)
        self.index = nn.ModuleDict()
        self.pool = nn.ModuleDict()
        self.decoder = nn.ModuleDict()
        # keyed by the stage that the index block follows; each decoder stage ends in the width
        # that the next one upsamples
        below = {6: channels[4], 4: channels[3], 3: channels[2], 2: detail}
        for stage in self.encoder.pooled:
            width_here = channels[stage]
            self.index[str(stage)] = IndexBlock(width_here, hidden_mult=hidden_mult)
            self.pool[str(stage)] = SumPool(width_here)
            self.decoder[str(stage)] = conv_bn(2 * width_here, below[stage])
        self.context = ASPP(
            channels[7],
            channels[6],
            branch_channels=scale_channels(96, width),
            rates=(2, 4, 8),
            separable=True,
            dropout=0.1,
        )
        self.upsample = IndexedUpsample()
        self.lateral = conv_bn(channels[0], detail, 1)
        self.refine = nn.Sequential(*conv_bn(detail, detail), *conv_bn(detail, detail))
        self.predict = nn.Conv2d(detail, 4, 3, padding=1)
        self.subpixels = Subpixels()
        initialise(self)
        initialise_subpixels(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,4,H,W in 0..1, with H and W multiples of 32."""
        skips, indices = {}, {}
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            key = str(number)
            if number == 0:
                stem = x
            if key in self.index:
                encoder_index, indices[key] = self.index[key](x)
                skips[key] = x * encoder_index
                x = self.pool[key](skips[key])

        x = self.context(x)
        for key in ("6", "4", "3", "2"):
            x = self.upsample(x, indices[key])
            x = self.decoder[key](torch.cat([x, skips[key]], dim=1))
        x = self.refine(x + self.lateral(stem))  # 1/2
        return MattingOutput(self.subpixels(self.predict(x)))
