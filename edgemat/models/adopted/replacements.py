"""What the operators of adopted networks become: blocks that delegates take, int8 included."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.affine import ScaleShift
from edgemat.models.blocks.pooling import Interleave, Rearrangement
from edgemat.models.narrowing import bias_of


class UnitClamp(nn.Module):
    """Cut to 0..1, which in int8 is the grid that follows, and costs nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(x, 0.0, 1.0)


class Regrid(nn.Module):
    """Multiply by one: in int8, from the grid that a runtime fixes to the one that others need.

    No :class:`~edgemat.models.blocks.affine.ScaleShift` of ones, which is a convolution: what is on
    a fixed grid may have no channels, as the shares of an attention, and needs no weights.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * 1.0


WIDEST_INT8_SOFTMAX = 256
"""Values that an int8 softmax may share 1 out among: of more, equal shares are under a step."""


class WideSoftmax(nn.Module):
    """A softmax over more than :data:`WIDEST_INT8_SOFTMAX` values, as attention over pixels has.

    Runtimes fix the grid of an int8 softmax to steps of 1/256, where nearly all of its shares would
    be 0. This one stays in float, between what it is given and gives on grids of their own.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim)


class Bend(nn.Module):
    """Leaky and parametric ReLU, as ``slope * x + (1 - slope) * relu(x)``.

    Parameters
    ----------
    slope:
        Of the negative half, C numbers.
    """

    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        none, rest = torch.zeros_like(slope), 1 - slope
        self.line = ScaleShift(slope, none)
        # ahead of the rectifier, which int8 runtimes then fuse into it; its sign has to wait
        self.rectified = ScaleShift(rest.abs(), none)
        self.sign = None if bool((rest >= 0).all()) else ScaleShift(rest.sign(), none)

    def forward(self, x: Tensor) -> Tensor:
        half = F.relu(self.rectified(x))
        y: Tensor = self.line(x) + (half if self.sign is None else self.sign(half))
        return y


class ZeroPad(Rearrangement):
    """Pad with zeros: left, right, top, bottom, px; less than none takes away."""

    def __init__(self, padding: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        if not any(self.padding):
            return x
        if self.layout == "nhwc":
            return F.pad(x.permute(0, 2, 3, 1), (0, 0, *self.padding)).permute(0, 3, 1, 2)
        return F.pad(x, self.padding)


class Repeated(nn.Module):
    """Pad with what is at the border: "reflect" leaves the outermost values out, "replicate" not.

    "circular" takes what is at the other border.

    Parameters
    ----------
    padding:
        Left, right, top, bottom, px.
    """

    def __init__(self, padding: tuple[int, int, int, int], mode: str) -> None:
        super().__init__()
        self.padding = padding
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        left, right, top, bottom = self.padding
        return self._pad(self._pad(x, 3, left, right), 2, top, bottom)

    def _pad(self, x: Tensor, dim: int, before: int, after: int) -> Tensor:
        length = int(x.shape[dim])  # a tensor, while Core ML's converter traces
        if before < 0 or after < 0:  # less than none takes away
            first, last = max(0, -before), length - max(0, -after)
            x, length = x.narrow(dim, first, last - first), last - first
            before, after = max(0, before), max(0, after)
        if self.mode == "circular":
            around = [(length - before, before), (0, length), (0, after)]
            parts = [x.narrow(dim, first, count) for first, count in around if count]
            return torch.cat(parts, dim=dim) if before or after else x
        steps = int(self.mode == "reflect")  # from the border inwards, for each further pixel
        ahead = [x.narrow(dim, steps * i, 1) for i in range(before, 0, -1)]
        behind = [x.narrow(dim, length - 1 - steps * i, 1) for i in range(1, after + 1)]
        return torch.cat([*ahead, x, *behind], dim=dim) if before or after else x


class Bins(nn.Module):
    """Adaptive pooling to H,W bins that need not be of one size: to means, or largest values."""

    def __init__(self, size: tuple[int, int], *, largest: bool = False) -> None:
        super().__init__()
        self.size = size
        self.largest = largest

    def forward(self, x: Tensor) -> Tensor:
        rows = self._pool(x, 2, self.size[0])
        return self._pool(rows, 3, self.size[1])

    def _pool(self, x: Tensor, dim: int, bins: int) -> Tensor:
        length = int(x.shape[dim])
        if bins == length:
            return x
        edges = [(i * length // bins, -(-(i + 1) * length // bins)) for i in range(bins)]
        reduce = torch.amax if self.largest else torch.mean
        parts = [reduce(x.narrow(dim, a, b - a), dim, keepdim=True) for a, b in edges]
        return torch.cat(parts, dim=dim) if bins > 1 else parts[0]


class PixelShuffle(nn.Module):
    """B,C s s,H,W to B,C,sH,sW, by slices and :class:`edgemat.models.blocks.pooling.Interleave`."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.places = factor**2
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> Tensor:
        b, channels, height, width = x.shape
        shape = (b, channels // self.places, height, width)
        if channels == self.places:
            maps = [x[:, place : place + 1] for place in range(self.places)]
        else:
            each = x.reshape(b, channels // self.places, self.places, height * width)
            maps = [each[:, :, place].reshape(shape) for place in range(self.places)]
        y: Tensor = self.interleave(maps)
        return y


class TransposedConv2d(nn.Module):
    """A transposed convolution as one convolution for each of its s x s phases, then interleaving.

    Output pixel s m + r sees those kernel places k alone for which s divides r + padding - k. Where
    the phases' results are put between each other, nothing is computed that others only multiply
    by zeros, and int8 delegates know every part. What is over at the end is cut off.

    Parameters
    ----------
    conv:
        Of one stride for rows and columns.
    size:
        H,W of what it is given.

    Attributes
    ----------
    rectifier:
        What follows, on each phase: runtimes fuse it into convolutions, and not into what is
        interleaved. None at first.
    """

    def __init__(self, conv: nn.ConvTranspose2d, size: tuple[int, int]) -> None:
        super().__init__()
        self.rectifier: Callable[[Tensor], Tensor] | None = None
        self.step = int(conv.stride[0])
        self.padding = _numbers(conv.padding)
        self.size = _output_size(conv, size)
        phases = []
        weight = _spread(_as_convolution(conv), conv.dilation, least=self.step)
        for row, column in itertools.product(range(self.step), repeat=2):
            rows, top, bottom = self._taps(0, row, weight.shape[2], size[0])
            columns, left, right = self._taps(1, column, weight.shape[3], size[1])
            part = weight[:, :, rows][..., columns]
            phase = nn.Conv2d(
                conv.in_channels,
                conv.out_channels,
                part.shape[-2:],  # type: ignore[arg-type]  # two numbers
                groups=conv.groups,
                bias=conv.bias is not None,
            )
            with torch.no_grad():
                phase.weight.copy_(part)
                if conv.bias is not None:
                    bias_of(phase).copy_(conv.bias)
            pad = ZeroPad((left, right, top, bottom))
            if left == right >= 0 and top == bottom >= 0:
                phase.padding = (top, left)
                pad = ZeroPad((0, 0, 0, 0))
            phases.append(nn.Sequential(pad, phase))
        self.phases = nn.ModuleList(phases)
        self.interleave = Interleave()

    def _taps(self, axis: int, phase: int, kernel: int, length: int) -> tuple[list[int], int, int]:
        """Return a phase's kernel places, in a convolution's order, and the padding it needs."""
        shift = phase + self.padding[axis]
        taps = list(range(shift % self.step, kernel, self.step))
        ahead = shift // self.step
        outputs = -(-self.size[axis] // self.step)
        return taps[::-1], len(taps) - 1 - ahead, outputs + ahead - length

    def forward(self, x: Tensor) -> Tensor:
        maps = [phase(x) for phase in self.phases]
        if self.rectifier is not None:
            maps = [self.rectifier(one) for one in maps]
        y: Tensor = self.interleave(maps) if self.step > 1 else maps[0]
        for dim, length in enumerate(self.size, start=2):
            if length % self.step:
                y = y.narrow(dim, 0, length)
        return y


def has_phases(conv: nn.ConvTranspose2d) -> bool:
    """Whether :class:`TransposedConv2d` can stand for `conv`."""
    return conv.stride[0] == conv.stride[1]


def _output_size(conv: nn.ConvTranspose2d, size: tuple[int, int]) -> tuple[int, int]:
    """Return H,W of what a transposed convolution makes of H,W."""
    along = zip(
        *(size, conv.stride, _numbers(conv.padding), conv.dilation),
        *(conv.kernel_size, conv.output_padding),
        strict=True,
    )
    height, width = (
        (length - 1) * step - 2 * padding + dilation * (kernel - 1) + more + 1
        for length, step, padding, dilation, kernel, more in along
    )
    return height, width


def _spread(weight: Tensor, dilation: tuple[int, ...], *, least: int) -> Tensor:
    """Return a kernel with its gaps filled by zeros, `least` places or more along each side."""
    *channels, rows, columns = weight.shape
    sides = [(kernel - 1) * gap + 1 for kernel, gap in zip((rows, columns), dilation, strict=True)]
    whole = weight.new_zeros(*channels, *(max(side, least) for side in sides))
    whole[..., : sides[0] : dilation[0], : sides[1] : dilation[1]] = weight
    return whole


def _numbers(padding: str | tuple[int, ...]) -> tuple[int, ...]:
    """Return the padding of a transposed convolution, which torch types as other ones' as well."""
    assert not isinstance(padding, str)
    return padding


def _as_convolution(conv: nn.ConvTranspose2d) -> Tensor:
    """Return the weights O,I/groups,kh,kw, in the kernel's own order of places."""
    weight = conv.weight.detach()
    inputs, outputs, *kernel = weight.shape
    grouped = weight.reshape(conv.groups, inputs // conv.groups, outputs, *kernel)
    return grouped.transpose(1, 2).reshape(conv.out_channels, inputs // conv.groups, *kernel)
