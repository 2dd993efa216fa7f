"""A record of a network's channels while its operators are walked through."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

from edgemat.quantize.pruning.channels import ChannelSet, Convolution, ParameterSlice

Ids = list[int]


class Record:
    """The channels so far. A value's ids are those of its channels along axis 1."""

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        signature = program.graph_signature
        self.parameters = set(signature.inputs_to_parameters.values())
        self.names = dict(signature.inputs_to_parameters) | dict(signature.inputs_to_buffers)
        self.ids: dict[fx.Node, Ids] = {}
        self.union = Union()
        self.slices: dict[int, list[ParameterSlice]] = {}
        self.producers: dict[int, set[str]] = {}
        self.frozen: set[int] = set()
        self.convolutions: list[Convolution] = []

    def stay(self, node: fx.Node) -> Ids:
        """Let the channels of an operator stay, those that go in and those that come out."""
        self.freeze(node)
        value = node.meta["val"]
        first = value if isinstance(value, Tensor) else value[0]
        ids = self.new(first.shape[1] if first.ndim > 1 else 0)
        self.frozen.update(ids)
        return ids

    def freeze(self, node: fx.Node) -> None:
        """Let the channels that go into an operator stay."""
        for argument in node.all_input_nodes:
            self.frozen.update(self.ids.get(argument, ()))

    def new(self, count: int) -> Ids:
        """Return the ids of so many channels that nothing is known of."""
        return [self.union.new() for _ in range(count)]

    def name_of(self, node: Any) -> str | None:
        """Return the name of a parameter or buffer; None for what is none."""
        return self.names.get(node.name) if isinstance(node, fx.Node) else None

    def put(self, name: str | None, axis: int, ids: Ids) -> None:
        """Note that slice i of a parameter along `axis` belongs to channel ids[i]."""
        if name is not None:
            for index, channel in enumerate(ids):
                self.slices.setdefault(channel, []).append(ParameterSlice(name, axis, index))

    def sets(self) -> list[ChannelSet]:
        """Return the channels that can leave, those together that are tied."""
        slices: dict[int, list[ParameterSlice]] = {}
        producers: dict[int, set[str]] = {}
        frozen = {self.union.find(channel) for channel in self.frozen}
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
