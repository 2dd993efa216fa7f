"""UperNet on MobileNetV2: what upsamples in FPN and in MFF (thesis, section 3.6.3; figure 3.10).

    RGB -> MobileNetV2 -> E2 (1/4)    E3 (1/8)    E4 (1/16)    E5 (1/32)
                           |           |           |            | pyramid pooling
    FPN                    D2 <- U ----D3 <- U ----D4 <- U -----D5      fused by addition
                           |           |           |            |
    MFF                    M2 <- U ----M3 <- U ----M4 <- U -----+       fused by concatenation
                           +-> 3x3 and 1x1 convolution -> class scores, upsampled

U doubles: bilinear, CARAFE, or indexed by the index maps of the encoder, one at each of 1/4, 1/8
and 1/16. The maps serve features of any width, so they are holistic. With them the encoder pools by
its index maps where MobileNetV2 strides.

Xiao et al., "Unified Perceptual Parsing for Scene Understanding", ECCV 2018. Table 3.8 prints no
complexity; widths are those of the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.carafe import Carafe
from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels
from edgemat.models.blocks.index import IndexedUpsample
from edgemat.models.blocks.pyramid import PyramidPooling
from edgemat.models.blocks.sampling import Resize, create_sampling
from edgemat.models.encoders.mobilenetv2 import POOLED_STAGES, TO_8, TO_16, TO_32, MobileNetV2
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import Network

Upsampling = Literal["bilinear", "index", "carafe"]
# stages of MobileNetV2 that end in E2, E3, E4 and E5
LEVELS = (2, 3, 5, 7)
# stages that halve to E3, E4 and E5: index maps are taken there
INDEXED = (TO_8, TO_16, TO_32)


class UperNet(Network):
    """Semantic segmentation by all levels of the encoder.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    pyramid, fusion:
        What upsamples in the feature pyramid (FPN) and in the multi-level feature fusion (MFF).
    classes:
        150 in ADE20K.
    """

    stride = 32

    def __init__(
        self,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        pyramid: Upsampling = "bilinear",
        fusion: Upsampling = "bilinear",
        classes: int = 150,
    ) -> None:
        super().__init__()
        indexed = INDEXED if "index" in (pyramid, fusion) else ()
        strided = [stage for stage in POOLED_STAGES[32] if stage not in indexed]
        self.encoder = MobileNetV2(in_channels, width=width, strided=strided)
        widths = self.encoder.channels
        # without blocks where nothing is indexed
        self.sampling = create_sampling("hin-l", {stage: widths[stage] for stage in indexed})
        channels = scale_channels(512, width)
        *finer, deepest = (widths[stage] for stage in LEVELS)
        context = PyramidPooling(deepest, channels)
        self.context = nn.Sequential(context, *conv_bn(context.out_channels, channels))
        self.pyramid = FeaturePyramid(finer, channels, upsampling=pyramid)
        self.fusion = LevelFusion(len(LEVELS), channels, upsampling=fusion)
        self.refine = conv_bn(len(LEVELS) * channels, channels)
        self.classify = nn.Conv2d(channels, classes, 1)
        initialise(self, fan="in")

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores, B,classes,H,W, of `x`, B,C,H,W, with H and W multiples of 32."""
        size = x.shape[-2:]
        features: list[Tensor] = []
        guides: list[Tensor | None] = []
        for number, stage in enumerate(self.encoder):
            x, guide = stage(x), None
            if number in self.encoder.pooled:
                _, x, guide = self.sampling.down(number, x)
            if number in LEVELS:
                features.append(x)
            if number in INDEXED:
                guides.append(guide)

        *finer, deepest = features
        levels = self.pyramid(finer, self.context(deepest), guides)
        scores = self.classify(self.refine(self.fusion(levels, guides)))  # 1/4
        return F.interpolate(scores, size=size, mode="bilinear", align_corners=False)


class Doubling(nn.Module):
    """Upsampling by 2 of so many channels; an index map guides it if it is "index"."""

    def __init__(self, upsampling: Upsampling, channels: int) -> None:
        super().__init__()
        self.guided = upsampling == "index"
        match upsampling:
            case "bilinear":
                self.layer: nn.Module = Resize("bilinear")
            case "index":
                self.layer = IndexedUpsample()
            case "carafe":
                self.layer = Carafe(channels)

    def forward(self, x: Tensor, guide: Tensor | None) -> Tensor:
        y: Tensor = self.layer(x, guide) if self.guided else self.layer(x)
        return y


class FeaturePyramid(nn.Module):
    """FPN: from the deepest level down, add to every feature what lies deeper, at equal width.

    Lists are ordered from the finest level to the deepest; `guides[k]` leads from level k + 1 to k.
    """

    def __init__(self, widths: Sequence[int], channels: int, *, upsampling: Upsampling) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(conv_bn(c, channels, 1) for c in widths)
        self.upsample = nn.ModuleList(Doubling(upsampling, channels) for _ in widths)
        self.smooth = nn.ModuleList(conv_bn(channels, channels) for _ in widths)

    def forward(
        self, features: Sequence[Tensor], deepest: Tensor, guides: Sequence[Tensor | None]
    ) -> list[Tensor]:
        """Return all levels, `deepest` as it comes; `features` are those that are finer."""
        levels, x = [deepest], deepest
        for level in reversed(range(len(features))):
            x = self.lateral[level](features[level]) + self.upsample[level](x, guides[level])
            levels.insert(0, self.smooth[level](x))
        return levels


class LevelFusion(nn.Module):
    """MFF: all levels at the size of the finest, concatenated.

    The deepest is doubled and concatenated with the next, both are doubled, and so on, so that
    index maps of one doubling each can guide it.
    """

    def __init__(self, levels: int, channels: int, *, upsampling: Upsampling) -> None:
        super().__init__()
        self.upsample = nn.ModuleList(
            Doubling(upsampling, (levels - 1 - level) * channels) for level in range(levels - 1)
        )

    def forward(self, levels: Sequence[Tensor], guides: Sequence[Tensor | None]) -> Tensor:
        *finer, x = levels
        for level in reversed(range(len(finer))):
            x = torch.cat([finer[level], self.upsample[level](x, guides[level])], dim=1)
        return x


# Table 3.8 combines index networks and CARAFE with bilinear upsampling, not with each other
_NOT_PRINTED = {("index", "carafe"), ("carafe", "index")}

MODELS = tuple(
    ModelInfo(
        name=f"upernet-{pyramid}-{fusion}",
        network=UperNet,
        config={"pyramid": pyramid, "fusion": fusion},
        task="segmentation",
        thesis=None if (pyramid, fusion) in _NOT_PRINTED else Printed("3.8"),
    )
    for pyramid in get_args(Upsampling)
    for fusion in get_args(Upsampling)
)
