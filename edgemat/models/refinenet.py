"""RefineNet for matting: B2 of Table 3.3.

    RGB + trimap -> MobileNetV2 -> 1/32 -> chained residual pooling
                                   1/16 -> added -> chained residual pooling
                                   1/8  -> added -> chained residual pooling
                                   1/4  -> added -> chained residual pooling -> alpha, upsampled

It is a network of semantic segmentation (the light-weight form of 1x1 convolutions) as it stands,
without the indices that matting needs: upsampling is bilinear, and ends at a quarter. As in the
authors' code, the encoder strides, ReLU6 follows every 1x1 convolution, and upsampling aligns the
corner pixels.

Lin et al., "RefineNet", CVPR 2017; Nekrasov et al., "Light-Weight RefineNet", BMVC 2018.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels
from edgemat.models.encoders.mobilenetv2 import POOLED_STAGES, MobileNetV2
from edgemat.models.indexnet import initialise_head, prediction_head
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingNetwork, MattingOutput

# stages of MobileNetV2 that end at 1/32, 1/16, 1/8 and 1/4, and are fused there
LEVELS = ((7, 6), (5, 4), (3,), (2,))


class ChainedResidualPooling(nn.Module):
    """Context by a chain of 5x5 max-poolings, every link's result added to the feature."""

    def __init__(self, channels: int, *, links: int = 4) -> None:
        super().__init__()
        self.links = nn.ModuleList(conv_bn(channels, channels, 1) for _ in range(links))

    def forward(self, x: Tensor) -> Tensor:
        path = x
        for link in self.links:
            path = link(F.max_pool2d(path, 5, stride=1, padding=2))
            x = x + path
        return x


class RefineNet(MattingNetwork):
    """Trimap-based matting with a network of segmentation: 3,254,587 parameters at full width.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    """

    encoder: MobileNetV2
    stride = 32

    def __init__(self, *, in_channels: int = 4, width: float = 1.0) -> None:
        super().__init__()
        self.encoder = MobileNetV2(
            in_channels, width=width, pad_first=True, strided=POOLED_STAGES[32]
        )
        channels = scale_channels(256, width)

        def point(inputs: int) -> nn.Sequential:
            return conv_bn(inputs, channels, 1)

        self.lateral = nn.ModuleDict(
            {str(stage): point(self.encoder.channels[stage]) for level in LEVELS for stage in level}
        )
        self.refine = nn.ModuleList(ChainedResidualPooling(channels) for _ in LEVELS)
        self.adapt = nn.ModuleList(point(channels) for _ in LEVELS[1:])
        self.predict = prediction_head(channels)
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1, with H and W multiples of 32."""
        size = x.shape[-2:]
        features = []
        for stage in self.encoder:
            x = stage(x)
            features.append(x)

        for level, stages in enumerate(LEVELS):
            parts = [self.lateral[str(stage)](features[stage]) for stage in stages]
            if level > 0:
                parts.append(_upsample(self.adapt[level - 1](x), parts[0].shape[-2:]))
            x = self.refine[level](F.relu6(functools.reduce(torch.add, parts)))
        return MattingOutput(_upsample(self.predict(x), size))  # 1/4 to 1/1

    def ends_in_resize(self) -> bool:
        return True


def _upsample(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


MODELS = (ModelInfo(name="matting-b2", network=RefineNet, task="trimap", thesis=Printed("3.3")),)
