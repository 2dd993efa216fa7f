"""IndexNet matting on MobileNetV2 (thesis, section 3.6.1; figure 3.8).

    RGB + trimap -> MobileNetV2, an index block before every pool -> ASPP
                 -> decoder: indexed upsampling, concatenated skip, 5x5 convolution -> alpha

Lu et al., "Indices Matter: Learning to Index for Deep Image Matting", ICCV 2019.
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
from edgemat.models.pooling import SumPool


def prediction_head(channels: int) -> nn.Sequential:
    """Two 5x5 convolutions to one channel; no sigmoid, the matte is clamped at inference."""
    return nn.Sequential(*conv_bn(channels, 1, 5), nn.Conv2d(1, 1, 5, padding=2, bias=False))


def initialise_head(head: nn.Sequential) -> None:
    """Let the matte start around 0.5: random 1-to-1 kernels can leave it at 0 for good."""
    _, norm, _, last = head
    assert isinstance(norm, nn.BatchNorm2d) and isinstance(last, nn.Conv2d)
    nn.init.constant_(norm.weight, 0.5)
    nn.init.constant_(norm.bias, 0.5)
    nn.init.dirac_(last.weight)


class IndexNet(MattingNetwork):
    """Trimap-based matting with learned indices: 8,153,771 parameters at full width.

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

    def __init__(self, *, in_channels: int = 4, width: float = 1.0, hidden_mult: int = 2) -> None:
        super().__init__()
        self.encoder = MobileNetV2(in_channels, width=width, pad_first=True)
        channels = self.encoder.channels
        # keyed by the stage that the index block follows
        self.index = nn.ModuleDict(
            {
                str(stage): IndexBlock(channels[stage], hidden_mult=hidden_mult)
                for stage in self.encoder.pooled
            }
        )
        self.pool = nn.ModuleDict(
            {str(stage): SumPool(channels[stage]) for stage in self.encoder.pooled}
        )
        self.context = ASPP(
            channels[7],
            channels[6],
            branch_channels=scale_channels(256, width),
            rates=(2, 4, 8),
            separable=True,
        )
        self.upsample = IndexedUpsample()
        # decoder stage k undoes encoder stage k and ends in the width of stage k - 1
        self.decoder = nn.ModuleList(
            conv_bn(2 * channels[stage], channels[max(stage - 1, 0)], 5) for stage in range(7)
        )
        self.predict = prediction_head(channels[0])
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1, with H and W multiples of 32."""
        skips, indices = [], {}
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            key = str(number)
            if key in self.index:
                encoder_index, indices[number] = self.index[key](x)
                x = x * encoder_index
                skips.append(x)
                x = self.pool[key](x)
            else:
                skips.append(x)

        x = self.context(x)
        for number in reversed(range(7)):
            if number in indices:
                x = self.upsample(x, indices[number])
            x = self.decoder[number](torch.cat([x, skips[number]], dim=1))
        return MattingOutput(self.predict(x))
