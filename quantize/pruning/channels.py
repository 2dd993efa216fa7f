"""The vocabulary of pruning: channels that hang together, and the convolutions that they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class ParameterSlice(NamedTuple):
    """One channel's share of a parameter or buffer.

    Attributes
    ----------
    tensor:
        Its name in the state dict.
    number:
        Along `axis`.
    """

    tensor: str
    axis: int
    number: int


@dataclass(frozen=True)
class ChannelSet:
    """Slices of tensors that stay together or leave together.

    Attributes
    ----------
    producers:
        Weights whose outputs these channels are. Sets of the same producers form a group.
    """

    slices: tuple[ParameterSlice, ...]
    producers: frozenset[str]


@dataclass(frozen=True)
class Convolution:
    """The cost of a convolution: its work is the size of its output times the weights left.

    Attributes
    ----------
    shape:
        Of the weight.
    size:
        Height and width of the output.
    """

    weight: str
    shape: tuple[int, ...]
    size: tuple[int, int]
    groups: int
    stride: int


@dataclass
class ChannelGraph:
    """The channels of one network.

    Attributes
    ----------
    sets:
        All that can leave.
    convolutions:
        In the order of the network.
    left_alone:
        Operators that are not known, whose channels stay.
    """

    sets: list[ChannelSet]
    convolutions: list[Convolution]
    left_alone: set[str]
