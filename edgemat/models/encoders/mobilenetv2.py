"""MobileNetV2 as the encoder of a matting network (thesis, section 3.6.1.1).

Every stride-2 convolution becomes stride 1, and the network that owns the encoder pools after the
stage instead: that is where indices are taken. Stages can be left to stride by themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from torch import Tensor, nn

from edgemat.models.blocks.conv import conv_bn, scale_channels
from edgemat.models.encoders.encoder import Encoder


class InvertedResidualStage(NamedTuple):
    """Expansion factor t, output channels c and number of blocks n of one stage."""

    expansion: int
    channels: int
    blocks: int


# Stage 0 is the stem; the table is Table 2 of Sandler et al., "MobileNetV2", CVPR 2018.
# Owners call a stage's channels by their number here, whatever the width: c24, c320.
STEM_CHANNELS = 32
STAGES = (
    InvertedResidualStage(1, 16, 1),
    InvertedResidualStage(6, 24, 2),
    InvertedResidualStage(6, 32, 3),
    InvertedResidualStage(6, 64, 4),
    InvertedResidualStage(6, 96, 3),
    InvertedResidualStage(6, 160, 3),
    InvertedResidualStage(6, 320, 1),
)
# The stages that halve, by what their halved output is a part of: after TO_8, 1/8 of the size.
TO_2, TO_4, TO_8, TO_16, TO_32 = (0, 2, 3, 4, 6)
# Pooling after these stages gives the output stride; a pool left out becomes a dilation.
POOLED_STAGES = {32: (TO_2, TO_4, TO_8, TO_16, TO_32), 16: (TO_2, TO_4, TO_8, TO_16)}


class InvertedResidual(nn.Module):
    """Expand 1x1, filter depthwise 3x3, project 1x1; with a shortcut where the widths agree.

    With ``pad_first`` the zeros that the 3x3 needs are put around the block's *input*, so that
    they pass through the expansion's bias and ReLU6. IndexNet does so, and its published operation
    count (6.2988 G) cannot be had otherwise.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        stride: int = 1,
        dilation: int = 1,
        pad_first: bool = False,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        pad_expansion = dilation if pad_first and expansion > 1 else 0
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += conv_bn(in_channels, hidden, 1, padding=pad_expansion)
        layers += conv_bn(
            hidden,
            hidden,
            stride=stride,
            padding=dilation - pad_expansion,
            dilation=dilation,
            groups=hidden,
        )
        layers += conv_bn(hidden, out_channels, 1, activation=False)
        self.layers = nn.Sequential(*layers)
        self.residual = in_channels == out_channels and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x) if self.residual else self.layers(x)
        return y


class MobileNetV2(Encoder):
    """The eight stages of the encoder; the owner pools between them.

    Parameters
    ----------
    in_channels:
        3 for RGB, 4 for RGB and trimap.
    width:
        Multiplier of all channel counts.
    channel_multiple:
        What they are rounded to; see :func:`edgemat.models.blocks.conv.scale_channels`.
    output_stride:
        32 or 16; at 16 the last two stages dilate instead of being pooled before.
    pad_first:
        See :class:`InvertedResidual`.
    strided:
        Stages that stride by themselves, as in MobileNetV2 itself; no pool follows them.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: float = 1.0,
        channel_multiple: int = 8,
        output_stride: int = 32,
        pad_first: bool = False,
        strided: Collection[int] = (),
    ) -> None:
        channels = [
            scale_channels(c, width, multiple=channel_multiple)
            for c in (STEM_CHANNELS, *(s.channels for s in STAGES))
        ]
        own_strides = [2 if number in strided else 1 for number in range(len(channels))]
        stages: list[nn.Module] = [conv_bn(in_channels, channels[0], stride=own_strides[0])]
        for number, stage in enumerate(STAGES, start=1):
            blocks = []
            for block in range(stage.blocks):
                blocks.append(
                    InvertedResidual(
                        channels[number - 1] if block == 0 else channels[number],
                        channels[number],
                        expansion=stage.expansion,
                        stride=own_strides[number] if block == 0 else 1,
                        dilation=_dilation(output_stride, number, block),
                        pad_first=pad_first,
                    )
                )
            stages.append(nn.Sequential(*blocks))
        super().__init__(
            stages,
            channels=channels,
            own_strides=own_strides,
            pooled=[s for s in POOLED_STAGES[output_stride] if s not in strided],
        )


def _dilation(output_stride: int, stage: int, block: int) -> int:
    """Stages 6 and 7 dilate where the pool before them is left out, from its successor on."""
    return 2 if output_stride == 16 and (stage, block) > (6, 0) else 1
