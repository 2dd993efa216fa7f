"""The parts of networks: convolutions, their widths, and how they are initialised."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from torch import nn

# after batch normalisation: True for ReLU6, False for none, or what makes another one
Activation = bool | Callable[[], nn.Module]


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
