"""The first 11 residual blocks of ResNet-34, as the encoder of A2U matting (thesis, section 4.6).

The last stage of ResNet-34, 512 wide, is left out: the output stride is 16. Batch normalisation is
followed by leaky ReLU, as in the in-place form (that saves memory in training, nothing else).

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgemat.models.blocks.conv import conv_bn, scale_channels

STEM_CHANNELS = 64
# width and number of blocks of stages 1 to 3
STAGES = ((64, 3), (128, 4), (256, 4))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, added to the input, or to its 1x1 projection.

    Parameters
    ----------
    halves:
        Whether the block halves the size.
    strided:
        Whether its first convolution does so, by stride 2. Else the owner does, between ``enter``
        and ``leave``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, halves: bool = False, strided: bool = True
    ) -> None:
        super().__init__()
        stride = 2 if halves and strided else 1
        self.first = conv_bn(in_channels, out_channels, stride=stride, activation=nn.LeakyReLU)
        self.second = conv_bn(out_channels, out_channels, activation=False)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels or halves:
            stride = 2 if halves else 1
            self.shortcut = conv_bn(in_channels, out_channels, 1, stride=stride, activation=False)
        self.activation = nn.LeakyReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(x, self.enter(x))

    def enter(self, x: Tensor) -> Tensor:
        """Return the feature between the convolutions."""
        y: Tensor = self.first(x)
        return y

    def leave(self, x: Tensor, feature: Tensor) -> Tensor:
        """Return the block's output, from its input and the feature between."""
        y: Tensor = self.activation(self.second(feature) + self.shortcut(x))
        return y


class ResNet34(nn.Module):
    """Stem, at 1/2, and three stages, at 1/4, 1/8 and 1/16; the owner pools between the first two.

    Parameters
    ----------
    in_channels:
        4: RGB and trimap.
    width:
        Multiplier of all channel counts.
    strided:
        Whether the stem and the first blocks of stages 2 and 3 stride by themselves. Else the owner
        halves, after the stem and within those blocks.

    Attributes
    ----------
    channels, strides:
        Of the outputs of the stem and of each stage; see
        :class:`edgemat.models.encoders.encoder.Encoder`, which this is none of: the owner may halve
        within its stages.
    stages:
        The three, each made of :class:`BasicBlock`.
    """

    strides = (2, 4, 8, 16)

    def __init__(self, in_channels: int, *, width: float = 1.0, strided: bool = True) -> None:
        super().__init__()
        self.channels = tuple(
            scale_channels(c, width) for c in (STEM_CHANNELS, *(c for c, _ in STAGES))
        )
        self.stem = conv_bn(
            in_channels, self.channels[0], 7, stride=2 if strided else 1, activation=nn.LeakyReLU
        )
        self.stages = nn.ModuleList()
        for number, (_, blocks) in enumerate(STAGES, start=1):
            before, after = self.channels[number - 1], self.channels[number]
            first = BasicBlock(before, after, halves=number > 1, strided=strided)
            others = (BasicBlock(after, after) for _ in range(blocks - 1))
            self.stages.append(nn.Sequential(first, *others))
