"""PSPM B5 made slim for phones: its shared encoder, attention and unpooling, a third of its work.

    RGB -> MobileNetV2, stem at 1/2 -> ASPP -> segmentation decoder -> trimap M at 1/4
              |  1/16, 1/8, 1/4 fused layer by layer        | attention
              +---------------------------------------------+-> 1/2 -> four subpixels -> alpha

Most of B5's time goes into layers at full resolution. Here there are none: the first convolution
strides, as in MobileNetV2 itself, and the last one predicts the four pixels of every 2x2 window.
The low level of the stem (1/2) is added before that, for strands of hair.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels
from edgemat.models.blocks.pooling import Subpixels, initialise_subpixels
from edgemat.models.blocks.segmentation import SegmentationDecoder
from edgemat.models.blocks.sharing import AttentionGuided
from edgemat.models.encoders.mobilenetv2 import TO_2, MobileNetV2
from edgemat.models.info import ModelInfo
from edgemat.models.network import MattingOutput


class PSPMSlim(AttentionGuided):
    """Portrait matting without a trimap: 2,995,143 parameters, 2.31 G MACs at 256x256.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    """

    def __init__(self, *, in_channels: int = 3, width: float = 1.0) -> None:
        encoder = MobileNetV2(in_channels, width=width, output_stride=16, strided=(TO_2,))
        stem, _, c24, *_, c320 = encoder.channels
        segment = SegmentationDecoder(
            c24,
            c320,
            channels=scale_channels(96, width),
            reduced=scale_channels(24, width),
            dropout=0.1,
        )
        super().__init__(encoder, segment)
        detail = scale_channels(16, width)
        self.decode2 = conv_bn(c24, detail, 5)
        self.lateral = conv_bn(stem, detail, 1)
        self.refine = nn.Sequential(*conv_bn(detail, detail), *conv_bn(detail, detail))
        self.predict = nn.Conv2d(detail, 4, 3, padding=1)
        self.subpixels = Subpixels()
        initialise(self)
        initialise_subpixels(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 16."""
        encoded = self.encode(x)
        logits = self.segment(encoded.low, encoded.high)  # B,3,H/4,W/4
        x = self.decode_to_half(encoded, logits)  # 1/2
        x = self.refine(self.decode2(x) + self.lateral(encoded.features[TO_2]))
        return MattingOutput(self.subpixels(self.predict(x)), logits)


MODELS = (ModelInfo(name="pspm-slim", network=PSPMSlim, task="portrait"),)
