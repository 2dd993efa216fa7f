"""PSPM's idea for cameras: one encoder, a trimap that guides the matte, a fortieth of B5's work.

    RGB -> MobileNetV2 at half width, striding, 1/16 -> context
              |  1/16                                  |
              |  1/8 ------------------------------- + fuse8
              |  1/4 ------------------------------- + fuse4 -> trimap M at 1/4
              |  1/2 (the stem) ------------------- (1 + M) + fuse2 -> four subpixels -> alpha

Nothing is pooled and nothing unpooled: indices cost more than they bring where the picture has 256
pixels. What is enlarged is enlarged bilinearly, features are added and not concatenated, and what
is behind the encoder filters depthwise.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels, separable_conv_bn
from edgemat.models.blocks.pooling import Subpixels, initialise_subpixels
from edgemat.models.blocks.segmentation import TRIMAP_CLASSES, TrimapAttention
from edgemat.models.encoders.mobilenetv2 import TO_2, TO_4, TO_8, TO_16, MobileNetV2
from edgemat.models.info import ModelInfo
from edgemat.models.network import MattingNetwork, MattingOutput

HALF = 0.5
"""The encoder's width beside MobileNetV2's own."""


class PSPMLive(MattingNetwork):
    """Portrait matting without a trimap, for video: 509,879 parameters, 0.21 G MACs at 256x256.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    """

    encoder: MobileNetV2
    stride = 16

    def __init__(self, *, in_channels: int = 3, width: float = 1.0) -> None:
        super().__init__()
        strided = (TO_2, TO_4, TO_8, TO_16)
        self.encoder = MobileNetV2(
            in_channels, width=HALF * width, output_stride=16, strided=strided
        )
        stem, _, low, middle, *_, high = self.encoder.channels
        deep, wide, fine = (scale_channels(c, width) for c in (64, 32, 16))
        self.context = conv_bn(high, deep, 1)
        self.whole = conv_bn(high, deep, 1)
        self.decode16 = separable_conv_bn(deep, wide)
        self.lateral8 = conv_bn(middle, wide, 1, activation=False)
        self.decode8 = separable_conv_bn(wide, wide)
        self.lateral4 = conv_bn(low, wide, 1, activation=False)
        self.decode4 = separable_conv_bn(wide, wide)
        self.classify = nn.Conv2d(wide, len(TRIMAP_CLASSES), 1)
        self.attention = TrimapAttention()
        self.narrow = conv_bn(wide, fine, 1)
        self.lateral2 = conv_bn(stem, fine, 1, activation=False)
        self.decode2 = separable_conv_bn(fine, fine)
        self.predict = nn.Conv2d(fine, 4, 3, padding=1)
        self.subpixels = Subpixels()
        initialise(self)
        initialise_subpixels(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 16."""
        features = []
        for stage in self.encoder:
            features.append(x := stage(x))
        at2, at4, at8, at16 = features[TO_2], features[TO_4], features[TO_8], features[-1]
        whole = self.whole(F.adaptive_avg_pool2d(at16, 1))  # B,C,1,1
        x = self.decode16(self.context(at16) + _enlarged(whole, at16))  # 1/16
        x = self.decode8(_enlarged(x, at8) + self.lateral8(at8))  # 1/8
        x = self.decode4(_enlarged(x, at4) + self.lateral4(at4))  # 1/4
        logits = self.classify(x)  # B,3,H/4,W/4
        x = self.narrow(x + x * self.attention(logits))
        x = self.decode2(_enlarged(x, at2) + self.lateral2(at2))  # 1/2
        return MattingOutput(self.subpixels(self.predict(x)), logits)


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


MODELS = (ModelInfo(name="pspm-live", network=PSPMLive, task="portrait"),)
