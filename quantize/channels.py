"""Which channels of a network hang together: what leaves together when one channel is pruned.

The network is exported once, and every channel is followed through its operators. A convolution
makes new channels. Batch normalisation, activations, pooling, unpooling and resizing hand them on;
additions, products and unpooling tie the channels of their operands one by one; concatenation and
pixel shuffles rearrange them. Where an operator is not known, the channels that meet it stay.

Why not torch-pruning: its automatic mode fails on index blocks and on unpooling, and with rules for
those it has nothing left to do that the rules do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from edgemat.models.network import MattingNetwork

Ids = list[int]
ParameterSlice = tuple[str, int, int]  # a parameter or buffer, its axis, an index along it


@dataclass(frozen=True)
class ChannelSet:
    """Slices of tensors that stay together or leave together.

    Attributes
    ----------
    places:
        (name in the state dict, axis, index along the axis).
    producers:
        Weights whose outputs these channels are. Sets of the same producers form a group.
    """

    places: tuple[ParameterSlice, ...]
    producers: frozenset[str]


@dataclass(frozen=True)
class Convolution:
    """What a convolution costs: its work is the size of its output times the weights left.

    Attributes
    ----------
    shape:
        Of the weight.
    size:
        Height and width of the output.
    """

    weight: str
    shape: tuple[int, ...]
    size: tuple[int, int]
    groups: int
    stride: int


@dataclass
class ChannelGraph:
    """The channels of one network.

    Attributes
    ----------
    sets:
        All that can leave.
    convolutions:
        In the order of the network.
    left_alone:
        Operators that are not known, whose channels stay.
    """

    sets: list[ChannelSet]
    convolutions: list[Convolution]
    left_alone: set[str]


def trace_channels(network: MattingNetwork, example: Tensor) -> ChannelGraph:
    """Follow the channels of `network` from one export.

    Parameters
    ----------
    network:
        In eval mode; not a deploy form, whose maps are reordered for runtimes.
    example:
        An input, B,C,H,W; costs are counted for its size.
    """
    program = torch.export.export(network.eval(), (example,))
    return _Tracer(program).run()


class _Tracer:
    """Walks an exported graph. A value's ids are those of its channels along axis 1."""

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        self.graph = program.graph
        signature = program.graph_signature
        self.parameters = set(signature.inputs_to_parameters.values())
        self.names = dict(signature.inputs_to_parameters) | dict(signature.inputs_to_buffers)
        self.ids: dict[fx.Node, Ids] = {}
        self.union = _Union()
        self.places: dict[int, list[ParameterSlice]] = {}
        self.producers: dict[int, set[str]] = {}
        self.frozen: set[int] = set()
        self.convolutions: list[Convolution] = []
        self.unknown: set[str] = set()

    def run(self) -> ChannelGraph:
        for node in self.graph.nodes:
            if node.op == "placeholder" and node.name not in self.names:
                self.ids[node] = self._new(node.meta["val"].shape[1])
                self.frozen.update(self.ids[node])
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                self._freeze(node)
        return ChannelGraph(self._sets(), self.convolutions, self.unknown)

    def _call(self, node: fx.Node) -> None:
        if not isinstance(node.meta.get("val"), Tensor | tuple | list):
            return  # arithmetic on shapes
        if not any(argument in self.ids for argument in node.all_input_nodes):
            return  # made of constants and parameters alone
        name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
        rule = RULES.get(name)
        found = None if rule is None else rule(self, node)
        if found is None:
            self.unknown.add(name)
            found = self.stay(node)
        self.ids[node] = found

    def stay(self, node: fx.Node) -> Ids:
        """Let the channels of an operator stay, those that go in and those that come out."""
        self._freeze(node)
        value = node.meta["val"]
        first = value if isinstance(value, Tensor) else value[0]
        ids = self._new(first.shape[1] if first.ndim > 1 else 0)
        self.frozen.update(ids)
        return ids

    def _freeze(self, node: fx.Node) -> None:
        for argument in node.all_input_nodes:
            self.frozen.update(self.ids.get(argument, ()))

    def _new(self, count: int) -> Ids:
        return [self.union.new() for _ in range(count)]

    def name_of(self, node: Any) -> str | None:
        return self.names.get(node.name) if isinstance(node, fx.Node) else None

    def put(self, name: str | None, axis: int, ids: Ids) -> None:
        """Note that slice i of a parameter along `axis` belongs to channel ids[i]."""
        if name is not None:
            for index, channel in enumerate(ids):
                self.places.setdefault(channel, []).append((name, axis, index))

    def _sets(self) -> list[ChannelSet]:
        places: dict[int, list[ParameterSlice]] = {}
        producers: dict[int, set[str]] = {}
        frozen = {self.union.find(channel) for channel in self.frozen}
        for channel, where in self.places.items():
            places.setdefault(self.union.find(channel), []).extend(where)
        for channel, names in self.producers.items():
            producers.setdefault(self.union.find(channel), set()).update(names)
        return [
            ChannelSet(tuple(sorted(set(where))), frozenset(producers.get(root, ())))
            for root, where in places.items()
            if root not in frozen and producers.get(root)
        ]


class _Union:
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


# ---- what the operators do with channels ------------------------------------------------------
# A rule returns the ids of the result, or None where it does not understand.

Rule = Callable[[_Tracer, fx.Node], Ids | None]


def _same(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """Channels are handed on: activations, pooling, resizing, dropout."""
    return tracer.ids.get(node.args[0])  # type: ignore[arg-type]


def _tied(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """The operands' channels are tied; one map for all channels ties nothing."""
    known = [tracer.ids[a] for a in node.args[:2] if isinstance(a, fx.Node) and a in tracer.ids]
    longest = max(known, key=len)
    for ids in known:
        if len(ids) == len(longest):
            tracer.union.join(longest, ids)
        elif len(ids) != 1:
            return None
    return longest


def _concatenated(tracer: _Tracer, node: fx.Node) -> Ids | None:
    parts = [tracer.ids[a] for a in node.args[0]]  # type: ignore[union-attr, index]
    if _axis(node, 1) == 1:
        return [channel for part in parts for channel in part]
    return _joined(tracer, parts)


def _stacked(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """Maps of the same channels, beside each other along a new axis behind the channels'."""
    parts = [tracer.ids[a] for a in node.args[0]]  # type: ignore[union-attr, index]
    return _joined(tracer, parts) if _axis(node, 1) >= 2 else None


def _joined(tracer: _Tracer, parts: list[Ids]) -> Ids | None:
    if any(len(part) != len(parts[0]) for part in parts):
        return None
    for part in parts[1:]:
        tracer.union.join(parts[0], part)
    return parts[0]


def _axis(node: fx.Node, position: int) -> int:
    axis = node.args[position] if len(node.args) > position else node.kwargs.get("dim", 0)
    assert isinstance(axis, int)
    value = node.meta["val"]
    return axis % value.ndim


def _reshaped(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """B,C,P,H,W to B,CP,H,W: every channel stands P times; other shapes that keep axis 1."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    ids, before, after = tracer.ids[source], source.meta["val"].shape, node.meta["val"].shape
    if before[0] != after[0] or len(after) < 2:
        return None
    if before[1] == after[1]:
        return ids
    if len(before) == 5 and after[1] == before[1] * before[2] and before[3:] == after[2:]:
        return [channel for channel in ids for _ in range(before[2])]
    return None


def _shuffled(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """B,4C,H,W to B,C,2H,2W: the four of each channel are tied."""
    source, factor = node.args
    assert isinstance(source, fx.Node) and isinstance(factor, int)
    ids, square = tracer.ids[source], factor**2
    for start in range(0, len(ids), square):
        tracer.union.join([ids[start]] * square, ids[start : start + square])
    return ids[::square]


def _unpooled(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """The values' channels are those of the switches."""
    values, switches = (tracer.ids[a] for a in node.args[:2])  # type: ignore[index]
    return _joined(tracer, [values, switches])


def _chosen(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """One of several results, of max-pooling for example: all have the source's channels."""
    return tracer.ids.get(node.args[0])  # type: ignore[arg-type]


def _indexed(tracer: _Tracer, node: fx.Node) -> Ids | None:
    """Slices along other axes than the channels'."""
    axis = node.args[1] if len(node.args) > 1 else 0
    return tracer.ids.get(node.args[0]) if axis != 1 else None  # type: ignore[arg-type]


def _normalised(tracer: _Tracer, node: fx.Node) -> Ids | None:
    ids = tracer.ids[node.args[0]]  # type: ignore[index]
    for argument in node.args[1:5]:
        tracer.put(tracer.name_of(argument), 0, ids)
    return ids


def _convolved(tracer: _Tracer, node: fx.Node) -> Ids | None:
    source, weight, *rest = node.args
    assert isinstance(source, fx.Node) and isinstance(weight, fx.Node)
    name = tracer.name_of(weight)
    if name is None or name not in tracer.parameters:
        return tracer.stay(node)  # a fixed kernel
    settings: dict[str, Any] = dict(
        zip(("bias", "stride", "padding", "dilation", "groups"), rest, strict=False)
    )
    settings |= node.kwargs
    groups = int(settings.get("groups", 1) or 1)
    shape = tuple(weight.meta["val"].shape)
    height, width = node.meta["val"].shape[-2:]
    stride = _first(settings.get("stride", 1))
    ids = tracer.ids[source]
    if groups == 1:
        made = tracer._new(shape[0])
        tracer.put(name, 1, ids)
    elif groups == len(ids) == shape[0]:
        made = ids
    else:
        return None
    for channel in made:
        if groups == 1:
            tracer.producers.setdefault(channel, set()).add(name)
    tracer.put(name, 0, made)
    tracer.put(tracer.name_of(settings.get("bias")), 0, made)
    tracer.convolutions.append(Convolution(name, shape, (height, width), groups, stride))
    return made


def _first(value: Any) -> int:
    return int(value[0]) if isinstance(value, list | tuple) else int(value)


def _rules(rule: Rule, names: Iterable[str]) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


RULES: dict[str, Rule] = {
    **_rules(
        _same,
        (
            *("relu", "relu_", "relu6", "hardtanh", "hardtanh_", "sigmoid", "clamp", "dropout"),
            *("max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "adaptive_avg_pool2d", "pad"),
            *("upsample_bilinear2d", "upsample_nearest2d", "clone", "contiguous", "mean"),
            *("softmax", "to", "alias", "detach"),
        ),
    ),
    **_rules(_tied, ("add", "add_", "sub", "mul", "mul_", "maximum", "rsub")),
    **_rules(_reshaped, ("view", "reshape", "flatten", "unsqueeze", "squeeze")),
    **_rules(_indexed, ("slice",)),
    "cat": _concatenated,
    "stack": _stacked,
    "pixel_shuffle": _shuffled,
    "max_unpool2d": _unpooled,
    "getitem": _chosen,
    "batch_norm": _normalised,
    "conv2d": _convolved,
}
