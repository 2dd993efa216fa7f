"""The importance of a channel: by its weights, by its normalisation, or by the loss without it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from torch import Tensor, nn

from edgemat.artifacts.vocabulary import Importance
from edgemat.errors import UsageError
from edgemat.models.network import MattingNetwork
from edgemat.quantize.pruning.channels import ChannelGraph, ChannelSet

IMPORTANCES: tuple[Importance, ...] = get_args(Importance)


def score_channels(
    network: MattingNetwork,
    graph: ChannelGraph,
    importance: Importance,
    losses: Iterable[Callable[[], Tensor]],
) -> list[float]:
    """Return how much each set matters; see :func:`edgemat.quantize.pruning.prune.prune`."""
    if importance == "taylor":
        return taylor(network, graph, losses)
    sets = graph.sets
    norms = _norms(network, graph, scales_only=importance == "bn")
    means: dict[frozenset[str], list[float]] = {}
    for one, norm in zip(sets, norms, strict=True):
        means.setdefault(one.producers, []).append(norm)
    return [
        norm * len(means[one.producers]) / max(sum(means[one.producers]), 1e-12)
        for one, norm in zip(sets, norms, strict=True)
    ]


def _norms(network: nn.Module, graph: ChannelGraph, *, scales_only: bool) -> list[float]:
    """Return the norm of what makes each set: rows of producers, or scales of normalisation."""
    axes = _output_axes(graph)
    # the norms of some ten thousand short vectors: a tensor's rows at once
    by_row = {
        name: _rows(parameter.detach(), axes.get(name, 0)).norm(dim=1).tolist()
        for name, parameter in network.named_parameters()
    }

    def norm(one: ChannelSet) -> float:
        made = _made(one, axes)
        wanted = {n for n, _ in made if n in graph.scales}
        if not scales_only or not wanted:
            wanted = set(one.producers)
        rows = [by_row[n][i] for n, i in made if n in wanted]
        return math.sqrt(sum(row * row for row in rows))

    return [norm(one) for one in graph.sets]


def _output_axes(graph: ChannelGraph) -> dict[str, int]:
    """Return the axis of each convolution's weight along which its outputs lie."""
    return {c.weight: c.outputs_axis for c in graph.convolutions}


def _rows(values: Tensor, axis: int) -> Tensor:
    """Return `values` with a row for each index along `axis`."""
    along = values.movedim(axis, 0) if values.ndim else values[None]
    return along.reshape(len(along), -1)


def _made(one: ChannelSet, axes: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the slices by which a set's channels are made, not those by which they are read."""
    return [(name, index) for name, axis, index in one.slices if axis == axes.get(name, 0)]


def taylor(
    network: MattingNetwork,
    graph: ChannelGraph,
    losses: Iterable[Callable[[], Tensor]],
) -> list[float]:
    """Return the root mean square, over batches, of the loss' change without each set.

    A channel is gone when the scale and the shift of its normalisation are 0; where it has none,
    when its convolution's weights are.
    """
    axes, norms = _output_axes(graph), graph.scales | graph.shifts
    gates: list[list[tuple[str, int]]] = []
    for one in graph.sets:
        rows = _made(one, axes)
        gate = [(n, i) for n, i in rows if n in norms]
        gates.append(gate or [(n, i) for n, i in rows if n in one.producers])
    parameters = dict(network.named_parameters())
    squares, batches = [0.0] * len(graph.sets), 0
    for loss in losses:
        network.zero_grad(set_to_none=True)
        loss().backward()
        change = {
            name: _rows(p.detach() * p.grad, axes.get(name, 0)).sum(dim=1).tolist()
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
