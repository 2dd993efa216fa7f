"""Structured pruning: the channels that matter least leave, and so do their cost.

Channels leave in blocks of eight within a *group*, the channels of the same convolutions: that is
what kernels on phones are fast at. The next block is always the one that costs the matte least for
what it saves, in multiply-accumulates or in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from edgemat.errors import UsageError
from edgemat.models.network import MattingNetwork
from edgemat.models.pruned import fit_channels, settle_channels, shapes_of
from edgemat.quantize.channels import ChannelGraph, ChannelSet, Convolution, trace_channels

Importance = Literal["taylor", "magnitude", "bn"]
IMPORTANCES: tuple[Importance, ...] = get_args(Importance)
# What a convolution costs with so many input and output channels.
CostModel = Callable[[Convolution, int, int], float]

MULTIPLE = 8


def macs(convolution: Convolution, inputs: int, outputs: int) -> float:
    """Return the multiply-accumulates of one picture."""
    _, _, *kernel = convolution.shape
    if convolution.groups > 1:
        inputs = 1
    return float(math.prod((*convolution.size, *kernel, inputs, outputs)))


@dataclass(frozen=True)
class Pruned:
    """What pruning did.

    Attributes
    ----------
    cost_before, cost_after:
        In the unit of the cost model.
    removed:
        How many channel sets left.
    """

    cost_before: float
    cost_after: float
    removed: int


def prune(
    network: MattingNetwork,
    example: Tensor,
    target: float,
    *,
    importance: Importance = "taylor",
    losses: Iterable[Callable[[], Tensor]] = (),
    cost: CostModel = macs,
    least: int = MULTIPLE,
) -> Pruned:
    """Remove channels of `network`, in place, until its convolutions cost at most `target`.

    Parameters
    ----------
    example:
        An input of the size that costs are counted for, B,C,H,W.
    target:
        In the unit of `cost`.
    importance:
        "magnitude": the norm of a channel's weights; "bn": the scale of its normalisation; both
        against the mean of their layer. "taylor": how much the loss changes, to first order, when
        the channel is taken away (Molchanov et al., "Importance Estimation for Neural Network
        Pruning", CVPR 2019).
    losses:
        For "taylor": each computes the loss of `network` on one batch.
    least:
        Channels that a group keeps at least.

    Raises
    ------
    UsageError
        When the target cannot be reached; the network is as it was.
    """
    graph = trace_channels(network, example)
    scores = _scores(network, graph.sets, importance, losses)
    budget = _Budget(graph, cost, least)
    removed = budget.choose(scores, target)
    remove_channels(network, [graph.sets[number] for number in removed])
    settle_channels(network, example)
    return Pruned(budget.before, budget.total, len(removed))


def total_cost(network: MattingNetwork, example: Tensor, cost: CostModel) -> float:
    """Return what the convolutions of `network` cost together."""
    convolutions = trace_channels(network, example).convolutions
    return sum(cost(c, c.shape[1], c.shape[0]) for c in convolutions)


def remove_channels(network: nn.Module, sets: Sequence[ChannelSet]) -> None:
    """Take the slices of `sets` out of all weights and statistics, in place."""
    gone: dict[tuple[str, int], set[int]] = {}
    for one in sets:
        for name, axis, index in one.places:
            gone.setdefault((name, axis), set()).add(index)
    state = network.state_dict()
    for (name, axis), indices in gone.items():
        stay = [i for i in range(state[name].shape[axis]) if i not in indices]
        state[name] = state[name].index_select(axis, torch.tensor(stay, dtype=torch.long))
    fit_channels(network, shapes_of(state))
    network.load_state_dict(state)


# ---- how much a channel matters ---------------------------------------------------------------


def _scores(
    network: MattingNetwork,
    sets: Sequence[ChannelSet],
    importance: Importance,
    losses: Iterable[Callable[[], Tensor]],
) -> list[float]:
    if importance == "taylor":
        return _taylor(network, sets, losses)
    values = {
        name: parameter.detach() for name, parameter in network.named_parameters()
    }  # slices' norms are taken one by one: some ten thousand short vectors
    norms = _norms(values, sets, scales_only=importance == "bn", network=network)
    means: dict[frozenset[str], list[float]] = {}
    for one, norm in zip(sets, norms, strict=True):
        means.setdefault(one.producers, []).append(norm)
    return [
        norm * len(means[one.producers]) / max(sum(means[one.producers]), 1e-12)
        for one, norm in zip(sets, norms, strict=True)
    ]


def _norms(
    values: dict[str, Tensor],
    sets: Sequence[ChannelSet],
    *,
    scales_only: bool,
    network: nn.Module,
) -> list[float]:
    """Return the norm of what makes each set: rows of producers, or scales of normalisation."""
    scales = _normalisations(network)
    by_row = {
        name: value.reshape(len(value), -1).norm(dim=1).tolist() for name, value in values.items()
    }

    def norm(one: ChannelSet) -> float:
        wanted = {n for n, axis, _ in one.places if axis == 0 and n in scales}
        if not scales_only or not wanted:
            wanted = set(one.producers)
        rows = [by_row[n][i] for n, axis, i in one.places if axis == 0 and n in wanted]
        return math.sqrt(sum(row * row for row in rows))

    return [norm(one) for one in sets]


def _normalisations(network: nn.Module) -> set[str]:
    """Return the names of all scales of batch normalisation."""
    return {
        f"{name}.weight"
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }


def _taylor(
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
        rows = [(n, i) for n, axis, i in one.places if axis == 0]
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


# ---- which channels leave ---------------------------------------------------------------------


class _Budget:
    """What is left of every axis of every weight, and what that costs."""

    def __init__(self, graph: ChannelGraph, cost: CostModel, least: int) -> None:
        self.graph, self.cost, self.least = graph, cost, least
        self.by_weight = {c.weight: c for c in graph.convolutions}
        self.left = {(c.weight, axis): c.shape[axis] for c in graph.convolutions for axis in (0, 1)}
        self.before = self.total = sum(self._cost_of(c.weight) for c in graph.convolutions)

    def choose(self, scores: Sequence[float], target: float) -> list[int]:
        """Return the numbers of the sets that leave, those that matter least for what they save."""
        groups: dict[frozenset[str], list[int]] = {}
        for number, one in enumerate(self.graph.sets):
            groups.setdefault(one.producers, []).append(number)
        queues = {
            key: sorted(numbers, key=lambda n: scores[n], reverse=True)
            for key, numbers in groups.items()
        }
        removed: list[int] = []
        while self.total > target:
            best, best_rate = None, math.inf
            for key, queue in queues.items():
                size = len(queue) % MULTIPLE or MULTIPLE
                if len(queue) - size < self.least:
                    continue
                block = queue[-size:]
                saved = self._saved(block)
                if saved <= 0:
                    continue
                rate = sum(scores[n] for n in block) / saved
                if rate < best_rate:
                    best, best_rate = key, rate
            if best is None:
                raise UsageError(
                    f"Pruning ends at {self.total / self.before:.0%} of the cost: every group of "
                    f"channels is down to {self.least}.",
                    remedy="Give a larger target, or start from a narrower network.",
                )
            queue = queues[best]
            size = len(queue) % MULTIPLE or MULTIPLE
            removed += queue[-size:]
            self._take(queue[-size:])
            del queue[-size:]
        return removed

    def _slices(self, block: Sequence[int]) -> dict[tuple[str, int], int]:
        taken: dict[tuple[str, int], int] = {}
        for number in block:
            for name, axis, _ in self.graph.sets[number].places:
                if (name, axis) in self.left:
                    taken[name, axis] = taken.get((name, axis), 0) + 1
        return taken

    def _saved(self, block: Sequence[int]) -> float:
        taken = self._slices(block)
        weights = {name for name, _ in taken}
        before = sum(self._cost_of(name) for name in weights)
        after = sum(self._cost_of(name, taken) for name in weights)
        return before - after

    def _take(self, block: Sequence[int]) -> None:
        taken = self._slices(block)
        weights = {name for name, _ in taken}
        self.total -= sum(self._cost_of(name) for name in weights)
        for key, count in taken.items():
            self.left[key] -= count
        self.total += sum(self._cost_of(name) for name in weights)

    def _cost_of(self, weight: str, taken: dict[tuple[str, int], int] | None = None) -> float:
        taken = taken or {}
        outputs, inputs = (
            self.left[weight, axis] - taken.get((weight, axis), 0) for axis in (0, 1)
        )
        return self.cost(self.by_weight[weight], inputs, outputs)
