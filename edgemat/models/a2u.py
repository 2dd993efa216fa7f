"""A2U matting on ResNet-34, and the upsamplings it is compared with (thesis, section 4.6).

    RGB + trimap -- stem -- stage 1 -- stage 2 -- stage 3 -- ASPP --+
         1/1    |    1/2 |    1/4 |      1/8 |       1/16            |
              short    short    short      short                     |
                |        |        |          |                       |
    alpha <- up, + <- up, + <- up, + <----- up, + <------------------+

Skips are added, and two residual blocks follow. Table 4.2 varies what "up" is: blind (nearest,
bilinear, CARAFE), or told by the skip how to (an index network, A2U). In the paired form ("-d") the
encoder halves by the same sampling, instead of by strides and max-pooling: kernels then come from
the features that are halved.

The authors' released weights are of two further forms, with biases and 6x6 kernels: a2u-released-cs
(their adobe.yaml) and a2u-released-cw (adobe_unshare.yaml).

Dai, Lu and Shen, "Learning Affinity-Aware Upsampling for Deep Image Matting", CVPR 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.a2u import (
    KernelNormalisation,
    Nonlinearity,
    initialise_affinity,
)
from edgemat.models.blocks.affine import pixel_weight
from edgemat.models.blocks.aspp import ASPP
from edgemat.models.blocks.conv import conv_bn, initialise, scale_channels
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.encoders.resnet34 import BasicBlock, ResNet34
from edgemat.models.indexnet import initialise_head, prediction_head
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingNetwork, MattingOutput

LEVELS = range(4)  # level k is halved from 1/2**k


class A2UMatting(MattingNetwork):
    """Trimap-based matting with one upsampling or another: 8,049,003 parameters and its own.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    paired:
        Whether the encoder halves by the sampling, too.
    kernel, up_kernel, normalisation, nonlinearity, bias:
        Of A2U; see :class:`edgemat.models.blocks.a2u.A2U`.
    """

    encoder: ResNet34
    stride = 16

    def __init__(
        self,
        *,
        in_channels: int = 4,
        width: float = 1.0,
        sampling: str = "a2u-dynamic-cs",
        paired: bool = False,
        kernel: int = 5,
        up_kernel: int = 3,
        normalisation: KernelNormalisation = "sigmoid+softmax",
        nonlinearity: Nonlinearity = "none",
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = ResNet34(in_channels, width=width, strided=not paired)
        c64, c64, c128, c256 = channels = self.encoder.channels
        self.context = ASPP(
            c256,
            c256,
            branch_channels=c256,
            rates=(6, 12, 18),
            separable=True,
            activation=nn.LeakyReLU,
        )
        self.paired = paired
        self.sampling = create_sampling(
            sampling,
            dict(enumerate(channels)),
            affinity={
                "paired": paired,
                "kernel": kernel,
                "up_kernel": up_kernel,
                "normalisation": normalisation,
                "nonlinearity": nonlinearity,
                "bias": bias,
            },
        )
        # decoder level k ends at 1/2**k; its skip is as wide as what is upsampled there
        skips = (in_channels, c64, c64, c128)
        self.shorts = nn.ModuleList(
            conv_bn(skip, c, activation=nn.LeakyReLU)
            for skip, c in zip(skips, channels, strict=True)
        )
        ends = (scale_channels(32, width), *channels[:-1])
        self.decoder = nn.ModuleList(
            nn.Sequential(BasicBlock(c, end), BasicBlock(end, end))
            for c, end in zip(channels, ends, strict=True)
        )
        self.predict = prediction_head(ends[0], kernel=3, activation=nn.LeakyReLU)
        initialise(self)
        initialise_affinity(self.sampling)
        initialise_head(self.predict)

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1, with H and W multiples of 16."""
        skips, guides = [x], {}  # 1/1
        stage1, *stages = self.encoder.stages
        x, guides[0] = self._halve(0, self.encoder.stem(x))
        skips.append(x)  # 1/2
        x, guides[1] = self._halve(1, x)
        x = stage1(x)
        for level, stage in enumerate(stages, start=2):
            skips.append(x)  # 1/4, 1/8
            x, guides[level] = self._halve_within(level, cast(nn.Sequential, stage), x)

        x = self.context(x)  # 1/16
        for level in reversed(LEVELS):
            skip = self.shorts[level](skips[level])
            guide = guides[level] if self.paired else self.sampling.guide(level, skip)
            x = self.decoder[level](self.sampling.up(level, x, guide) + skip)
        return MattingOutput(self.predict(x))

    def _halve(self, level: int, x: Tensor) -> tuple[Tensor, Any]:
        """Return the feature at half the size, and the guide of a paired sampling."""
        if self.paired:
            _, x, guide = self.sampling.down(level, x)
            return x, guide
        # at the other levels the convolution before has stride 2
        return (F.max_pool2d(x, 3, stride=2, padding=1) if level == 1 else x), None

    def _halve_within(self, level: int, stage: nn.Sequential, x: Tensor) -> tuple[Tensor, Any]:
        """Return the stage's feature, halved in its first block, and the guide."""
        first, *others = cast(Iterator[BasicBlock], iter(stage))
        feature, guide = self._halve(level, first.enter(x))
        x = first.leave(x, feature)
        for block in others:
            x = block(x)
        return x, guide

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights of the stem and of the skip at full size."""
        return [pixel_weight(part) for part in (self.encoder.stem, self.shorts[0])]


def _affinity(form: str, **options: Any) -> dict[str, Any]:
    return {"sampling": f"a2u-{form}", **options}


# Table 4.2: arguments, and the parameters that are added to the baseline's 8.05 M
_ROWS: dict[str, tuple[dict[str, Any], float]] = {
    "nearest": ({"sampling": "max-nearest"}, 0),
    "bilinear": ({"sampling": "max-bilinear"}, 0),
    "carafe": ({"sampling": "max-carafe"}, 0.26e6),
    "indexnet": ({"sampling": "m2o-nlc"}, 12.26e6),
    "static-pw-cw": (_affinity("static-pw-cw"), 0.10e6),
    "static-cw": (_affinity("static-cw"), 26e3),
    "hybrid-cw": (_affinity("hybrid-cw"), 44e3),
    "hybrid-cs": (_affinity("hybrid-cs"), 19e3),
    "dynamic-cw": (_affinity("dynamic-cw"), 0.20e6),
    "dynamic-cs": (_affinity("dynamic-cs"), 20e3),
    "dynamic-cs-d": (_affinity("dynamic-cs", paired=True), 38e3),
    "dynamic-cs-d-norm": (_affinity("dynamic-cs", paired=True, nonlinearity="norm"), 38e3),
}
_NOTES = {
    "dynamic-cs": "It adds 19,456. With the biases that the authors' code gives dynamic blocks, it "
    "would add 19,608, which is the printed 20K.",
    "dynamic-cs-d-norm": "The dagger of Table 4.2. It adds 39,936: dynamic-cs-d's 37,888 and 2,048 "
    "of group normalisation, which the thesis does not count.",
}

MODELS = (
    *(
        ModelInfo(
            name=f"a2u-{name}",
            network=A2UMatting,
            config=config,
            task="trimap",
            thesis=Printed("4.2", parameters=round(8.05 + added / 1e6, 3)),
            note=_NOTES.get(name),
        )
        for name, (config, added) in _ROWS.items()
    ),
    *(
        ModelInfo(
            name=f"a2u-released-{name}",
            network=A2UMatting,
            config=_affinity(
                f"dynamic-{name}", paired=True, kernel=6, nonlinearity="norm", bias=True
            ),
            task="trimap",
        )
        for name in ("cs", "cw")
    ),
    ModelInfo(
        name="a2u-static-cs",
        network=A2UMatting,
        config=_affinity("static-cs"),
        task="trimap",
        thesis=Printed("4.8"),
    ),
)
