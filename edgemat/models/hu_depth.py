"""The stronger depth network, without and with index networks (thesis, Table 3.10).

    RGB -> ResNet-50 -> E1 (1/2)   E2 (1/4)   E3 (1/8)   E4 (1/16)   E5 (1/32)
                                    |          |          |           |
    decoder              D1 <----------- D2 <------- D3 <------ D4 <-- 1x1
    fusion               M1 <-------+----------+----------+-----------+
                          +-> concatenated -> three 5x5 convolutions -> depth, at 1/2

Every arrow to the left is an up-projection: it enlarges and convolves, with a shortcut. The decoder
sees E5 alone, the fusion all of E2 to E5. With index networks the encoder pools by its index maps
at 1/2, 1/4, 1/8 and 1/16, where ResNet pools and strides, and they guide the enlargement: in the
decoder one at a time, in the fusion one after the other, as in :mod:`edgemat.models.upernet`.

Hu et al., "Revisiting Single Image Depth Estimation: Toward Higher Resolution Maps with Accurate
Object Boundaries", WACV 2019. The thesis prints no complexity and does not say which of that
paper's encoders it takes: here the smallest, ResNet-50.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn, initialise
from edgemat.models.blocks.sampling import Sampling, create_sampling
from edgemat.models.encoders.resnet50 import ResNet50
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import Network


class HuDepth(Network):
    """Depth on ResNet-50, at half the size.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        None: bilinear enlargement. Or an index network that gives one map for all channels, see
        :func:`edgemat.models.blocks.sampling.create_sampling`: "hin-nlc".
    """

    stride = 32

    def __init__(
        self, *, in_channels: int = 3, width: float = 1.0, sampling: str | None = None
    ) -> None:
        super().__init__()
        self.encoder = ResNet50(in_channels, width=width, strided=sampling is None)
        stem, *widths = self.encoder.channels
        self.sampling: Sampling | None = None
        if sampling is None:
            self.pool = nn.MaxPool2d(3, 2, 1)
        else:
            self.sampling = create_sampling(sampling, dict(enumerate([stem, *widths[:-1]])))
        deepest = widths[-1]
        self.reduce = conv_relu(deepest, deepest // 2, 1)
        # decoder stage k ends at the size of encoder stage k
        self.decoder = nn.ModuleList(
            UpProjection(deepest >> halvings, deepest >> (halvings + 1))
            for halvings in (4, 3, 2, 1)
        )
        branch = deepest // 128
        self.branches = nn.ModuleList(UpProjection(c, branch) for c in widths)
        fused = len(widths) * branch
        self.fuse = conv_relu(fused, fused, 5)
        channels = (deepest >> 5) + fused
        self.refine = nn.Sequential(
            *conv_relu(channels, channels, 5), *conv_relu(channels, channels, 5)
        )
        self.predict = nn.Conv2d(channels, 1, 5, padding=2)
        initialise(self, fan="in")

    def forward(self, x: Tensor) -> Tensor:
        """Return the depth, B,1,H/2,W/2, of `x`, B,C,H,W, with H and W multiples of 32."""
        features, guides = self.encode(x)
        x = self.reduce(features[-1])
        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](self.enlarge(x, guides[level : level + 1]))
        views = [
            branch(self.enlarge(feature, guides[: level + 1]))
            for level, (branch, feature) in enumerate(zip(self.branches, features, strict=True))
        ]
        y: Tensor = self.refine(torch.cat([x, self.fuse(torch.cat(views, dim=1))], dim=1))
        y = self.predict(y)
        return y

    def encode(self, x: Tensor) -> tuple[list[Tensor], list[Any]]:
        """Return the features of stages 1 to 4, and a guide from each to the size before it."""
        features, guides = [], []
        for number, stage in enumerate(self.encoder):
            x = feature = stage(x)
            guide = None
            if self.sampling is None:
                x = self.pool(x) if number in self.encoder.pooled else x
            elif number in self.encoder.pooled:
                feature, x, guide = self.sampling.down(number, x)
            features.append(feature)
            guides.append(guide)
        return features[1:], guides[:-1]

    def enlarge(self, x: Tensor, guides: list[Any]) -> Tensor:
        """Double `x` once for each guide, the last of which is the deepest."""
        if self.sampling is None:
            scale = 2 ** len(guides)
            return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
        for level in reversed(range(len(guides))):
            x = self.sampling.up(level, x, guides[level])
        return x


class UpProjection(nn.Module):
    """Two convolutions of the enlarged feature, 5x5 and 3x3, and a 5x5 shortcut (Laina et al.)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_relu(in_channels, out_channels, 5),
            *conv_bn(out_channels, out_channels, activation=False),
        )
        self.shortcut = conv_bn(in_channels, out_channels, 5, activation=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.layers(x) + self.shortcut(x))
        return y


def conv_relu(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    """Convolution without bias, batch normalisation and ReLU."""
    return nn.Sequential(*conv_bn(in_channels, out_channels, kernel, activation=False), nn.ReLU())


MODELS = (
    ModelInfo(name="hu-depth", network=HuDepth, task="depth", thesis=Printed("3.10")),
    ModelInfo(
        name="hu-depth-hin-nlc",
        network=HuDepth,
        config={"sampling": "hin-nlc"},
        task="depth",
        thesis=Printed("3.10"),
    ),
)
