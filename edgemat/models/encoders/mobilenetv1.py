"""MobileNet as the encoder of FastDepth, cut where it halves (thesis, section 3.6.4.1).

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", 2017: depthwise separable convolutions, one after the other.
"""

from __future__ import annotations

from torch import nn

from edgemat.models.blocks.conv import conv_bn, scale_channels, separable_conv_bn
from edgemat.models.encoders.encoder import Encoder

STEM_CHANNELS = 32
# Widths of the separable convolutions of stages 1 to 5. A stage ends in the one that halves; what
# is left over at 1/32 is the last stage.
STAGES = ((64, 128), (128, 256), (256, 512), (512,) * 5 + (1024,), (1024,))


class MobileNetV1(Encoder):
    """The six stages of the encoder; each but the last halves, or its owner pools after it.

    Parameters
    ----------
    in_channels:
        3 for RGB.
    width:
        Multiplier of all channel counts.
    strided:
        Whether the stages stride by themselves, as in MobileNet itself. Else the same convolutions
        have stride 1, and the owner pools after stages 0 to 4.
    """

    def __init__(self, in_channels: int, *, width: float = 1.0, strided: bool = False) -> None:
        stem = scale_channels(STEM_CHANNELS, width)
        widths = [[scale_channels(c, width) for c in stage] for stage in STAGES]
        channels = (stem, *(stage[-1] for stage in widths))
        halving = range(len(STAGES))  # all but the last one
        stride = 2 if strided else 1
        stages: list[nn.Module] = [conv_bn(in_channels, stem, stride=stride)]
        for number, stage in enumerate(widths, start=1):
            before = channels[number - 1]
            layers: list[nn.Module] = []
            for place, after in enumerate(stage, start=1):
                halves = number in halving and place == len(stage)
                layers += separable_conv_bn(before, after, stride=stride if halves else 1)
                before = after
            stages.append(nn.Sequential(*layers))
        super().__init__(
            stages,
            channels=channels,
            own_strides=[*(stride for _ in halving), 1],
            pooled=() if strided else halving,
        )
