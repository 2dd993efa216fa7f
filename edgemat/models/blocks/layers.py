"""Blocks that every network shares: convolutions, their initialisation, and widths."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from torch import Tensor, nn

# after batch normalisation: True for ReLU6, False for none, or what makes another one
Activation = bool | Callable[[], nn.Module]


class MattingNetwork(nn.Module):
    """Base of all matting networks: B,C,H,W in 0..1 in, a :class:`MattingOutput` out.

    Attributes
    ----------
    encoder:
        The part that can start from ImageNet weights.
    stride:
        Height and width of the input must be multiples of it.
    """

    encoder: nn.Module
    stride: int

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights that meet the input itself: those of the first convolution.

        A network whose input goes to several convolutions names them all.
        """
        first = next(m for m in self.modules() if isinstance(m, nn.Conv2d))
        return [first.weight]


class MattingOutput(NamedTuple):
    """What a matting network returns.

    Attributes
    ----------
    alpha:
        B,1,H,W; the alpha matte before clamping to 0..1 (losses need the gradient outside).
    trimap_logits:
        B,3,H/4,W/4 class scores (background, unknown, foreground), or None for a network that is
        given its trimap.
    """

    alpha: Tensor
    trimap_logits: Tensor | None = None


def scale_channels(channels: int, width: float, *, multiple: int = 8) -> int:
    """Return `channels` times `width`, rounded to a multiple of 8 as MobileNetV2 does.

    With ``multiple=1`` the fraction is cut off, as in IndexNet's B11-1.4.
    """
    scaled = channels * width
    rounded = max(multiple, int(scaled + multiple // 2) // multiple * multiple)
    return rounded + multiple if rounded < 0.9 * scaled else rounded


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel: int = 3,
    *,
    stride: int = 1,
    padding: int | None = None,
    dilation: int = 1,
    groups: int = 1,
    activation: Activation = True,
) -> nn.Sequential:
    """Convolution without bias, batch normalisation and, unless told otherwise, ReLU6."""
    if padding is None:
        padding = dilation * (kernel - 1) // 2
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(out_channels),
    ]
    if activation:
        layers.append(nn.ReLU6() if activation is True else activation())
    return nn.Sequential(*layers)


def separable_conv_bn(
    in_channels: int,
    out_channels: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    activation: Activation = True,
) -> nn.Sequential:
    """Depthwise 3x3 then pointwise 1x1 convolution, each with batch normalisation and ReLU6."""
    depthwise = conv_bn(
        in_channels,
        in_channels,
        stride=stride,
        dilation=dilation,
        groups=in_channels,
        activation=activation,
    )
    point = conv_bn(in_channels, out_channels, 1, activation=activation)
    return nn.Sequential(*depthwise, *point)


def initialise(network: nn.Module, *, fan: Literal["out", "in"] = "out") -> None:
    """Initialise convolutions with N(0, 2 / (k * k * C)), BN with 1 and 0.

    C is C_out, as IndexNet does, or C_in ("in"): the improved Xavier of sections 3.6.2 and 3.6.3.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            channels = module.out_channels
            if fan == "in":
                channels = module.in_channels // module.groups
            terms = module.kernel_size[0] * module.kernel_size[1] * channels
            nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / terms))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
