"""IndexNet matting on MobileNetV2 (thesis, section 3.6.1; figure 3.8, Table 3.4).

    RGB + trimap -> MobileNetV2, sampling down after five stages -> ASPP
                 -> decoder: sampling up, concatenated skip, 5x5 convolution -> alpha

What Table 3.4 compares is the sampling alone: index networks of five families, the holistic max
index, CARAFE, and max-unpooling (B11, the baseline).

Lu et al., "Indices Matter: Learning to Index for Deep Image Matting", ICCV 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgemat.models.blocks.aspp import ASPP
from edgemat.models.blocks.index import FAMILIES, Normalisation
from edgemat.models.blocks.layers import (
    MattingNetwork,
    MattingOutput,
    conv_bn,
    initialise,
    scale_channels,
)
from edgemat.models.blocks.sampling import VARIANTS, create_sampling
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.info import ModelInfo


def prediction_head(channels: int) -> nn.Sequential:
    """Two 5x5 convolutions to one channel; no sigmoid, the matte is clamped at inference."""
    return nn.Sequential(*conv_bn(channels, 1, 5), nn.Conv2d(1, 1, 5, padding=2, bias=False))


def initialise_head(head: nn.Sequential) -> None:
    """Let the matte start around 0.5: random 1-to-1 kernels can leave it at 0 for good."""
    _, norm, _, last = head
    assert isinstance(norm, nn.BatchNorm2d) and isinstance(last, nn.Conv2d)
    nn.init.constant_(norm.weight, 0.5)
    nn.init.constant_(norm.bias, 0.5)
    nn.init.dirac_(last.weight)


class IndexNet(MattingNetwork):
    """Trimap-based matting with learned indices: 8,153,771 parameters as M2O NL+C at full width.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    hidden_mult, normalisation:
        Of the index blocks; see :class:`edgemat.models.blocks.index.IndexBlock`.
    """

    encoder: MobileNetV2
    stride = 32

    def __init__(
        self,
        *,
        in_channels: int = 4,
        width: float = 1.0,
        sampling: str = "m2o-nlc",
        hidden_mult: int = 2,
        normalisation: Normalisation = "sigmoid+softmax/sigmoid",
    ) -> None:
        super().__init__()
        self.encoder = MobileNetV2(in_channels, width=width, pad_first=True)
        channels = self.encoder.channels
        self.sampling = create_sampling(
            sampling,
            {stage: channels[stage] for stage in self.encoder.pooled},
            hidden_mult=hidden_mult,
            normalisation=normalisation,
        )
        self.context = ASPP(
            channels[7],
            channels[6],
            branch_channels=scale_channels(256, width),
            rates=(2, 4, 8),
            separable=True,
        )
        # decoder stage k undoes encoder stage k and ends in the width of stage k - 1
        self.decoder = nn.ModuleList(
            conv_bn(2 * channels[stage], channels[max(stage - 1, 0)], 5) for stage in range(7)
        )
        self.predict = prediction_head(channels[0])
        initialise(self)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1, with H and W multiples of 32."""
        skips, guides = [], {}
        for number, stage in enumerate(self.encoder):
            x = feature = stage(x)
            if number in self.encoder.pooled:
                feature, x, guides[number] = self.sampling.down(number, x)
            skips.append(feature)

        x = self.context(x)
        for number in reversed(range(7)):
            if number in guides:
                x = self.sampling.up(number, x, guides[number])
            x = self.decoder[number](torch.cat([x, skips[number]], dim=1))
        return MattingOutput(self.predict(x))


# Table 3.4: the parameters that an index network adds to B11's 3,753,259, and all operations
_ADDED = {
    "hin-l": (4.99e3, 4.09),
    "hin-nl": (0.26e6, 4.22),
    "hin-nlc": (1.04e6, 4.61),
    "modelwise-l": (16, 4.08),
    "modelwise-nl": (56, 4.08),
    "modelwise-nlc": (152, 4.08),
    "shared-l": (80, 4.08),
    "shared-nl": (280, 4.08),
    "shared-nlc": (760, 4.08),
    "unshared-l": (4.99e3, 4.09),
    "unshared-nl": (17.47e3, 4.10),
    "unshared-nlc": (47.42e3, 4.15),
    "m2o-l": (0.52e6, 4.34),
    "m2o-nl": (1.30e6, 4.73),
    "m2o-nlc": (4.40e6, 6.30),
}

MODELS = (
    ModelInfo("matting-b11", IndexNet, "trimap", 3, "3.4", 3.75, 4.08, {"sampling": "max-unpool"}),
    ModelInfo("matting-hmi", IndexNet, "trimap", 3, "3.4", 3.75, 4.08, {"sampling": "hmi"}),
    ModelInfo(
        "matting-b11-carafe", IndexNet, "trimap", 3, "3.4", 4.06, 5.01, {"sampling": "max-carafe"}
    ),
    *(
        ModelInfo(
            f"indexnet-{family}-{variant}",
            IndexNet,
            "trimap",
            3,
            "3.4",
            round(3.753259 + _ADDED[f"{family}-{variant}"][0] / 1e6, 2),
            _ADDED[f"{family}-{variant}"][1],
            {"sampling": f"{family}-{variant}"},
        )
        for family in FAMILIES
        for variant in VARIANTS
    ),
)
