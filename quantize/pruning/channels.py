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
class ConvolutionCost:
    """The cost of a convolution: its work is the size of its output times the weights left.

    Attributes
    ----------
    shape:
        Outputs, inputs of a group, height and width of the kernel. A linear layer is one of a
        single pixel for each of its rows, a transposed one as what each of its outputs sees.
    size:
        Height and width of the output.
    outputs_axis:
        Of the weight as it is stored: 1 for transposed convolutions.
    """

    weight: str
    shape: tuple[int, ...]
    size: tuple[int, int]
    groups: int
    stride: int
    outputs_axis: int = 0

    @property
    def axes(self) -> tuple[int, int]:
        """Of the weight: that of the outputs, and that of the inputs."""
        return self.outputs_axis, 1 - self.outputs_axis


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
        Operators through which channels cannot be followed: those that meet them stay.
    scales, shifts:
        Parameters of normalisation: without both a channel is gone.
    """

    sets: list[ChannelSet]
    convolutions: list[ConvolutionCost]
    left_alone: set[str]
    scales: set[str]
    shifts: set[str]
