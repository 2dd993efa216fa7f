"""Deep Image Matting (DIM) without its refinement: B3 of Table 3.3, and B4 without indices.

    RGB + trimap -> VGG-16, max-pooling after each of five stages -> 7x7 and 1x1 convolution
                 -> decoder: unpooling, 5x5 convolution, five times -> 5x5 convolution -> alpha

SegNet's idea for matting: no skip connections, what the decoder knows of details are the indices
of max-pooling. B4 upsamples bilinearly instead, and loses them.

Xu et al., "Deep Image Matting", CVPR 2017.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import initialise, scale_channels
from edgemat.models.blocks.sampling import create_sampling
from edgemat.models.encoders.vgg import VGG16
from edgemat.models.info import ModelInfo, Printed
from edgemat.models.network import MattingNetwork, MattingOutput


def _conv_relu(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    """Convolution and ReLU: the decoder has no batch normalisation."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    return nn.Sequential(conv, nn.ReLU())


class DIM(MattingNetwork):
    """Trimap-based matting on VGG-16: 130,545,345 parameters at full width.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap, all in 0..1.
    width:
        Multiplier of all channel counts.
    sampling:
        See :func:`edgemat.models.blocks.sampling.create_sampling`.
    """

    encoder: VGG16
    stride = 32

    def __init__(
        self, *, in_channels: int = 4, width: float = 1.0, sampling: str = "max-unpool"
    ) -> None:
        super().__init__()
        self.encoder = VGG16(in_channels, width=width)
        channels = self.encoder.channels
        self.sampling = create_sampling(sampling, dict(enumerate(channels)))
        # the first fully connected layer of VGG-16, as a convolution
        connected = scale_channels(4096, width)
        self.context = nn.Sequential(
            *_conv_relu(channels[4], connected, 7), *_conv_relu(connected, channels[4], 1)
        )
        # decoder stage k undoes encoder stage k and ends in the width of stage k - 1
        self.decoder = nn.ModuleList(
            _conv_relu(channels[stage], channels[max(stage - 1, 0)], 5) for stage in range(5)
        )
        self.predict = nn.Conv2d(channels[0], 1, 5, padding=2)
        initialise(self)
        # let the matte start around 0.5
        nn.init.normal_(self.predict.weight, 0.0, 0.01)
        nn.init.constant_(self.predict.bias, 0.5)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1, with H and W multiples of 32."""
        guides = {}
        for number, stage in enumerate(self.encoder):
            _, x, guides[number] = self.sampling.down(number, stage(x))

        x = self.context(x)
        for number in reversed(range(5)):
            x = self.decoder[number](self.sampling.up(number, x, guides[number]))
        return MattingOutput(self.predict(x))


_PRINTED = Printed("3.4", parameters=130.55, operations=32.34)

MODELS = (
    ModelInfo(name="dim", network=DIM, task="trimap", thesis=_PRINTED),
    ModelInfo(name="matting-b3", network=DIM, task="trimap", thesis=_PRINTED),
    ModelInfo(
        name="matting-b4",
        network=DIM,
        config={"sampling": "max-bilinear"},
        task="trimap",
        thesis=Printed("3.3"),
    ),
)
