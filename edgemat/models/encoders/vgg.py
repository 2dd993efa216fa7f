"""VGG-16 with batch normalisation: its 13 convolutional layers as an encoder.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015. The thesis builds on it in DIM (B3), SegNet and the SegNet-like DnCNN.
"""

from __future__ import annotations

from torch import nn

from edgemat.models.blocks.conv import scale_channels
from edgemat.models.encoders.encoder import Encoder

# width and number of layers of the five stages
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def vgg_stage(in_channels: int, out_channels: int, layers: int) -> nn.Sequential:
    """Some 3x3 convolutions with bias, each with batch normalisation and ReLU.

    The first one changes the width. Decoders after SegNet are made of the same stages.
    """
    modules: list[nn.Module] = []
    for layer in range(layers):
        width = in_channels if layer == 0 else out_channels
        modules += [
            nn.Conv2d(width, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        ]
    return nn.Sequential(*modules)


class VGG16(Encoder):
    """The five stages of the encoder; the owner pools after each.

    Parameters
    ----------
    in_channels:
        3 for RGB, 4 for RGB and trimap.
    width:
        Multiplier of all channel counts.
    """

    def __init__(self, in_channels: int, *, width: float = 1.0) -> None:
        channels = [scale_channels(c, width) for c, _ in STAGES]
        stages = []
        for out_channels, (_, layers) in zip(channels, STAGES, strict=True):
            stages.append(vgg_stage(in_channels, out_channels, layers))
            in_channels = out_channels
        super().__init__(
            stages,
            channels=channels,
            own_strides=[1] * len(STAGES),
            pooled=range(len(STAGES)),
        )
