"""RMat: matting that assembles context of many levels by a transformer (thesis, section 5.3).

    RGB + trimap --+-- Mix Transformer -- 1/4 -- 1/8 -- 1/16 -- 1/32    global context
                   |                       |      |       |       |
                   |                     TSkip  TSkip   TSkip   TSkip
                   |                       |      |       |       |
                   |    alpha <- 1/2 <--- 1/4 <- 1/8 <-- 1/16 <- 1/32   decoder
                   |              |       | \\     |
                   |              |       | LFA   |
                   |              |       |       |
                   +------------ 1/2 --- 1/4 --- 1/8   convolutions     LSkip: details

Figure 5.3, in words: the decoder upsamples, concatenates skips, and mixes. Table 5.2 compares three
mixers and two kinds of TSkip, with and without LSkip; Table 5.3 adds low-level feature assembling.
The thesis gives totals alone: the widths are our reading of Tables 5.2, 5.3 and 5.7; they meet all
but one row (see ``_NOTES``).

Dai et al., "Boosting Robustness of Image Matting with Context Assembling and Strong Data
Augmentation", CVPR 2022.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.affine import pixel_weight
from edgemat.models.blocks.conv import conv_bn, scale_channels, separable_conv_bn
from edgemat.models.encoders.mit import (
    MiT,
    MixPerceptron,
    Reduction,
    Variant,
    attend,
    to_map,
    to_tokens,
)
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingNetwork, MattingOutput

Decoder = Literal["mlp", "conv", "mlpdw"]
TransformerSkip = Literal["mlp", "mlp+conv", "conv"]

SKIP_WIDTH = 256  # of TSkip, at every level
DETAIL_WIDTHS = (48, 96, 192)  # of LSkip, at 1/2, 1/4 and 1/8
DECODER_WIDTHS = (256, 192, 64, 64, 48)  # at 1/32, 1/16, 1/8, 1/4 and 1/2
REDUCTION = 16  # of the keys and values of LFA


class RMat(MattingNetwork):
    """Trimap-based matting on a Mix Transformer: 16,839,857 parameters as M3.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    encoder:
        "b1" (E1 of Table 5.2) or "b2" (E2).
    decoder:
        What mixes at every level: "conv", 3x3; "mlp", 1x1; "mlpdw", two 1x1, each after a
        depthwise 3x3.
    skip:
        TSkip: "mlp", a linear layer; "mlp+conv", a 3x3 convolution after it; "conv", one instead.
    detail:
        Whether there is LSkip.
    assemble:
        Whether there is LFA.
    """

    encoder: MiT
    stride = 32

    def __init__(
        self,
        *,
        in_channels: int = 4,
        width: float = 1.0,
        encoder: Variant = "b1",
        decoder: Decoder = "conv",
        skip: TransformerSkip = "mlp",
        detail: bool = True,
        assemble: bool = True,
    ) -> None:
        super().__init__()

        def scaled(widths: tuple[int, ...]) -> list[int]:
            return [scale_channels(c, width) for c in widths]

        self.encoder = MiT(in_channels, variant=encoder, width=width)
        (skip_width,) = scaled((SKIP_WIDTH,))
        self.skips = nn.ModuleList(
            transformer_skip(skip, c, skip_width) for c in self.encoder.channels
        )
        d2, d4, d8 = details = scaled(DETAIL_WIDTHS)
        self.details = None
        if detail:
            befores = (in_channels, d2, d4)
            convs = (conv_bn(i, o, stride=2) for i, o in zip(befores, details, strict=True))
            self.details = nn.ModuleList(convs)
        else:
            d2 = d4 = d8 = 0
        w32, w16, w8, w4, w2 = scaled(DECODER_WIDTHS)
        self.decode32 = mixer(decoder, skip_width, w32)
        self.decode16 = mixer(decoder, w32 + skip_width, w16)
        self.decode8 = mixer(decoder, w16 + skip_width + d8, w8)
        self.decode4 = mixer(decoder, w8 + skip_width + d4, w4)
        self.assemble = LowLevelAssembling(w4) if assemble else None
        self.decode2 = mixer(decoder, w4 + d2, w2)
        self.predict = nn.Conv2d(w2, 1, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        """Xavier for all but the encoder (section 5.5.1); the last bias is half way to opaque."""
        for name, module in self.named_modules():
            if not name.startswith("encoder") and isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.constant_(self.predict.bias, 0.5)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1; H, W multiples of 32, with LFA 64 at least."""
        detail2, detail4, detail8 = self._details(x)
        features = []
        for stage in self.encoder:
            x = stage(x)
            features.append(x)
        skip4, skip8, skip16, skip32 = (
            skip(feature) for skip, feature in zip(self.skips, features, strict=True)
        )

        x = self.decode32(skip32)
        x = self.decode16(_join(_double(x), skip16))
        x = self.decode8(_join(_double(x), skip8, *detail8))
        x = self.decode4(_join(_double(x), skip4, *detail4))
        if self.assemble is not None:
            x = self.assemble(features[0], x)
        x = self.decode2(_join(_double(x), *detail2))
        return MattingOutput(self.predict(_double(x)))

    def _details(self, x: Tensor) -> tuple[list[Tensor], ...]:
        """Return LSkip at 1/2, 1/4 and 1/8: one map each, or none."""
        if self.details is None:
            return [], [], []
        maps = []
        for conv in self.details:
            x = conv(x)
            maps.append([x])
        return tuple(maps)

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights of the first patch embedding and of the first convolution of LSkip."""
        firsts = [self.encoder, *([] if self.details is None else [self.details])]
        return [pixel_weight(part) for part in firsts]


class LowLevelAssembling(nn.Module):
    """LFA: a transformer block that refines the decoder by the likeness of low-level features.

    Attn(f_low, f_low, f_d): queries and keys are of the encoder's feature at 1/4, values of the
    decoder's. Keys and values are of whole patches, by a convolution and by means.

    Parameters
    ----------
    channels:
        Of both features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_low = nn.LayerNorm(channels)
        self.norm = nn.LayerNorm(channels)
        self.reduce = Reduction(channels, REDUCTION)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.norm_mixed = nn.LayerNorm(channels)
        self.perceptron = MixPerceptron(channels, ratio=2)

    def forward(self, low: Tensor, x: Tensor) -> Tensor:
        """Return the refined `x`; both are B,C,H,W, with H and W 16 at least."""
        size = x.shape[-2:]
        tokens, low = to_tokens(x), self.norm_low(to_tokens(low))
        patches = F.avg_pool2d(to_map(self.norm(tokens), size), REDUCTION)
        query = self.query(low)
        key = self.key(self.reduce(low, size))
        value = self.value(to_tokens(patches))
        tokens = tokens + attend(query, key, value)
        tokens = tokens + self.perceptron(self.norm_mixed(tokens), size)
        return to_map(tokens, size)


class TokenLinear(nn.Module):
    """A linear layer at every pixel, B,C,H,W in and out; counted by the thesis' rule for tokens."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return to_map(self.linear(to_tokens(x)), x.shape[-2:])

    def deploy(self) -> nn.Conv2d:
        conv = nn.Conv2d(self.linear.in_features, self.linear.out_features, 1)
        state = self.linear.state_dict()
        conv.load_state_dict({"weight": state["weight"][:, :, None, None], "bias": state["bias"]})
        return conv


def transformer_skip(kind: TransformerSkip, in_channels: int, out_channels: int) -> nn.Module:
    """Build TSkip for one level."""
    match kind:
        case "mlp":
            return TokenLinear(in_channels, out_channels)
        case "mlp+conv":
            linear = TokenLinear(in_channels, out_channels)
            return nn.Sequential(linear, *conv_bn(out_channels, out_channels))
        case "conv":
            return conv_bn(in_channels, out_channels)


def mixer(kind: Decoder, in_channels: int, out_channels: int) -> nn.Sequential:
    """Build the decoder's layer for one level."""
    match kind:
        case "mlp":
            return conv_bn(in_channels, out_channels, 1)
        case "conv":
            return conv_bn(in_channels, out_channels)
        case "mlpdw":
            first = separable_conv_bn(in_channels, out_channels)
            return nn.Sequential(*first, *separable_conv_bn(out_channels, out_channels))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _join(*maps: Tensor) -> Tensor:
    return torch.cat(maps, dim=1)


_B3: dict[str, Any] = {"assemble": False}
_B7: dict[str, Any] = {**_B3, "encoder": "b2"}
# Table 5.2: arguments, and parameters in millions
_ROWS: dict[str, tuple[dict[str, Any], float]] = {
    "b1": ({**_B3, "decoder": "mlp", "detail": False}, 13.6),
    "b2": ({**_B3, "detail": False}, 15.4),
    "b3": (_B3, 15.8),
    "b4": ({**_B3, "skip": "mlp+conv"}, 18.2),
    "b5": ({**_B3, "decoder": "mlpdw"}, 14.0),
    "b6": ({**_B3, "decoder": "mlpdw", "skip": "conv"}, 16.1),
    "b7": (_B7, 26.8),
    "b8": ({**_B7, "skip": "mlp+conv"}, 29.2),
    "b9": ({**_B7, "decoder": "mlpdw"}, 25.1),
    "b10": ({**_B7, "decoder": "mlpdw", "skip": "conv"}, 27.2),
}
_NOTES = {
    "b4": "18.12 M. B4 is B3 and four 3x3 convolutions of 256 channels (2.361 M); to print 18.2 M, "
    "B3 needs 15.789 M, and M3, B3 with LFA, would then print 16.9 M instead of 16.8 M."
}

MODELS = (
    *(
        ModelInfo(
            name=f"rmat-{name}",
            network=RMat,
            config=config,
            task="trimap",
            thesis=Printed("5.2", parameters=printed),
            note=_NOTES.get(name),
        )
        for name, (config, printed) in _ROWS.items()
    ),
    # N3 is B3 trained with other losses
    ModelInfo(
        name="rmat-n3",
        network=RMat,
        config=_B3,
        task="trimap",
        thesis=Printed("5.3", parameters=15.8),
    ),
    ModelInfo(
        name="rmat-m3",
        network=RMat,
        task="trimap",
        thesis=Printed("5.3", parameters=16.8, operations=16.62),
    ),
    ModelInfo(
        name="rmat-m7",
        network=RMat,
        config={"encoder": "b2"},
        task="trimap",
        thesis=Printed("5.3", parameters=27.9, operations=22.22),
    ),
)
