"""FastDepth and its samplings: depth from a single picture (thesis, section 3.6.4; figure 3.12).

    RGB -> MobileNet, D after five stages (1/32)
        -> five times 5x5 depthwise and 1x1 convolution, then U -> 1x1 convolution -> depth

D halves, U doubles: FastDepth strides and takes the nearest neighbour (NNConv5). FastDepth-P has
the same convolutions at stride 1 and max-pooling after them; there, index networks and CARAFE can
take the place of pooling and upsampling.

Wofk et al., "FastDepth: Fast Monocular Depth Estimation on Embedded Systems", ICRA 2019.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from edgemat.models.blocks.conv import conv_bn, initialise
from edgemat.models.blocks.sampling import INDEX_SAMPLINGS, create_sampling
from edgemat.models.encoders.mobilenetv1 import MobileNetV1
from edgemat.models.info import ModelInfo, Printed, index_networks
from edgemat.models.network import Network


class FastDepth(Network):
    """Depth on MobileNet: 3,960,930 parameters at full width with nearest-neighbour upsampling.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    strided:
        Whether the encoder strides by itself; only the sampling's upsampling serves then.
    """

    stride = 32

    def __init__(
        self,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        sampling: str = "max-nearest",
        strided: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = MobileNetV1(in_channels, width=width, strided=strided)
        *halved, deepest = self.encoder.channels
        # what decoder stage k gives, and U doubles: half of what encoder stage k gave, but for 0
        doubled = [halved[0], *(c // 2 for c in halved[1:])]
        self.sampling = create_sampling(
            sampling, dict(enumerate(halved if sampling in INDEX_SAMPLINGS else doubled))
        )
        self.decoder = nn.ModuleList(
            conv5(before, after)
            for before, after in zip([*doubled[1:], deepest], doubled, strict=True)
        )
        self.predict = nn.Sequential(*conv_bn(doubled[0], 1, 1, activation=False), nn.ReLU())
        initialise(self, fan="in")

    def forward(self, x: Tensor) -> Tensor:
        """Return the depth, B,1,H,W, not negative, of `x`, B,C,H,W; H and W multiples of 32."""
        guides: dict[int, Any] = {}
        for number, stage in enumerate(self.encoder):
            x = stage(x)
            if number in self.encoder.pooled:
                _, x, guides[number] = self.sampling.down(number, x)

        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](x)
            guide = guides.get(level)
            if guide is not None:
                guide = match_channels(guide, x.shape[1])
            x = self.sampling.up(level, x, guide)
        y: Tensor = self.predict(x)
        return y


def conv5(in_channels: int, out_channels: int) -> nn.Sequential:
    """5x5 depthwise, then 1x1 convolution, each with batch normalisation and ReLU."""
    return nn.Sequential(
        *conv_bn(in_channels, in_channels, 5, groups=in_channels, activation=False),
        nn.ReLU(),
        *conv_bn(in_channels, out_channels, 1, activation=False),
        nn.ReLU(),
    )


def match_channels(index: Tensor, channels: int) -> Tensor:
    """Return the index map for a feature of `channels` channels: means of neighbouring ones.

    The decoder is half as wide as the encoder at the same size, so that an index map of every
    channel has two for each of the decoder's. How figure 3.12 makes them meet is not said; this
    takes no parameters, as the increases of Table 3.9 demand. A holistic map fits as it is.
    """
    b, c, h, w = index.shape
    if c in (1, channels):
        return index
    return index.reshape(b, channels, c // channels, h, w).mean(dim=2)


# Table 3.9: the parameters that an index network adds to FastDepth's 3,960,930, and all operations
_ADDED = {
    "hin-l": (31.23e3, 1.03),
    "hin-nl": (11.17e6, 2.65),
    "hin-nlc": (44.62e6, 7.53),
    "modelwise-l": (16, 1.02),
    "modelwise-nl": (56, 1.02),
    "modelwise-nlc": (152, 1.02),
    "shared-l": (80, 1.02),
    "shared-nl": (280, 1.02),
    "shared-nlc": (760, 1.02),
    "unshared-l": (31.23e3, 1.03),
    "unshared-nl": (0.11e6, 1.06),
    "unshared-nlc": (0.30e6, 1.16),
    "m2o-l": (22.30e6, 4.27),
    "m2o-nl": (55.78e6, 9.15),
    "m2o-nlc": (189.57e6, 28.67),
}

# The rows that add least: the thesis prints 1.02 for all six modelwise and shared ones. Its other
# rows agree with edgemat's whether the network they are added to counts 1.0129 or up to 1.0150.
_NOTE = (
    "1.01 operations: the index network adds less than 0.001 to FastDepth-P's 1.0129. A modified "
    "decoder of 1.0148 would print 1.02 here and what is printed in all other rows, but must not "
    "add parameters; none was found."
)
_NOTED = ("modelwise-l", "modelwise-nl", "shared-l", "shared-nl")

MODELS = (
    ModelInfo(
        name="fastdepth",
        network=FastDepth,
        config={"strided": True},
        task="depth",
        thesis=Printed("3.9", parameters=3.96, operations=0.69),
    ),
    ModelInfo(
        name="fastdepth-p",
        network=FastDepth,
        task="depth",
        thesis=Printed("3.9", parameters=3.96, operations=1.01),
    ),
    ModelInfo(
        name="fastdepth-carafe",
        network=FastDepth,
        config={"sampling": "max-carafe", "strided": True},
        task="depth",
        thesis=Printed("3.9", parameters=4.31, operations=1.63),
    ),
    ModelInfo(
        name="fastdepth-p-carafe",
        network=FastDepth,
        config={"sampling": "max-carafe"},
        task="depth",
        thesis=Printed("3.9", parameters=4.31, operations=1.96),
    ),
    *index_networks(
        "fastdepth",
        FastDepth,
        task="depth",
        table="3.9",
        parameters=3.960930,
        printed=_ADDED,
        notes=dict.fromkeys(_NOTED, _NOTE),
    ),
)
