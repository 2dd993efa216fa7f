"""The importance of a channel: by its weights, by its normalisation, or by the loss without it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import get_args

from torch import Tensor, nn

from edgemat.artifacts.vocabulary import Importance
from edgemat.errors import UsageError
from edgemat.models.network import MattingNetwork
from edgemat.quantize.pruning.channels import ChannelSet

IMPORTANCES: tuple[Importance, ...] = get_args(Importance)


def score_channels(
    network: MattingNetwork,
    sets: Sequence[ChannelSet],
    importance: Importance,
    losses: Iterable[Callable[[], Tensor]],
) -> list[float]:
    """Return how much each set matters; see :func:`edgemat.quantize.pruning.prune.prune`."""
    if importance == "taylor":
        return taylor(network, sets, losses)
    norms = _norms(network, sets, scales_only=importance == "bn")
    means: dict[frozenset[str], list[float]] = {}
    for one, norm in zip(sets, norms, strict=True):
        means.setdefault(one.producers, []).append(norm)
    return [
        norm * len(means[one.producers]) / max(sum(means[one.producers]), 1e-12)
        for one, norm in zip(sets, norms, strict=True)
    ]


def _norms(network: nn.Module, sets: Sequence[ChannelSet], *, scales_only: bool) -> list[float]:
    """Return the norm of what makes each set: rows of producers, or scales of normalisation."""
    scales = _normalisations(network)
    # the norms of some ten thousand short vectors: a tensor's rows at once
    by_row = {
        name: parameter.detach().reshape(len(parameter), -1).norm(dim=1).tolist()
        for name, parameter in network.named_parameters()
    }

    def norm(one: ChannelSet) -> float:
        wanted = {n for n, axis, _ in one.slices if axis == 0 and n in scales}
        if not scales_only or not wanted:
            wanted = set(one.producers)
        rows = [by_row[n][i] for n, axis, i in one.slices if axis == 0 and n in wanted]
        return math.sqrt(sum(row * row for row in rows))

    return [norm(one) for one in sets]


def _normalisations(network: nn.Module) -> set[str]:
    """Return the names of all scales of batch normalisation."""
    return {
        f"{name}.weight"
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }


def taylor(
    network: MattingNetwork,
    sets: Sequence[ChannelSet],
    losses: Iterable[Callable[[], Tensor]],
) -> list[float]:
    """Return the root mean square, over batches, of the loss' change without each set.

    A channel is gone when the scale and the shift of its normalisation are 0; where it has none,
    when its convolution's weights are.
    """
    scales = _normalisations(network)
    shifts = {name.removesuffix("weight") + "bias" for name in scales}
    gates: list[list[tuple[str, int]]] = []
    for one in sets:
        rows = [(n, i) for n, axis, i in one.slices if axis == 0]
        gate = [(n, i) for n, i in rows if n in scales or n in shifts]
        gates.append(gate or [(n, i) for n, i in rows if n in one.producers])
    parameters = dict(network.named_parameters())
    squares, batches = [0.0] * len(sets), 0
    for loss in losses:
        network.zero_grad(set_to_none=True)
        loss().backward()
        change = {
            name: (p.detach() * p.grad).reshape(len(p), -1).sum(dim=1).tolist()
            for name, p in parameters.items()
            if p.grad is not None
        }
        for number, gate in enumerate(gates):
            squares[number] += sum(change[name][i] for name, i in gate if name in change) ** 2
        batches += 1
    network.zero_grad(set_to_none=True)
    if not batches:
        raise UsageError(
            "Importance by Taylor expansion needs losses.", remedy="Give data, or magnitude or bn."
        )
    return [math.sqrt(square / batches) for square in squares]
