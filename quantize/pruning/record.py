"""A record of a network's channels while its operators are walked through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, fx

from edgemat.quantize.pruning.channels import ChannelSet, ConvolutionCost, ParameterSlice

Ids = list[int]


class ChannelRecord:
    """The channels so far. A value's ids are those of its channels along axis 1.

    Attributes
    ----------
    lifted:
        Of a value the channels that are not 0 where what makes them is: behind a sigmoid, say.
        They may leave where a product with zeros follows, and not where a convolution does. Each
        with the name of the operator that lifts it.
    """

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        signature = program.graph_signature
        self.parameters = set(signature.inputs_to_parameters.values())
        self.names = dict(signature.inputs_to_parameters) | dict(signature.inputs_to_buffers)
        self.ids: dict[fx.Node, Ids] = {}
        self.lifted: dict[fx.Node, dict[int, str]] = {}
        self.union = Union()
        self.slices: dict[int, list[ParameterSlice]] = {}
        self.producers: dict[int, set[str]] = {}
        self.frozen: set[int] = set()
        self.convolutions: list[ConvolutionCost] = []
        self.scales: set[str] = set()
        self.shifts: set[str] = set()
        self.abandoned: list[tuple[str, Ids]] = []
        self._owners: dict[tuple[str, int], Ids] = {}

    def stay(self, node: fx.Node) -> Ids:
        """Let the channels of an operator stay, those that go in and those that come out."""
        self.freeze(node)
        return self.still(node)

    def abandon(self, node: fx.Node, name: str) -> Ids:
        """Let the channels stay that meet an operator which is not understood; note its name."""
        self.abandoned += [(name, self.ids[a]) for a in node.all_input_nodes if a in self.ids]
        return self.still(node)

    def still(self, node: fx.Node) -> Ids:
        """Return ids for what a node gives, of channels that stay."""
        value = node.meta["val"]
        first = value if isinstance(value, Tensor) else value[0]
        ids = self.new(first.shape[1] if first.ndim > 1 else 0)
        self.frozen.update(ids)
        return ids

    def of(self, node: fx.Node) -> Ids:
        """Return the ids of an operand; those of a constant stay."""
        return self.ids[node] if node in self.ids else self.still(node)

    def freeze(self, node: fx.Node) -> None:
        """Let the channels that go into an operator stay."""
        for argument in node.all_input_nodes:
            self.frozen.update(self.ids.get(argument, ()))

    def freeze_lifted(self, source: fx.Node) -> None:
        """Let those channels of `source` stay whose absence a convolution would notice."""
        self.abandoned += [(name, [channel]) for channel, name in self.lifted[source].items()]

    def stays(self, ids: Iterable[int]) -> bool:
        """Whether all of these channels are known to stay."""
        frozen = self._frozen() | self._abandoned()
        return all(self.union.find(channel) in frozen for channel in ids)

    def left_alone(self) -> set[str]:
        """Return the operators for whose sake alone channels stay."""
        frozen = self._frozen()
        return {
            name
            for name, ids in self.abandoned
            if any(self.union.find(channel) not in frozen for channel in ids)
        }

    def _frozen(self) -> set[int]:
        return {self.union.find(channel) for channel in self.frozen}

    def _abandoned(self) -> set[int]:
        return {self.union.find(channel) for _, ids in self.abandoned for channel in ids}

    def lift(self, node: fx.Node, channels: Mapping[int, str]) -> None:
        """Note channels of a value that are not 0 where what makes them is."""
        self.lifted[node] = dict(channels)

    def lifted_of(self, node: fx.Node) -> dict[int, str]:
        """Return :attr:`lifted` of a value, by one channel of those that are tied."""
        return {self.union.find(channel): name for channel, name in self.lifted[node].items()}

    def new(self, count: int) -> Ids:
        """Return the ids of so many channels that nothing is known of."""
        return [self.union.new() for _ in range(count)]

    def name_of(self, node: Any) -> str | None:
        """Return the name of a parameter or buffer; None for what is none."""
        return self.names.get(node.name) if isinstance(node, fx.Node) else None

    def put(self, name: str | None, axis: int, ids: Ids) -> None:
        """Note that slice i of a parameter along `axis` belongs to channel ids[i].

        A parameter that several operators share ties the channels of all.
        """
        if name is None:
            return
        self.union.join(self._owners.setdefault((name, axis), ids), ids)
        for index, channel in enumerate(ids):
            self.slices.setdefault(channel, []).append(ParameterSlice(name, axis, index))

    def sets(self) -> list[ChannelSet]:
        """Return the channels that can leave, those together that are tied."""
        slices: dict[int, list[ParameterSlice]] = {}
        producers: dict[int, set[str]] = {}
        frozen = self._frozen() | self._abandoned()
        for channel, where in self.slices.items():
            slices.setdefault(self.union.find(channel), []).extend(where)
        for channel, names in self.producers.items():
            producers.setdefault(self.union.find(channel), set()).update(names)
        return [
            ChannelSet(tuple(sorted(set(where))), frozenset(producers.get(root, ())))
            for root, where in slices.items()
            if root not in frozen and producers.get(root)
        ]


class Union:
    """Union-find over channels."""

    def __init__(self) -> None:
        self.parent: Ids = []

    def new(self) -> int:
        self.parent.append(len(self.parent))
        return self.parent[-1]

    def find(self, channel: int) -> int:
        while self.parent[channel] != channel:
            self.parent[channel] = self.parent[self.parent[channel]]
            channel = self.parent[channel]
        return channel

    def join(self, first: Ids, second: Ids) -> None:
        for a, b in zip(first, second, strict=True):
            self.parent[self.find(b)] = self.find(a)
