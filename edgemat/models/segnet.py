"""SegNet and its samplings: semantic segmentation (thesis, section 3.6.3; Table 3.7).

    RGB -> five stages of VGG-16, D after each (1/32)
        -> five times U and a stage of as many convolutions -> 3x3 convolution -> class scores

D halves, U doubles. There are no skip connections: of details the decoder knows what the sampling
kept, in SegNet itself the indices of max-pooling.

Badrinarayanan et al., "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
Segmentation", IEEE TPAMI, 2017.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import initialise
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.encoders.vgg import STAGES, VGG16, vgg_stage
from edgemat.models.info import ModelInfo, Printed, index_networks
from edgemat.models.network import Network


class SegNet(Network):
    """Semantic segmentation on VGG-16: 24,964,645 parameters at full width with max-unpooling.

    Parameters
    ----------
    in_channels:
        3: RGB in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    classes:
        37 in SUN RGB-D.
    """

    stride = 32

    def __init__(
        self,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        sampling: str = "max-unpool",
        classes: int = 37,
    ) -> None:
        super().__init__()
        self.encoder = VGG16(in_channels, width=width)
        channels = self.encoder.channels
        self.sampling = create_sampling(sampling, dict(enumerate(channels)))
        # decoder stage k undoes encoder stage k and ends in the width of stage k - 1
        self.decoder = nn.ModuleList(
            vgg_stage(channels[stage], channels[max(stage - 1, 0)], layers)
            for stage, (_, layers) in enumerate(STAGES)
        )
        self.classify = nn.Conv2d(channels[0], classes, 3, padding=1)
        initialise(self, fan="in")

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores, B,classes,H,W, of `x`, B,C,H,W, with H and W multiples of 32."""
        guides = []
        for level, stage in enumerate(self.encoder):
            _, x, guide = self.sampling.down(level, stage(x))
            guides.append(guide)

        for level in reversed(range(len(guides))):
            x = self.decoder[level](self.sampling.up(level, x, guides[level]))
        y: Tensor = self.classify(x)
        return y


# Table 3.7: the parameters that an index network adds to SegNet's 24,964,645, and all operations
_ADDED = {
    "hin-l": (23.55e3, 24.79),
    "hin-nl": (4.90e6, 26.40),
    "hin-nlc": (19.55e6, 31.28),
    "modelwise-l": (16, 24.76),
    "modelwise-nl": (56, 24.76),
    "modelwise-nlc": (152, 24.77),
    "shared-l": (80, 24.76),
    "shared-nl": (280, 24.76),
    "shared-nlc": (760, 24.77),
    "unshared-l": (0.02e6, 24.79),
    "unshared-nl": (0.08e6, 24.82),
    "unshared-nlc": (0.22e6, 24.96),
    "m2o-l": (9.76e6, 28.02),
    "m2o-nl": (24.44e6, 32.90),
    "m2o-nlc": (83.02e6, 52.42),
}

MODELS = (
    ModelInfo(
        name="segnet",
        network=SegNet,
        task="segmentation",
        thesis=Printed("3.7", parameters=24.96, operations=24.76),
    ),
    ModelInfo(
        name="segnet-carafe",
        network=SegNet,
        config={"sampling": "max-carafe"},
        task="segmentation",
        thesis=Printed("3.7", parameters=25.35, operations=25.75),
    ),
    *index_networks(
        "segnet", SegNet, task="segmentation", table="3.7", parameters=24.964645, printed=_ADDED
    ),
)
