"""The stages of an encoder: how wide and how large the feature of each is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from torch import nn


class Encoder(nn.ModuleList):
    """Base of encoders: stages that are called one after the other; the owner pools between them.

    >>> from edgemat.models.encoders.mobilenetv2 import MobileNetV2
    >>> encoder = MobileNetV2(3)
    >>> encoder.channels
    (32, 16, 24, 32, 64, 96, 160, 320)
    >>> encoder.pooled, encoder.strides
    ((0, 2, 3, 4, 6), (1, 2, 2, 4, 8, 16, 16, 32))

    Parameters
    ----------
    own_strides:
        By what each stage itself divides the size.

    Attributes
    ----------
    channels:
        Output channels of each stage.
    pooled:
        Numbers of the stages that a pool follows.
    strides:
        Of each stage's output, before that pool: at 4, it is a quarter as high and as wide as the
        input.
    """

    def __init__(
        self,
        stages: Iterable[nn.Module],
        *,
        channels: Sequence[int],
        own_strides: Iterable[int],
        pooled: Collection[int] = (),
    ) -> None:
        super().__init__(stages)
        self.channels, self.pooled = tuple(channels), tuple(pooled)
        strides, stride = [], 1
        for number, own_stride in enumerate(own_strides):
            stride *= own_stride
            strides.append(stride)
            stride *= 2 if number in pooled else 1
        self.strides = tuple(strides)
