"""DeepLabV3+ for matting: B1 of Table 3.3.

    RGB + trimap -> MobileNetV2 (1/16) -> ASPP -> upsampled, 1/4 concatenated -> alpha, upsampled

It is a network of semantic segmentation as it stands, without the indices that matting needs:
upsampling is bilinear, and ends at a quarter. As in the authors' code, the encoder strides, and
upsampling aligns the corner pixels.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from edgemat.models.blocks.conv import initialise, scale_channels
from edgemat.models.blocks.deeplab import DeepLabDecoder
from edgemat.models.encoders.mobilenetv2 import POOLED_STAGES, TO_4, MobileNetV2
from edgemat.models.indexnet import initialise_head, prediction_head
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingNetwork, MattingOutput


class DeepLab(MattingNetwork):
    """Trimap-based matting with a network of segmentation: 6,149,443 parameters at full width.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    """

    encoder: MobileNetV2
    stride = 16

    def __init__(self, *, in_channels: int = 4, width: float = 1.0) -> None:
        super().__init__()
        self.encoder = MobileNetV2(
            in_channels, width=width, output_stride=16, pad_first=True, strided=POOLED_STAGES[16]
        )
        channels = scale_channels(256, width)
        self.decode = DeepLabDecoder(
            self.encoder.channels[TO_4],
            self.encoder.channels[-1],
            channels=channels,
            reduced=scale_channels(48, width),
            kernel=5,
            separable=True,
            align_corners=True,
        )
        self.predict = prediction_head(channels, kernel=1)
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1, with H and W multiples of 16."""
        size = x.shape[-2:]
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            if number == TO_4:
                low = x  # 1/4

        alpha = self.predict(self.decode(low, x))  # 1/4
        return MattingOutput(F.interpolate(alpha, size=size, mode="bilinear", align_corners=True))

    def ends_in_resize(self) -> bool:
        return True


MODELS = (ModelInfo(name="matting-b1", network=DeepLab, task="trimap", thesis=Printed("3.3")),)
