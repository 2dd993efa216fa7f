"""Rules for what a network's operators do with channels, one for each.

A rule returns the ids of the result, or None where it does not understand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import fx

from edgemat.quantize.pruning.channels import Convolution
from edgemat.quantize.pruning.record import Ids, Record

Rule = Callable[[Record, fx.Node], Ids | None]


def _same(record: Record, node: fx.Node) -> Ids | None:
    """Channels are handed on: activations, pooling, resizing, dropout."""
    return record.ids.get(node.args[0])  # type: ignore[arg-type]


def _tied(record: Record, node: fx.Node) -> Ids | None:
    """The operands' channels are tied; one map for all channels ties nothing."""
    known = [record.ids[a] for a in node.args[:2] if isinstance(a, fx.Node) and a in record.ids]
    longest = max(known, key=len)
    for ids in known:
        if len(ids) == len(longest):
            record.union.join(longest, ids)
        elif len(ids) != 1:
            return None
    return longest


def _concatenated(record: Record, node: fx.Node) -> Ids | None:
    parts = [record.ids[a] for a in node.args[0]]  # type: ignore[union-attr, index]
    if _axis(node, 1) == 1:
        return [channel for part in parts for channel in part]
    return _joined(record, parts)


def _stacked(record: Record, node: fx.Node) -> Ids | None:
    """Maps of the same channels, beside each other along a new axis behind the channels'."""
    parts = [record.ids[a] for a in node.args[0]]  # type: ignore[union-attr, index]
    return _joined(record, parts) if _axis(node, 1) >= 2 else None


def _joined(record: Record, parts: list[Ids]) -> Ids | None:
    if any(len(part) != len(parts[0]) for part in parts):
        return None
    for part in parts[1:]:
        record.union.join(parts[0], part)
    return parts[0]


def _axis(node: fx.Node, position: int) -> int:
    axis = node.args[position] if len(node.args) > position else node.kwargs.get("dim", 0)
    assert isinstance(axis, int)
    dimensions: int = node.meta["val"].ndim
    return axis % dimensions


def _reshaped(record: Record, node: fx.Node) -> Ids | None:
    """B,C,P,H,W to B,CP,H,W: every channel stands P times; other shapes that keep axis 1."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    ids, before, after = record.ids[source], source.meta["val"].shape, node.meta["val"].shape
    if before[0] != after[0] or len(after) < 2:
        return None
    if before[1] == after[1]:
        return ids
    if len(before) == 5 and after[1] == before[1] * before[2] and before[3:] == after[2:]:
        return [channel for channel in ids for _ in range(before[2])]
    return None


def _shuffled(record: Record, node: fx.Node) -> Ids | None:
    """B,4C,H,W to B,C,2H,2W: the four of each channel are tied."""
    source, factor = node.args
    assert isinstance(source, fx.Node) and isinstance(factor, int)
    ids, square = record.ids[source], factor**2
    for start in range(0, len(ids), square):
        record.union.join([ids[start]] * square, ids[start : start + square])
    return ids[::square]


def _unpooled(record: Record, node: fx.Node) -> Ids | None:
    """The values' channels are those of the switches."""
    values, switches = (record.ids[a] for a in node.args[:2])  # type: ignore[index]
    return _joined(record, [values, switches])


def _chosen(record: Record, node: fx.Node) -> Ids | None:
    """One of several results, of max-pooling for example: all have the source's channels."""
    return record.ids.get(node.args[0])  # type: ignore[arg-type]


def _indexed(record: Record, node: fx.Node) -> Ids | None:
    """Slices along other axes than the channels'."""
    axis = node.args[1] if len(node.args) > 1 else 0
    return record.ids.get(node.args[0]) if axis != 1 else None  # type: ignore[arg-type]


def _normalised(record: Record, node: fx.Node) -> Ids | None:
    ids = record.ids[node.args[0]]  # type: ignore[index]
    for argument in node.args[1:5]:
        record.put(record.name_of(argument), 0, ids)
    return ids


def _convolved(record: Record, node: fx.Node) -> Ids | None:
    source, weight, *rest = node.args
    assert isinstance(source, fx.Node) and isinstance(weight, fx.Node)
    name = record.name_of(weight)
    if name is None or name not in record.parameters:
        return record.stay(node)  # a fixed kernel
    settings: dict[str, Any] = dict(
        zip(("bias", "stride", "padding", "dilation", "groups"), rest, strict=False)
    )
    settings |= node.kwargs
    groups = int(settings.get("groups", 1) or 1)
    shape = tuple(weight.meta["val"].shape)
    height, width = node.meta["val"].shape[-2:]
    stride = _first(settings.get("stride", 1))
    ids = record.ids[source]
    if groups == 1:
        made = record.new(shape[0])
        record.put(name, 1, ids)
    elif groups == len(ids) == shape[0]:
        made = ids
    else:
        return None
    for channel in made:
        if groups == 1:
            record.producers.setdefault(channel, set()).add(name)
    record.put(name, 0, made)
    record.put(record.name_of(settings.get("bias")), 0, made)
    record.convolutions.append(Convolution(name, shape, (height, width), groups, stride))
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
