"""Structured pruning: the channels that matter least leave, and so do their cost.

Channels leave in blocks of eight within a *group*, the channels of the same convolutions: that is
what kernels on phones are fast at. The next block is always the one that costs the matte least for
what it saves, in multiply-accumulates or in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgemat.artifacts.vocabulary import Importance
from edgemat.models.network import MattingNetwork
from edgemat.models.pruned import fit_channels, settle_channels, shapes_of
from edgemat.quantize.pruning.budget import MULTIPLE, Budget, CostModel, macs
from edgemat.quantize.pruning.channels import ChannelGraph, ChannelSet
from edgemat.quantize.pruning.importance import score_channels
from edgemat.quantize.pruning.trace import trace_channels


@dataclass(frozen=True)
class Pruned:
    """The outcome of pruning.

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

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> from edgemat.quantize.pruning.prune import prune
    >>> network = create_matting("pspm-slim", width=0.25)
    >>> pruned = prune(network, torch.rand(1, 3, 64, 64), 12e6, importance="magnitude")
    >>> pruned.cost_after <= 12e6 < pruned.cost_before  # multiply-accumulates
    True

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
    scores = score_channels(network, graph, importance, losses)
    budget = Budget(graph, cost, least)
    removed = budget.choose(scores, target)
    remove_channels(network, [graph.sets[number] for number in removed])
    settle_channels(network, example)
    return Pruned(budget.before, budget.total, len(removed))


def cost_of(graph: ChannelGraph, cost: CostModel) -> float:
    """Return what the convolutions of a network cost together."""
    return sum(cost(c, c.shape[1], c.shape[0]) for c in graph.convolutions)


def remove_channels(network: nn.Module, sets: Sequence[ChannelSet]) -> None:
    """Take the slices of `sets` out of all weights and statistics, in place."""
    gone: dict[tuple[str, int], set[int]] = {}
    for one in sets:
        for name, axis, index in one.slices:
            gone.setdefault((name, axis), set()).add(index)
    state = network.state_dict()
    for (name, axis), indices in gone.items():
        stay = [i for i in range(state[name].shape[axis]) if i not in indices]
        state[name] = state[name].index_select(axis, torch.tensor(stay, dtype=torch.long))
    fit_channels(network, shapes_of(state))
    network.load_state_dict(state)
