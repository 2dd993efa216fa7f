"""How a stranger's network is fed and read: pixels in 0..1 in, alpha in 0..1 of their size out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from edgemat.errors import OutputWarning, UsageError, nearest

MOST_PLAIN = 2
"""Channels of a map whose matte is known without being told: its only one, or the second of two."""


class Adapted(nn.Module):
    """A stranger's network as edgemat's are: pixels in 0..1 in, alpha in 0..1 of their size out.

    Parameters
    ----------
    module:
        B,C,H,W in; a map, or several of them, out.
    mean, deviation:
        What the network expects to be taken off pixels, and to be divided by; a number for each
        channel of the picture. A trimap's channel passes as it is.
    output:
        Of several: its key, or its number; by default the first, where it can be a matte.
    channel:
        Of the map; None where it has one, or where the second of two is the foreground.
    logits:
        Whether the map is scores: then a sigmoid, or with several channels a softmax, follows.
    sure:
        Whether one of several outputs or channels that may not be the matte is refused, where none
        is named; else the first output is read, and its last channel.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        mean: tuple[float, ...] = (),
        deviation: tuple[float, ...] = (),
        output: str | None = None,
        channel: int | None = None,
        logits: bool = False,
        sure: bool = True,
    ) -> None:
        super().__init__()
        self.module = module
        self.output, self.channel, self.logits, self.sure = output, channel, logits, sure
        self.affine = bool(mean or deviation)
        means, deviations = mean or (0.0,) * 3, deviation or (1.0,) * 3
        self.register_buffer("mean", torch.tensor([*means, 0.0]).reshape(1, 4, 1, 1))
        self.register_buffer("deviation", torch.tensor([*deviations, 1.0]).reshape(1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        size, channels = x.shape[-2:], x.shape[1]
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        if self.affine:
            x = (x - mean[:, :channels]) / deviation[:, :channels]
        y = self._chosen(self.module(x))
        self._require_channel(y)
        if self.logits and y.shape[1] == 1:
            y = torch.sigmoid(_resized(y, size))
        elif self.logits and y.shape[1] == 2:  # softmax of two
            front = 1 if self.channel is None else self.channel
            other = 1 - front
            y = torch.sigmoid(_resized(y[:, front : front + 1] - y[:, other : other + 1], size))
        else:
            y = torch.softmax(y, dim=1) if self.logits else y
            if y.shape[1] > 1:
                channel = y.shape[1] - 1 if self.channel is None else self.channel
                y = y[:, channel : channel + 1]
            y = _resized(y, size)
        return y

    def _require_channel(self, y: Tensor) -> None:
        if y.ndim != 4:
            raise UsageError(
                f"The network gives {' x '.join(map(str, y.shape))}, and not a map B,C,H,W.",
                remedy="Let its forward pass return one, or choose another output by --map.",
            )
        if self.channel is not None and not 0 <= self.channel < y.shape[1]:
            raise UsageError(
                f"The network's map has no channel {self.channel}.",
                remedy=f"Give --channel from 0 to {y.shape[1] - 1}.",
            )
        if self.sure and self.channel is None and y.shape[1] > MOST_PLAIN:
            raise UsageError(
                f"The network's map has {y.shape[1]} channels: any of them may be the matte.",
                remedy=f"Give --channel from 0 to {y.shape[1] - 1}, or another output by --map.",
            )

    def _chosen(self, given: Any) -> Tensor:
        """Return the map of that key or number; without one the first, if it can be a matte."""
        maps = dict(_maps(given))
        if not maps:
            raise UsageError(
                f"The network gives {type(given).__name__}, and not a map.",
                remedy="Let its forward pass return a tensor B,C,H,W.",
            )
        if self.output is not None:
            return maps[_named(self.output, list(maps))]
        if len(maps) == 1 or not self.sure:
            return next((one for one in maps.values() if one.ndim == 4), next(iter(maps.values())))
        (name, first), listed = next(iter(maps.items())), ", ".join(maps)
        if first.ndim != 4 or (self.channel is None and first.shape[1] > MOST_PLAIN):
            raise UsageError(
                f"The network gives {len(maps)} outputs ({listed}), and the first, "
                f"{' x '.join(map(str, first.shape))}, is no single map.",
                remedy="Say by --map which one is the matte.",
            )
        text = f"The network gives {len(maps)} outputs ({listed}); {name} is taken for the matte."
        warnings.warn(f"{text} --map chooses another.", OutputWarning, stacklevel=2)
        return first


def _maps(given: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """Give every tensor of an output with its name, "aux" or "maps.1"."""
    if isinstance(given, Tensor):
        yield path, given
    elif hasattr(given, "_asdict"):
        yield from _maps(given._asdict(), path)
    elif isinstance(given, list | tuple):
        yield from _maps(dict(enumerate(given)), path)
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield from _maps(value, f"{path}.{key}" if path else str(key))


def _named(output: str, names: list[str]) -> str:
    """Return the map of a name; of the first part of one, or of its number, the first that has it.

    Raises
    ------
    UsageError
        When there is none.
    """
    groups = list(dict.fromkeys(name.split(".")[0] for name in names))
    if output.isdecimal() and output not in groups and int(output) < len(groups):
        output = groups[int(output)]
    for name in names:
        if name == output or name.startswith(f"{output}."):
            return name
    raise UsageError(f"The network gives no {output!r}.", remedy=nearest(output, names))


def _resized(y: Tensor, size: Any) -> Tensor:
    if y.shape[-2:] == size:
        return y
    return nn.functional.interpolate(y, size=size, mode="bilinear", align_corners=False)
