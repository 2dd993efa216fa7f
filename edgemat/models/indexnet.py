"""IndexNet matting on MobileNetV2 and its baselines B5 to B11 (thesis, section 3.6.1; figure 3.8).

    RGB + trimap -> MobileNetV2, sampling down after five stages -> context
                 -> decoder: sampling up, fused skip, 5x5 convolution -> alpha

Table 3.3 compares how low-level features are fused (not at all as in SegNet, added, concatenated
as in U-Net), whether upsampling knows the indices of max-pooling, and the context; its winner is
B11. Table 3.4 compares the sampling alone: index networks of five families, the holistic max
index, CARAFE, and max-unpooling (B11, the baseline).

Lu et al., "Indices Matter: Learning to Index for Deep Image Matting", ICCV 2019.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from edgemat.models.blocks.aspp import ASPP
from edgemat.models.blocks.conv import Activation, conv_bn, initialise, scale_channels
from edgemat.models.blocks.index import Normalisation
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.info import ModelInfo, Printed, index_networks
from edgemat.models.narrowing import child
from edgemat.models.network import MattingNetwork, MattingOutput

Fusion = Literal["concat", "skip", "none"]
Context = Literal["aspp", "none"]


def prediction_head(
    channels: int, *, kernel: int = 5, activation: Activation = True
) -> nn.Sequential:
    """Two convolutions to one channel; no sigmoid, the matte is clamped at inference."""
    last = nn.Conv2d(1, 1, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(*conv_bn(channels, 1, kernel, activation=activation), last)


def initialise_head(head: nn.Sequential) -> None:
    """Let the matte start around 0.5: random 1-to-1 kernels can leave it at 0 for good."""
    norm = child(head, "1", nn.BatchNorm2d)
    nn.init.constant_(norm.weight, 0.5)
    nn.init.constant_(norm.bias, 0.5)
    nn.init.dirac_(child(head, "3", nn.Conv2d).weight)


class IndexNet(MattingNetwork):
    """Trimap-based matting with learned indices: 8,153,771 parameters as M2O NL+C at full width.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    channel_multiple:
        What they are rounded to; see :func:`edgemat.models.blocks.conv.scale_channels`.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    fusion:
        Of a decoder stage with the encoder's feature of the same size: "concat", "skip" (their
        sum) or "none".
    context:
        Between encoder and decoder: "aspp", or "none": a 1x1 convolution.
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
        channel_multiple: int = 8,
        sampling: str = "m2o-nlc",
        fusion: Fusion = "concat",
        context: Context = "aspp",
        hidden_mult: int = 2,
        normalisation: Normalisation = "sigmoid+softmax/sigmoid",
    ) -> None:
        super().__init__()
        self.encoder = MobileNetV2(
            in_channels, width=width, channel_multiple=channel_multiple, pad_first=True
        )
        channels = self.encoder.channels
        self.sampling = create_sampling(
            sampling,
            {stage: channels[stage] for stage in self.encoder.pooled},
            hidden_mult=hidden_mult,
            normalisation=normalisation,
        )
        self.context: nn.Module
        *_, bottom, deepest = channels
        if context == "none":
            self.context = conv_bn(deepest, bottom, 1)
        else:
            self.context = ASPP(
                deepest,
                bottom,
                branch_channels=scale_channels(256, width, multiple=channel_multiple),
                rates=(2, 4, 8),
                separable=True,
            )
        self.fusion = fusion
        parts = 2 if fusion == "concat" else 1
        # decoder stage k undoes encoder stage k and ends in the width of stage k - 1
        self.decoder = nn.ModuleList(
            conv_bn(parts * c, channels[max(stage - 1, 0)], 5)
            for stage, c in enumerate(channels[:-1])
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
        for number in reversed(range(len(self.decoder))):
            if number in guides:
                x = self.sampling.up(number, x, guides[number])
            x = self.decoder[number](self._fuse(x, skips[number]))
        return MattingOutput(self.predict(x))

    def _fuse(self, x: Tensor, skip: Tensor) -> Tensor:
        match self.fusion:
            case "concat":
                return torch.cat([x, skip], dim=1)
            case "skip":
                return x + skip
            case "none":
                return x


def _unpooling(fusion: Fusion, context: Context) -> dict[str, str]:
    return {"sampling": "max-unpool", "fusion": fusion, "context": context}


# Table 3.3; B1 is in deeplab.py, B2 in refinenet.py, B3 and B4 in dim.py
_BASELINES = {
    "matting-b5": _unpooling("none", "none"),
    "matting-b6": {"sampling": "max-bilinear", "fusion": "none", "context": "none"},
    "matting-b7": _unpooling("none", "aspp"),
    "matting-b8": _unpooling("skip", "none"),
    "matting-b9": _unpooling("skip", "aspp"),
    "matting-b10": _unpooling("concat", "none"),
}
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
    *(
        ModelInfo(name=name, network=IndexNet, config=config, task="trimap", thesis=Printed("3.3"))
        for name, config in _BASELINES.items()
    ),
    ModelInfo(
        name="matting-b11",
        network=IndexNet,
        config={"sampling": "max-unpool"},
        task="trimap",
        thesis=Printed("3.4", parameters=3.75, operations=4.08),
    ),
    ModelInfo(
        name="matting-b11-1.4",
        network=IndexNet,
        config={"sampling": "max-unpool", "width": 1.4, "channel_multiple": 1},
        task="trimap",
        thesis=Printed("3.4", parameters=8.86, operations=7.61),
        note="edgemat's has 7.25 M parameters and 7.67 operations: all widths of B11 times 1.4, "
        "their fractions cut off as in the authors' code. No rounding (to 1, 2, 4 or 8), no "
        "padding and no width or kind of context that was tried gives 8.86 M.",
    ),
    ModelInfo(
        name="matting-b11-carafe",
        network=IndexNet,
        config={"sampling": "max-carafe"},
        task="trimap",
        thesis=Printed("3.4", parameters=4.06, operations=5.01),
    ),
    ModelInfo(
        name="matting-hmi",
        network=IndexNet,
        config={"sampling": "hmi"},
        task="trimap",
        thesis=Printed("3.4", parameters=3.75, operations=4.08),
    ),
    *index_networks(
        "indexnet",
        IndexNet,
        task="trimap",
        table="3.4",
        parameters=3.753259,
        printed=_ADDED,
        digits=2,
    ),
)
