"""Rules for what a network's operators do with channels, one for each.

A rule returns the ids of the result, or None where it does not understand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import fx

from edgemat.models.narrowing import listed, operand, operands, whole_number
from edgemat.quantize.pruning.channels import ConvolutionCost
from edgemat.quantize.pruning.pointwise import (
    POINTWISE,
    ChannelRule,
    handed_on,
    lifted,
    name_of,
    rules,
)
from edgemat.quantize.pruning.record import ChannelRecord, Ids

SETTINGS = {
    "conv2d": ("bias", "stride", "padding", "dilation", "groups"),
    "conv_transpose2d": ("bias", "stride", "padding", "output_padding", "groups", "dilation"),
    "linear": ("bias",),
}
"""What follows input and weight, in the order of torch's operators."""


def _concatenated(record: ChannelRecord, node: fx.Node) -> Ids | None:
    parts = [record.of(one) for one in operands(node)]
    if _axis(node, 1) == 1:
        return [channel for part in parts for channel in part]
    return _joined(record, parts)


def _stacked(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Maps of the same channels, beside each other along a new axis behind the channels'."""
    parts = [record.of(one) for one in operands(node)]
    return _joined(record, parts) if _axis(node, 1) >= 2 else None


def _joined(record: ChannelRecord, parts: list[Ids]) -> Ids | None:
    if any(len(part) != len(parts[0]) for part in parts):
        return None
    for part in parts[1:]:
        record.union.join(parts[0], part)
    return parts[0]


def _axis(node: fx.Node, position: int) -> int:
    dimensions: int = node.meta["val"].ndim
    return whole_number(node, position, "dim", default=0) % dimensions


def _reshaped(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """B,C,P,H,W to B,CP,H,W: every channel stands P times; other shapes that keep axis 1."""
    source = operand(node)
    ids, before, after = record.ids[source], source.meta["val"].shape, node.meta["val"].shape
    if before[0] != after[0] or len(after) < 2:
        return None
    if before[1] == after[1]:
        return ids
    if len(before) == 5 and after[1] == before[1] * before[2] and before[3:] == after[2:]:
        return [channel for channel in ids for _ in range(before[2])]
    return None


def _expanded(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Repeated along other axes than the channels'."""
    source = operand(node)
    before, after = source.meta["val"].shape, node.meta["val"].shape
    return record.ids[source] if before[:2] == after[:2] else None


def _shuffled(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """B,4C,H,W to B,C,2H,2W: the four of each channel are tied."""
    ids, square = record.ids[operand(node)], whole_number(node, 1, "upscale_factor") ** 2
    for start in range(0, len(ids), square):
        record.union.join([ids[start]] * square, ids[start : start + square])
    return ids[::square]


def _unpooled(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """The values' channels are those of the switches."""
    values, switches = record.ids[operand(node)], record.ids[operand(node, 1)]
    return _joined(record, [values, switches])


def _chosen(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """One of several results, of max-pooling for example: all have the source's channels."""
    ids, value = record.ids[operand(node)], node.meta["val"]
    return ids if value.ndim > 1 and value.shape[1] == len(ids) else record.still(node)


def _indexed(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Slices along other axes than the channels'."""
    source = operand(node)
    axis = whole_number(node, 1, "dim", default=0) % source.meta["val"].ndim
    least = 2 if name_of(node) == "select" else 0  # which drops the axis
    return record.ids[source] if axis != 1 and axis >= least else None


def _reduced(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Means and sums over height and width."""
    source, axes = operand(node), node.args[1] if len(node.args) > 1 else None
    if not isinstance(axes, Sequence):
        return None
    dimensions = source.meta["val"].ndim
    return record.ids[source] if all(axis % dimensions >= 2 for axis in axes) else None


def _softened(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """A softmax over other things than channels: equal shares, where all was 0."""
    return lifted(record, node) if _axis(node, 1) != 1 else None


def _padded(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Borders of height and width; of other numbers than 0, what is 0 is not."""
    if len(listed(node, 1)) > 2 * (operand(node).meta["val"].ndim - 2):
        return None
    filling = node.args[-1] if len(node.args) > 2 else node.kwargs.get("value")
    number = isinstance(filling, int | float) and filling != 0
    return lifted(record, node) if number else handed_on(record, node)


def _normalised(record: ChannelRecord, node: fx.Node) -> Ids | None:
    ids = record.ids[operand(node)]
    for argument in node.args[1:5]:
        record.put(record.name_of(argument), 0, ids)
    scale, shift = (record.name_of(argument) for argument in node.args[1:3])
    if scale is not None:
        record.scales.add(scale)
    if shift is not None:
        record.shifts.add(shift)
    own = name_of(node) == "instance_norm" and bool(node.args[5])  # whose mean of zeros is 0
    gone = own or shift is not None
    record.lift(node, {} if gone else dict.fromkeys(ids, name_of(node)))
    return ids


def _convolved(record: ChannelRecord, node: fx.Node) -> Ids | None:
    source, weight, rest = operand(node), operand(node, 1), node.args[2:]
    name, kind = record.name_of(weight), name_of(node)
    if name is None or name not in record.parameters:
        return record.stay(node)  # a fixed kernel
    settings: dict[str, Any] = dict(zip(SETTINGS[kind], rest, strict=False)) | node.kwargs
    convolution = _cost(name, kind, settings, node, source)
    ids, groups = record.ids[source], convolution.groups
    if kind == "linear" and node.meta["val"].ndim > 2:
        record.convolutions.append(convolution)
        return None  # its channels are the last, and axis 1 is something else
    if groups == 1:
        made = record.new(convolution.shape[0])
        for channel in made:
            record.producers.setdefault(channel, set()).add(name)
        record.put(name, convolution.axes[1], ids)
        record.freeze_lifted(source)
    elif groups == len(ids) == convolution.shape[0]:
        made = ids
    else:
        record.convolutions.append(convolution)
        return None
    record.lift(node, {})
    record.put(name, convolution.axes[0], made)
    record.put(record.name_of(settings.get("bias")), 0, made)
    record.convolutions.append(convolution)
    return made


def _cost(
    name: str, kind: str, settings: dict[str, Any], node: fx.Node, source: fx.Node
) -> ConvolutionCost:
    """Return what a convolution, a transposed one or a linear layer costs."""
    result, given = node.meta["val"].shape, source.meta["val"].shape
    weight = tuple(operand(node, 1).meta["val"].shape)
    groups = int(settings.get("groups", 1) or 1)
    stride = _first(settings.get("stride", 1))
    if kind == "linear":
        rows = math.prod(given[:-1])
        return ConvolutionCost(name, (*weight, 1, 1), (rows, 1), 1, 1)
    height, width = result[-2:]
    if kind == "conv2d":
        return ConvolutionCost(name, weight, (height, width), groups, stride)
    inputs, outputs, *kernel = weight
    seen = tuple(math.ceil(length / stride) for length in kernel)
    if groups == 1:
        return ConvolutionCost(
            name, (outputs, inputs, *seen), (height, width), 1, 1, outputs_axis=1
        )
    shape = (outputs * groups, inputs // groups, *seen)
    return ConvolutionCost(name, shape, (height, width), groups, 1)


def _first(value: Any) -> int:
    return int(value[0]) if isinstance(value, list | tuple) else int(value)


RULES: dict[str, ChannelRule] = {
    **POINTWISE,
    **rules(
        handed_on,
        (
            *("max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "adaptive_avg_pool2d"),
            *("upsample_bilinear2d", "upsample_nearest2d", "_upsample_nearest_exact2d"),
            *("reflection_pad2d", "replication_pad2d"),
        ),
    ),
    **rules(_padded, ("pad", "constant_pad_nd")),
    **rules(_reshaped, ("view", "_unsafe_view", "reshape", "flatten", "unsqueeze", "squeeze")),
    **rules(_indexed, ("slice", "select")),
    **rules(_reduced, ("mean", "sum")),
    **rules(_softened, ("softmax", "_softmax")),
    **rules(_normalised, ("batch_norm", "_native_batch_norm_legit_no_training", "instance_norm")),
    **rules(_convolved, SETTINGS),
    "cat": _concatenated,
    "expand": _expanded,
    "stack": _stacked,
    "pixel_shuffle": _shuffled,
    "max_unpool2d": _unpooled,
    "getitem": _chosen,
}
