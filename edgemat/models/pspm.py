"""PSPM: prior-free portrait matting, trimap and matte by one encoder (thesis, section 6.3.2).

    RGB -> MobileNetV2, max-pooled (1/16) -> segmentation decoder -> trimap M at 1/4
                    |
                    +-> matting decoder, max-unpooling -> alpha

Three ways for the decoders to meet:

    B3  late interaction   in the loss alone                                             (fig. 6.3)
    B4  feature fusion     M, convolved down to 1/16, joins the matting decoder's input  (fig. 6.4)
    B5  attention guided   1/16, 1/8, 1/4 are fused layer by layer, and M attends at 1/4 (fig. 6.5)

Dai et al., "A Light-weight Prior-free Portrait Matting Network", CGF 40(1), 2021. The thesis fixes
the totals of Table 6.4; the widths within the matting decoders are our reading of them.
"""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor, nn

from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels
from edgemat.models.blocks.segmentation import Segmentation, TrimapAttention, create_decoder
from edgemat.models.blocks.sharing import AttentionGuided, Encoded, SharedEncoder
from edgemat.models.encoders.mobilenetv2 import TO_2, TO_4, TO_8, TO_16, MobileNetV2
from edgemat.models.indexnet import initialise_head, prediction_head
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingOutput

# Own layers to IndexNet's of the same widths, from 1/4 on: what phase 1 starts from (6.5.2).
_INDEXNET_LAYERS = MappingProxyType(
    {
        "decode4": "decoder.3",
        "decode2.0": "decoder.2.0",
        "decode2.1": "decoder.2.1",
        "decode2.3": "decoder.1.0",
        "decode2.4": "decoder.1.1",
        "decode1": "decoder.0",
        "predict": "predict",
    }
)


class LateInteraction(SharedEncoder):
    """B3: both decoders by themselves; 6,744,494 parameters at full width.

    The matting decoder is IndexNet's in small: a context at 1/16, and 5x5 convolutions between the
    unpoolings. Skips are concatenated at 1/16 and 1/4 alone: one at full size would by itself
    exceed the operations of Table 6.4.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    prior_channels:
        Of a prior that is concatenated with the encoder's feature at 1/16; none in B3.
    """

    matting_layers = MappingProxyType(_INDEXNET_LAYERS | {"decode8": "decoder.4"})

    def __init__(
        self, *, in_channels: int = 3, width: float = 1.0, prior_channels: int = 0
    ) -> None:
        encoder = MobileNetV2(in_channels, width=width, output_stride=16)
        super().__init__(encoder, create_decoder("deeplab", encoder, width=width))
        stem, c16, c24, c32, c64, _, c160, c320 = encoder.channels
        self.context = nn.Sequential(*conv_bn(c320 + prior_channels, c160, 1), *conv_bn(c160, c160))
        self.decode16 = conv_bn(2 * c160, c64, 5)
        self.decode8 = conv_bn(c64, c32, 5)
        self.decode4 = conv_bn(2 * c32, c24, 5)
        self.decode2 = nn.Sequential(*conv_bn(c24, c16, 5), *conv_bn(c16, stem, 5))
        self.decode1 = conv_bn(stem, stem, 5)
        self.predict = prediction_head(stem)
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 16."""
        encoded = self.encode(x)
        logits = self.segment(encoded.low, encoded.high)  # B,3,H/4,W/4
        return MattingOutput(self.decode(encoded, encoded.high), logits)

    def decode(self, encoded: Encoded, x: Tensor) -> Tensor:
        """Return the matte; `x` is the input of the matting decoder at 1/16."""
        features, switches = encoded.features, encoded.switches
        x = self.decode16(torch.cat([self.context(x), features[-2]], dim=1))  # 1/16
        x = self.decode8(self.unpool(x, switches[TO_16]))  # 1/8
        x = self.unpool(x, switches[TO_8])  # 1/4
        x = self.decode4(torch.cat([x, features[TO_8]], dim=1))
        x = self.decode2(self.unpool(x, switches[TO_4]))  # 1/2
        y: Tensor = self.predict(self.decode1(self.unpool(x, switches[TO_2])))  # 1/1
        return y


class FeatureFusion(LateInteraction):
    """B4: the trimap is part of the matting decoder's input; 6,964,846 parameters at full width.

    Parameters
    ----------
    in_channels, width:
        As of :class:`LateInteraction`.
    """

    def __init__(self, *, in_channels: int = 3, width: float = 1.0) -> None:
        c64, c96, c160 = (scale_channels(c, width) for c in (64, 96, 160))
        super().__init__(in_channels=in_channels, width=width, prior_channels=c160)
        self.attention = TrimapAttention()
        self.prior = nn.Sequential(
            *conv_bn(1, c64, stride=2), *conv_bn(c64, c96, stride=2), *conv_bn(c96, c160)
        )
        initialise(self.prior)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 16."""
        encoded = self.encode(x)
        logits = self.segment(encoded.low, encoded.high)  # B,3,H/4,W/4
        prior = self.prior(self.attention(logits))  # 1/16
        fused = torch.cat([encoded.high, prior], dim=1)
        return MattingOutput(self.decode(encoded, fused), logits)


class PSPM(AttentionGuided):
    """B5: the trimap guides the matting decoder at 1/4; 5,902,382 parameters at full width.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    segmentation:
        Whose decoder estimates the trimap: "deeplab" (DeepLabV3+) or "pspnet" (Table 6.7).
    modulated:
        Feature modulation after every stage of the encoder (B5+FM, section 6.5.7).
    """

    matting_layers = _INDEXNET_LAYERS

    def __init__(
        self,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        segmentation: Segmentation = "deeplab",
        modulated: bool = False,
    ) -> None:
        encoder = MobileNetV2(in_channels, width=width, output_stride=16)
        segment = create_decoder(segmentation, encoder, width=width)
        super().__init__(encoder, segment, modulated=modulated)
        stem, c16, c24, *_ = encoder.channels
        self.decode2 = nn.Sequential(*conv_bn(c24, c16, 5), *conv_bn(c16, stem, 5))
        self.decode1 = conv_bn(stem, stem, 5)
        self.predict = prediction_head(stem)
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte and the trimap's scores of `x`, B,3,H,W, H and W multiples of 16."""
        encoded = self.encode(x)
        logits = self.segment(encoded.low, encoded.high)  # B,3,H/4,W/4
        x = self.decode_to_half(encoded, logits)  # 1/2
        x = self.unpool(self.decode2(x), encoded.switches[TO_2])  # 1/1
        return MattingOutput(self.predict(self.decode1(x)), logits)


MODELS = (
    ModelInfo(
        name="pspm-b3",
        network=LateInteraction,
        task="portrait",
        thesis=Printed("6.4", parameters=6.74, operations=6.77),
    ),
    ModelInfo(
        name="pspm-b4",
        network=FeatureFusion,
        task="portrait",
        thesis=Printed("6.4", parameters=6.96, operations=6.81),
    ),
    ModelInfo(
        name="pspm-b5",
        network=PSPM,
        task="portrait",
        thesis=Printed("6.4", parameters=5.90, operations=6.53),
    ),
    ModelInfo(
        name="pspm-b5-fm",
        network=PSPM,
        config={"modulated": True},
        task="portrait",
        thesis=Printed("6.4", parameters=5.96, operations=6.54),
        note="6.53 operations: modulation works on one vector a stage and adds 0.0001 to B5's.",
    ),
    ModelInfo(
        name="pspm-psp-b5",
        network=PSPM,
        config={"segmentation": "pspnet"},
        task="portrait",
        thesis=Printed("6.7", parameters=5.33, operations=2.86),
        note=(
            "2.85 operations. Table 6.4 leaves 1.550 to 1.560 to B5's matting decoder, Table 6.7 "
            "1.563 to 1.573: no decoder meets both. This is pspm-b5's."
        ),
    ),
)
