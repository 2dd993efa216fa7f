"""The baseline of PSPM: a segmentation network, then a matting network (thesis, section 6.3.1).

    RGB -> DeepLabV3+ or PSPNet -> trimap scores at 1/4 -> upsampled, softmax -> trimap M
     |                                                                              |
     +------------------------------- concatenated ---------------------------------+-> IndexNet
                                                                                     -> alpha

Each has a MobileNetV2 of its own, and that doubles the cost: sharing it is what PSPM is about
(figure 6.2, above and below). B and B1 are one network, trained apart or together.
"""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.affine import pixel_weight
from edgemat.models.blocks.conv import initialise
from edgemat.models.blocks.segmentation import (
    TRIMAP_CLASSES,
    Segmentation,
    TrimapAttention,
    create_decoder,
)
from edgemat.models.encoders.mobilenetv2 import POOLED_STAGES, TO_4, MobileNetV2
from edgemat.models.indexnet import IndexNet
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingOutput


class SegmentationNetwork(nn.Module):
    """DeepLabV3+ or PSPNet on MobileNetV2, with its strides: RGB in, trimap scores at 1/4 out."""

    def __init__(self, in_channels: int, segmentation: Segmentation, *, width: float) -> None:
        super().__init__()
        self.encoder = MobileNetV2(
            in_channels, width=width, output_stride=16, strided=POOLED_STAGES[16]
        )
        self.decode = create_decoder(segmentation, self.encoder, width=width)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            if number == TO_4:
                low = x  # 1/4
        y: Tensor = self.decode(low, x)
        return y


class PSPMBaseline(IndexNet):
    """IndexNet with an estimated trimap: 13,965,198 parameters at full width.

    Its `encoder`, which training can start from ImageNet weights, is IndexNet's.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    segmentation:
        "deeplab" (DeepLabV3+) or "pspnet" (Table 6.7).
    summed:
        Whether IndexNet sees the trimap as one channel, M = F_p + U_p / 2 (B), or as the
        probabilities of its three classes (B2).
    """

    segmentation = ("segment.encoder", "segment.decode")
    matting_layers = MappingProxyType(
        {name: name for name in ("encoder", "sampling", "context", "decoder", "predict")}
    )

    def __init__(
        self,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        segmentation: Segmentation = "deeplab",
        summed: bool = True,
    ) -> None:
        self.trimap_channels = 1 if summed else len(TRIMAP_CLASSES)
        super().__init__(in_channels=in_channels + self.trimap_channels, width=width)
        self.in_channels = in_channels
        self.segment = SegmentationNetwork(in_channels, segmentation, width=width)
        self.attention: nn.Module = TrimapAttention() if summed else nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 32."""
        logits = self.segment(x)  # B,3,H/4,W/4
        scores = F.interpolate(logits, size=x.shape[-2:], mode="bilinear", align_corners=False)
        trimap = self.attention(scores)  # B,1,H,W or B,3,H,W in 0..1
        alpha, _ = super().forward(torch.cat([x, trimap], dim=1))
        return MattingOutput(alpha, logits)

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights that meet pixels: in both networks, but not the trimap's."""
        segment = pixel_weight(self.segment.encoder)
        return [segment, pixel_weight(self.encoder, self.in_channels)]


MODELS = (
    ModelInfo(
        name="pspm-b",
        network=PSPMBaseline,
        task="portrait",
        thesis=Printed("6.3", parameters=13.97, operations=10.98),
    ),
    ModelInfo(
        name="pspm-b2",
        network=PSPMBaseline,
        config={"summed": False},
        task="portrait",
        thesis=Printed("6.3", parameters=13.97, operations=10.98),
        note="11.00 operations: two more channels of input; the table repeats B's figure.",
    ),
    ModelInfo(
        name="pspm-psp-b",
        network=PSPMBaseline,
        config={"segmentation": "pspnet"},
        task="portrait",
        thesis=Printed("6.7", parameters=13.39, operations=7.29),
    ),
)
