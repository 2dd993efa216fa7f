"""The base of every network, the base of those that matte, and what these return."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from edgemat.models.blocks.affine import pixel_weight


class Network(nn.Module):
    """Base of all networks: B,C,H,W in 0..1 in.

    Attributes
    ----------
    stride:
        Height and width of the input must be multiples of it.
    """

    stride: int


class MattingOutput(NamedTuple):
    """The output of a matting network.

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


class Mattes(Protocol):
    """Whatever is called as a matting network is: one in training, its teacher, a wrapped one."""

    def __call__(self, x: Tensor) -> MattingOutput:
        """Return the matte of `x`, B,C,H,W in 0..1."""
        ...


class MattingNetwork(Network):
    """Base of all matting networks: B,C,H,W in 0..1 in, a :class:`MattingOutput` out.

    Attributes
    ----------
    encoder:
        The part that can start from ImageNet weights.
    fixed_size:
        H,W of the pictures that it takes; None for one that takes any of its stride.
    """

    encoder: nn.Module
    fixed_size: tuple[int, int] | None = None

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> MattingOutput: ...

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights that meet the input itself: those of the first convolution, or affine.

        A network whose input goes to several convolutions names them all.
        """
        return [pixel_weight(self)]


@runtime_checkable
class Deployable(Protocol):
    """A block that phones run in another form than training does."""

    def deploy(self) -> nn.Module:
        """Return that form: the same function, with the same weights."""
        ...
