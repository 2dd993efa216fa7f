"""Which channels leave: always those that matter least for what they save."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from edgemat.errors import UsageError
from edgemat.quantize.pruning.channels import ChannelGraph, ConvolutionCost

CostModel = Callable[[ConvolutionCost, int, int], float]
"""The cost of a convolution with so many input and output channels."""

MULTIPLE = 8
"""Channels leave in blocks of so many: that is what kernels on phones are fast at."""


def macs(convolution: ConvolutionCost, inputs: int, outputs: int) -> float:
    """Return the multiply-accumulates of one picture; `inputs` are those of a group.

    >>> from edgemat.quantize.pruning.budget import macs
    >>> from edgemat.quantize.pruning.channels import ConvolutionCost
    >>> macs(ConvolutionCost("first", (8, 3, 5, 5), size=(10, 10), groups=1, stride=1), 3, 8)
    60000.0
    """
    _, _, *kernel = convolution.shape
    return float(math.prod((*convolution.size, *kernel, inputs, outputs)))


class Budget:
    """The rest of every axis of every weight, and its cost."""

    def __init__(self, graph: ChannelGraph, cost: CostModel, least: int) -> None:
        self.graph, self.cost, self.least = graph, cost, least
        self.by_weight: dict[str, list[ConvolutionCost]] = {}
        for convolution in graph.convolutions:  # of which several may share their weights
            self.by_weight.setdefault(convolution.weight, []).append(convolution)
        self.left = {
            (c.weight, axis): count
            for c in graph.convolutions
            for axis, count in zip(c.axes, c.shape[:2], strict=True)
        }
        self.before = self.total = sum(map(self._cost_of, self.by_weight))

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
            for name, axis, _ in self.graph.sets[number].slices:
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
        taken, cost = taken or {}, 0.0
        for convolution in self.by_weight[weight]:
            outputs, inputs = (
                self.left[weight, axis] - taken.get((weight, axis), 0) for axis in convolution.axes
            )
            cost += self.cost(convolution, inputs, outputs)
        return cost
