"""Pixels as trained weights expect them: a scale and a shift for every channel.

Weights of ImageNet were trained on (pixel - mean) / deviation, and networks here take pixels in
0..1. The statistics could be folded into the first convolution, but for its padding: it pads with
zeros, which were the mean colour in training and would be black here. What is learned of a
picture's border would be wrong, and in deep features that border is wide.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from edgemat.models.narrowing import bias_of, child

NAME = "normalise"  # of the affine, in the convolution and in every state dict


class ChannelAffine(nn.Module):
    """``scale * x + shift``, one of each for every channel; constants, not learned.

    >>> import torch
    >>> from edgemat.models.blocks.affine import ChannelAffine
    >>> normalise = ChannelAffine.of(torch.tensor([0.5]), torch.tensor([0.25]), channels=2)
    >>> normalise(torch.ones(1, 2, 1, 1)).flatten()
    tensor([2., 1.])

    Parameters
    ----------
    scale, shift:
        C numbers each.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        # of three dimensions: what has four is a convolution's, and may be stored in half precision
        self.register_buffer("scale", scale.reshape(-1, 1, 1).clone())
        self.register_buffer("shift", shift.reshape(-1, 1, 1).clone())

    @classmethod
    def of(cls, mean: Tensor, deviation: Tensor, *, channels: int) -> ChannelAffine:
        """Return (x - mean) / deviation; channels beyond theirs, a trimap, pass as they are."""
        scale, shift = torch.ones(channels), torch.zeros(channels)
        scale[: len(mean)], shift[: len(mean)] = 1 / deviation, -mean / deviation
        return cls(scale, shift)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift

    def deploy(self) -> PointAffine:
        return PointAffine(self)


class ScaleShift(nn.Conv2d):
    """``scale * x + shift`` as a depthwise 1x1 convolution: one operator in every delegate.

    In int8, a weight a channel is exact on its channel's grid.

    Parameters
    ----------
    scale, shift:
        C numbers each.
    """

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        channels = len(scale)
        super().__init__(channels, channels, 1, groups=channels)
        with torch.no_grad():
            self.weight.copy_(scale.reshape(-1, 1, 1, 1))
            bias_of(self).copy_(shift)


class PointAffine(ScaleShift):
    """A :class:`ChannelAffine` in the deploy form; training leaves its weights as they are."""

    def __init__(self, affine: ChannelAffine) -> None:
        super().__init__(affine.scale.flatten(), affine.shift.flatten())


class NormalisedConv2d(nn.Conv2d):
    """A convolution behind an affine, that pads what the affine gives.

    Parameters
    ----------
    conv:
        Whose settings and parameters it takes over.
    normalise:
        Of as many channels as the convolution takes.
    """

    def __init__(self, conv: nn.Conv2d, normalise: ChannelAffine | PointAffine) -> None:
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]  # a pair, whatever torch's stubs say
            conv.stride,  # type: ignore[arg-type]
            conv.padding,  # type: ignore[arg-type]
            conv.dilation,  # type: ignore[arg-type]
            conv.groups,
            bias=conv.bias is not None,
        )
        self.weight, self.bias = conv.weight, conv.bias
        self.normalise = normalise
        self.train(conv.training)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.normalise(x))

    def deploy(self) -> nn.Conv2d:
        """Return a plain convolution where nothing is padded, which is exact; else both."""
        affine = child(self, "normalise", ChannelAffine)
        if any(self.padding):
            return NormalisedConv2d(self, affine.deploy())
        folded = nn.Conv2d(
            self.in_channels,
            self.out_channels,
            self.kernel_size,  # type: ignore[arg-type]
            self.stride,  # type: ignore[arg-type]
            dilation=self.dilation,  # type: ignore[arg-type]
        )
        with torch.no_grad():
            folded.weight.copy_(self.weight * affine.scale)
            bias_of(folded).copy_((self.weight * affine.shift).sum(dim=(1, 2, 3)))
            if self.bias is not None:
                bias_of(folded).add_(self.bias)
        return folded.train(self.training)


def normalise_input(part: nn.Module, mean: Tensor, deviation: Tensor) -> None:
    """Let the first convolution inside of `part`, in place, see (pixels - mean) / deviation.

    Where the mean is 0 and the deviation 1 nothing is added.

    Parameters
    ----------
    mean, deviation:
        A number for each colour; channels after them, a trimap, are left as they are.
    """
    if not mean.any() and (deviation == 1).all():
        return
    name, conv = _first(part)
    _replace(part, name, ChannelAffine.of(mean, deviation, channels=conv.in_channels))


def add_affines(model: nn.Module, names: Iterable[str]) -> None:
    """Give `model`, in place, the affines that a state dict has, by the names of its tensors.

    Their values are not defined afterwards: load the state dict.

    Parameters
    ----------
    model:
        A network, or a deploy form.
    """
    modules = dict(model.named_modules())
    for name in names:
        path, _, leaf = name.rpartition(".")
        owner, _, last = path.rpartition(".")
        conv = modules.get(owner)
        if last != NAME or leaf not in ("scale", "weight") or type(conv) is not nn.Conv2d:
            continue
        affine = ChannelAffine(torch.ones(conv.in_channels), torch.zeros(conv.in_channels))
        _replace(model, owner, affine if leaf == "scale" else affine.deploy())


def pixel_weight(part: nn.Module, colours: int | None = None) -> Tensor:
    """Return the weight that meets the input of `part`: of its first convolution, or its affine's.

    Parameters
    ----------
    colours:
        How many of the input's channels count; None for all.
    """
    _, conv = _first(part)
    if not isinstance(conv, NormalisedConv2d):
        return conv.weight[:, :colours]
    affine = conv.normalise
    return (affine.scale if isinstance(affine, ChannelAffine) else affine.weight)[:colours]


def _first(part: nn.Module) -> tuple[str, nn.Conv2d]:
    return next((n, m) for n, m in part.named_modules() if isinstance(m, nn.Conv2d))


def _replace(model: nn.Module, name: str, affine: ChannelAffine | PointAffine) -> None:
    path, _, last = name.rpartition(".")
    conv = child(model, name, nn.Conv2d)
    setattr(model.get_submodule(path), last, NormalisedConv2d(conv, affine.to(conv.weight.device)))
