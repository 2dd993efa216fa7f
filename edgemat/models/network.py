"""The base of every network, the base of those that matte, and what these return."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

from edgemat.models.blocks.affine import pixel_weight

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)
"""A module that comes back as what it was."""


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
    segmentation:
        Names of the modules that estimate the trimap, encoder and decoder; None where none is.
    matting_layers:
        Layers that an IndexNet has, too: own name to the name there. What is not in `segmentation`
        is the matting decoder.
    fixed_size:
        H,W of the pictures that it takes; None for one that takes any of its stride.
    """

    encoder: nn.Module
    segmentation: tuple[str, str] | None = None
    matting_layers: Mapping[str, str] = MappingProxyType({})
    fixed_size: tuple[int, int] | None = None

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> MattingOutput: ...

    def parts(self, which: Literal["segmentation", "matting"]) -> list[nn.Module]:
        """Return the modules of one part: what estimates the trimap, or all else with weights."""
        names = self.segmentation or ()
        if which == "segmentation":
            return [self.get_submodule(name) for name in names]
        # a child of which a part estimates the trimap does nothing else
        top = {name.partition(".")[0] for name in names}
        return [child for name, child in self.named_children() if name not in top]

    def pixel_weights(self) -> list[Tensor]:
        """Return the weights that meet the input itself: those of the first convolution, or affine.

        A network whose input goes to several convolutions names them all.
        """
        return [pixel_weight(self)]

    def ends_in_resize(self) -> bool:
        """Tell whether its matte comes from a resize, which int8 kernels do on one grid."""
        return False


@runtime_checkable
class Deployable(Protocol):
    """A block that phones run in another form than training does."""

    def deploy(self) -> nn.Module:
        """Return that form: the same function, with the same weights."""
        ...
