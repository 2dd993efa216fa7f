"""ResNet-50 as the encoder of the stronger depth network (thesis, Table 3.10).

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import conv_bn, scale_channels
from edgemat.models.encoders.encoder import Encoder

STEM_CHANNELS = 64
# inner width and number of blocks of stages 1 to 4; a block gives four times its inner width
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPANSION = 4


class Bottleneck(nn.Module):
    """Reduce 1x1, filter 3x3, expand 1x1; added to the input, or to its 1x1 projection."""

    def __init__(self, in_channels: int, inner: int, *, stride: int = 1) -> None:
        super().__init__()
        out_channels = EXPANSION * inner
        self.layers = nn.Sequential(
            *conv_bn(in_channels, inner, 1, activation=False),
            nn.ReLU(),
            *conv_bn(inner, inner, stride=stride, activation=False),
            nn.ReLU(),
            *conv_bn(inner, out_channels, 1, activation=False),
        )
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels or stride > 1:
            self.shortcut = conv_bn(in_channels, out_channels, 1, stride=stride, activation=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.layers(x) + self.shortcut(x))
        return y


class ResNet50(Encoder):
    """The stem, at 1/2, and the four stages of the encoder; the owner pools between them.

    Parameters
    ----------
    in_channels:
        3 for RGB.
    width:
        Multiplier of all channel counts.
    strided:
        Whether stages 2 to 4 stride by themselves, as in ResNet itself, which pools after the stem
        alone. Else the owner pools before them, too.
    """

    def __init__(self, in_channels: int, *, width: float = 1.0, strided: bool = False) -> None:
        stem = scale_channels(STEM_CHANNELS, width)
        inner = [scale_channels(c, width) for c, _ in STAGES]
        channels = (stem, *(EXPANSION * c for c in inner))
        own_strides = (2, 1, 2, 2, 2) if strided else (2, 1, 1, 1, 1)
        first = conv_bn(in_channels, stem, 7, stride=2, activation=False)
        stages: list[nn.Module] = [nn.Sequential(*first, nn.ReLU())]
        for number, (_, blocks) in enumerate(STAGES, start=1):
            before, after = channels[number - 1], channels[number]
            stages.append(
                nn.Sequential(
                    Bottleneck(before, inner[number - 1], stride=own_strides[number]),
                    *(Bottleneck(after, inner[number - 1]) for _ in range(blocks - 1)),
                )
            )
        super().__init__(
            stages,
            channels=channels,
            own_strides=own_strides,
            pooled=(0,) if strided else (0, 1, 2, 3),
        )
