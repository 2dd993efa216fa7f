"""Image reconstruction: what of a picture survives a sampling (sections 3.5, 4.5; Tables 3.2, 4.1).

    picture -> C(32) - D - C(64) - D - C(128) - D - C(256)
            -> C(128) - U - C(64) - U - C(32) - U - C(1) -> the same picture

C(k) is a 3x3 convolution to k channels with batch normalisation and ReLU, D halves, U doubles
(section 4.8.1). There are no skip connections: details come back through the sampling alone.
Fashion-MNIST is enlarged from 28 to 32 pixels for it.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import initialise, scale_channels
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.encoders.vgg import vgg_stage
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import Network

WIDTHS = (32, 64, 128, 256)


class Reconstruction(Network):
    """An autoencoder that is as good as its sampling.

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
        *widths, bottom = (scale_channels(c, width) for c in WIDTHS)
        self.sampling = create_sampling(sampling, dict(enumerate(widths)))
        factor = self.sampling.factor  # space-to-depth gives, depth-to-space takes, four channels
        inputs = [in_channels, *(c * factor for c in widths)]
        self.encoder = nn.ModuleList(
            vgg_stage(before, c, 1) for before, c in zip(inputs, [*widths, bottom], strict=True)
        )
        # decoder stage k ends in what is doubled at level k; the last one gives the picture
        ends = [in_channels, *widths]
        starts = [*(c // factor for c in widths), bottom]
        self.decoder = nn.ModuleList(
            vgg_stage(start, end, 1) for start, end in zip(starts, ends, strict=True)
        )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the picture `x`, B,C,H,W in 0..1, as it comes back; H and W multiples of 8."""
        guides = []
        *stages, bottom = self.encoder
        for level, stage in enumerate(stages):
            _, x, guide = self.sampling.down(level, stage(x))
            guides.append(guide)

        x = bottom(x)
        last, *stages = self.decoder
        for level in reversed(range(len(guides))):
            x = self.sampling.up(level, stages[level](x), guides[level])
        y: Tensor = last(x)
        return y


_SAMPLINGS = {
    "avgpool-nn": "avg-nearest",
    "conv-bilinear": "conv-bilinear",
    "s2d-d2s": "s2d-d2s",
    "conv-deconv": "conv-deconv",
    "conv-carafe": "conv-carafe",
    "maxpool-unpool": "max-unpool",
    "index-modelwise": "modelwise-nlc",
    "index-hin": "hin-nlc",
    "index-m2o": "m2o-nlc",
}
# Of Table 4.1 alone. Its index networks are linear with context and only upsample by their index;
# its "depthwise" one with a double dagger is many to one, as that sign means in Table 3.2.
_SAMPLINGS_4_1 = {
    "conv-nearest": "conv-nearest",
    "maxpool-carafe1": "max-carafe1",
    "maxpool-index-hin": "max-hin-lc",
    "maxpool-index-m2o": "max-m2o-lc",
    "a2u": "a2u-reconstruct",
}
TABLE_4_1 = (
    *("conv-nearest", "conv-bilinear", "conv-deconv", "s2d-d2s", "maxpool-unpool"),
    *("maxpool-carafe1", "maxpool-index-hin", "a2u", "maxpool-index-m2o"),
)
"""Its rows in order, behind ``reconstruct-``; "P.S." is space-to-depth and back."""

MODELS = tuple(
    ModelInfo(
        name=f"reconstruct-{name}",
        network=Reconstruction,
        config={"sampling": sampling},
        task="reconstruction",
        thesis=Printed(table),
    )
    for table, samplings in (("3.2", _SAMPLINGS), ("4.1", _SAMPLINGS_4_1))
    for name, sampling in samplings.items()
)
