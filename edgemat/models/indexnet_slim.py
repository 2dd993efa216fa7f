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

from edgemat.models.blocks.aspp import ASPP
from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels
from edgemat.models.blocks.pooling import Subpixels, initialise_subpixels
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.encoders.mobilenetv2 import TO_2, TO_4, TO_8, TO_16, TO_32, MobileNetV2
from edgemat.models.info import ModelInfo
from edgemat.models.network import MattingNetwork, MattingOutput


class IndexNetSlim(MattingNetwork):
    """Trimap-based matting with learned indices.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    hidden_mult:
        See :class:`edgemat.models.blocks.index.IndexBlock`.
    """

    encoder: MobileNetV2
    stride = 32

    def __init__(self, *, in_channels: int = 4, width: float = 1.0, hidden_mult: int = 1) -> None:
        super().__init__()
        self.encoder = MobileNetV2(in_channels, width=width, strided=(TO_2,))
        channels = self.encoder.channels
        detail = scale_channels(16, width**0.5)
        self.sampling = create_sampling(
            "m2o-nlc",
            {stage: channels[stage] for stage in self.encoder.pooled},
            hidden_mult=hidden_mult,
        )
        # keyed by the stage that is sampled; each decoder stage ends in the width that the next one
        # upsamples
        self.decoder = nn.ModuleDict()
        stem, _, c24, c32, c64, _, c160, c320 = channels
        below = {TO_32: c64, TO_16: c32, TO_8: c24, TO_4: detail}
        for stage in self.encoder.pooled:
            self.decoder[str(stage)] = conv_bn(2 * channels[stage], below[stage])
        self.context = ASPP(
            c320,
            c160,
            branch_channels=scale_channels(96, width),
            rates=(2, 4, 8),
            separable=True,
            dropout=0.1,
        )
        self.lateral = conv_bn(stem, detail, 1)
        self.refine = nn.Sequential(*conv_bn(detail, detail), *conv_bn(detail, detail))
        self.predict = nn.Conv2d(detail, 4, 3, padding=1)
        self.subpixels = Subpixels()
        initialise(self)
        initialise_subpixels(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,4,H,W in 0..1, with H and W multiples of 32."""
        skips, guides = {}, {}
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            if number == TO_2:
                stem = x
            if number in self.encoder.pooled:
                skips[number], x, guides[number] = self.sampling.down(number, x)

        x = self.context(x)
        for number in reversed(self.encoder.pooled):
            x = self.sampling.up(number, x, guides[number])
            x = self.decoder[str(number)](torch.cat([x, skips[number]], dim=1))
        x = self.refine(x + self.lateral(stem))  # 1/2
        return MattingOutput(self.subpixels(self.predict(x)))


MODELS = (ModelInfo(name="indexnet-slim", network=IndexNetSlim, task="trimap"),)
