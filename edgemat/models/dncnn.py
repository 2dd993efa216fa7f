"""DnCNN, which denoises at full resolution, and made like SegNet (thesis, section 3.6.2; fig. 3.9).

    DnCNN         noisy -> 17 convolutions -> noise
    DnCNN-SegNet  noisy -> 2 layers, D - 2, D - 3, D - 3 layers at 1/8
                        -> U - 2, U - 2, U - 2 layers -> 1 convolution -> noise

Both predict the noise and subtract it. The modified network has as many layers: the first nine
are VGG-16's, three times the sampling halves (D), and details come back through it (U) alone, as
there are no skip connections. Table 3.6 compares the samplings.

Zhang et al., "Beyond a Gaussian Denoiser", IEEE Transactions on Image Processing, 2017.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import initialise, scale_channels
from edgemat.models.blocks.index import FAMILIES
from edgemat.models.blocks.sampling import VARIANTS, create_sampling
from edgemat.models.encoders.vgg import vgg_stage
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import Network

EPSILON = 1e-4  # of DnCNN's batch normalisation; 1e-5 elsewhere


class DnCNN(Network):
    """Denoising without downsampling: 556,096 parameters at full width.

    As in the authors' code, the first convolution has a bias, and batch normalisation adds 1e-4 to
    the variance: their weights compute what they were trained to.

    Parameters
    ----------
    in_channels:
        1: grey values in 0..1.
    width:
        Multiplier of all channel counts.
    layers:
        Convolutions in all.
    """

    stride = 1

    def __init__(self, *, in_channels: int = 1, width: float = 1.0, layers: int = 17) -> None:
        super().__init__()
        channels = scale_channels(64, width)

        def conv(inputs: int, outputs: int, *, bias: bool = False) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)

        self.first = nn.Sequential(conv(in_channels, channels, bias=True), nn.ReLU())
        middle: list[nn.Module] = []
        for _ in range(layers - 2):
            norm = nn.BatchNorm2d(channels, eps=EPSILON)
            middle += [conv(channels, channels), norm, nn.ReLU()]
        self.middle = nn.Sequential(*middle)
        self.predict = conv(channels, in_channels)
        initialise(self, fan="in")

    def forward(self, x: Tensor) -> Tensor:
        """Return the clean picture of `x`, B,C,H,W, of any size."""
        y: Tensor = x - self.predict(self.middle(self.first(x)))
        return y


class DnCNNSegNet(Network):
    """Denoising with three times less resolution: 7,087,873 parameters at full width.

    Parameters
    ----------
    in_channels:
        1: grey values in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    """

    stride = 8

    def __init__(
        self, *, in_channels: int = 1, width: float = 1.0, sampling: str = "max-unpool"
    ) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scale_channels(c, width) for c in (64, 128, 256, 512))
        self.sampling = create_sampling(sampling, {0: c64, 1: c128, 2: c256})
        self.encoder = nn.ModuleList(
            [vgg_stage(in_channels, c64, 2), vgg_stage(c64, c128, 2), vgg_stage(c128, c256, 3)]
        )
        self.bottom = nn.Sequential(*vgg_stage(c256, c512, 2), *vgg_stage(c512, c256, 1))
        # decoder stage k undoes encoder stage k and ends in the width of stage k - 1
        self.decoder = nn.ModuleList(
            [vgg_stage(c64, c64, 2), vgg_stage(c128, c64, 2), vgg_stage(c256, c128, 2)]
        )
        self.predict = nn.Conv2d(c64, in_channels, 3, padding=1)
        initialise(self, fan="in")

    def forward(self, x: Tensor) -> Tensor:
        """Return the clean picture of `x`, B,C,H,W, with H and W multiples of 8."""
        noisy, guides = x, []
        for level, stage in enumerate(self.encoder):
            _, x, guide = self.sampling.down(level, stage(x))
            guides.append(guide)

        x = self.bottom(x)
        for level in reversed(range(len(guides))):
            x = self.decoder[level](self.sampling.up(level, x, guides[level]))
        y: Tensor = noisy - self.predict(x)
        return y


_SAMPLINGS = {
    "segnet": "max-unpool",
    "max-carafe": "max-carafe",
    "avg-carafe": "avg-carafe",
    "conv-carafe": "conv-carafe",
    **{f"{family}-{v}": f"{family}-{v}" for family in FAMILIES for v in VARIANTS},
}

MODELS = (
    ModelInfo(name="dncnn", network=DnCNN, task="denoising", thesis=Printed("3.6")),
    *(
        ModelInfo(
            name=f"dncnn-{name}",
            network=DnCNNSegNet,
            config={"sampling": sampling},
            task="denoising",
            thesis=Printed("3.6"),
        )
        for name, sampling in _SAMPLINGS.items()
    ),
)
