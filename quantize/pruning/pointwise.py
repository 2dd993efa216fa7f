"""Rules for what works on every value by itself: activations, sums and products.

A rule returns the ids of the result, or None where it does not understand. It notes which channels
are not 0 where what makes them is: see :class:`edgemat.quantize.pruning.record.ChannelRecord`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import fx

from edgemat.models.narrowing import operand
from edgemat.quantize.pruning.record import ChannelRecord, Ids

ChannelRule = Callable[[ChannelRecord, fx.Node], Ids | None]

KEEP_ZERO = (
    *("relu", "relu_", "relu6", "hardswish", "hardswish_", "silu", "silu_", "gelu", "leaky_relu"),
    *("leaky_relu_", "elu", "elu_", "mish", "tanh", "abs", "sqrt", "neg", "dropout", "dropout_"),
    *("feature_dropout", "clone", "contiguous", "to", "_to_copy", "alias", "detach"),
    *("lift_fresh_copy",),
)
LIFT_ZERO = ("sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_", "exp", "softplus")
RESHAPES = ("view", "_unsafe_view", "reshape", "unsqueeze")


def name_of(node: fx.Node) -> str:
    """Return the name of an operator, such as "conv2d"."""
    return str(getattr(node.target, "__name__", node.target)).split(".")[0]


def handed_on(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Channels stay what they are, and 0 stays 0: activations, pooling, resizing, dropout."""
    return record.ids.get(node.args[0])  # type: ignore[arg-type]


def lifted(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Channels stay what they are, but 0 does not."""
    ids = handed_on(record, node)
    if ids is not None:
        record.lift(node, dict.fromkeys(ids, name_of(node)))
    return ids


def _clamped(record: ChannelRecord, node: fx.Node) -> Ids | None:
    bounds = [*node.args[1:], *node.kwargs.values()]
    if name_of(node) == "clamp_min":
        bounds.append(math.inf)
    elif name_of(node).startswith("hardtanh") and len(bounds) < 2:
        bounds = [-1, 1]
    low, high = (*bounds, None, None)[:2]
    low = -math.inf if low is None else low
    high = math.inf if high is None else high
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None
    return handed_on(record, node) if low <= 0 <= high else lifted(record, node)


def _bent(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """PReLU, of one slope or one for each channel."""
    ids, slope = handed_on(record, node), operand(node, 1)
    if ids is None or slope.meta["val"].numel() == 1:
        return ids
    if record.name_of(slope) is None or slope.meta["val"].shape != (len(ids),):
        return None
    record.put(record.name_of(slope), 0, ids)
    return ids


def _power(record: ChannelRecord, node: fx.Node) -> Ids | None:
    exponent = node.args[1]
    positive = isinstance(exponent, int | float) and exponent > 0
    return handed_on(record, node) if positive else None


def _sum(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """The operands' channels are tied; what all channels get besides lifts them from 0."""
    ids = _tied(record, node)
    if ids is not None and any(_is_for_all(record, node, operand) for operand in node.args[:2]):
        record.lift(node, dict.fromkeys(ids, name_of(node)))
    return ids


def _product(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """The operands' channels are tied; where one of them is 0, so is the product."""
    ids = _tied(record, node)
    if ids is None:
        return None
    given: list[Any] = [a for a in node.args[:2] if a in record.ids]
    first, *more = [record.lifted_of(a) for a in given if len(record.ids[a]) == len(ids)]
    both = {channel: name for channel, name in first.items() if all(channel in o for o in more)}
    record.lift(node, both)
    return ids


def _quotient(record: ChannelRecord, node: fx.Node) -> Ids | None:
    divisor = node.args[1]
    if divisor in record.ids and len(record.ids[divisor]) > 1:  # type: ignore[index]
        return None  # by a channel that is gone nothing can be divided
    return _tied(record, node) if node.args[0] in record.ids else None


def _tied(record: ChannelRecord, node: fx.Node) -> Ids | None:
    """Tie the operands' channels, a constant's too; one map for all channels ties nothing."""
    known: list[Any] = [a for a in node.args[:2] if isinstance(a, fx.Node) and a in record.ids]
    if len({a.meta["val"].ndim for a in known}) > 1:
        return None
    longest = max((record.ids[a] for a in known), key=len)
    for ids in (record.ids[a] for a in known):
        if len(ids) == len(longest):
            record.union.join(longest, ids)
        elif len(ids) != 1:
            return None
    others = [a for a in node.args[:2] if isinstance(a, fx.Node) and a not in record.ids]
    return longest if all(_cut_along(record, a, node, longest) for a in others) else None


def _cut_along(record: ChannelRecord, constant: fx.Node, node: fx.Node, ids: Ids) -> bool:
    """Note a constant's numbers for each channel; returns whether their place is known."""
    axis = _channel_axis(constant, node)
    if axis is None or record.stays(ids):
        return True
    source, reshaped = constant, name_of(constant) in RESHAPES
    if reshaped:  # from C numbers to C,1,1 or 1,C,1,1
        source = constant.args[0]  # type: ignore[assignment]
        long = [n for n, length in enumerate(source.meta["val"].shape) if length > 1]
        if len(long) != 1 or (axis != 1 and name_of(constant) != "unsqueeze"):
            return False
        axis = long[0]
    if record.name_of(source) is None:
        return False
    record.put(record.name_of(source), axis, ids)
    return True


def _channel_axis(constant: fx.Node, node: fx.Node) -> int | None:
    """Return the dimension of a constant that meets the channels of a result; None without."""
    shape = constant.meta["val"].shape
    axis = len(shape) - node.meta["val"].ndim + 1
    return axis if axis >= 0 and shape[axis] > 1 else None


def _is_for_all(record: ChannelRecord, node: fx.Node, operand: Any) -> bool:
    """Whether an operand is the same for every channel: a number, or one map of several."""
    if operand in record.ids:
        return len(record.ids[operand]) < int(node.meta["val"].shape[1])
    return not isinstance(operand, fx.Node) or _channel_axis(operand, node) is None


def rules(rule: ChannelRule, names: Iterable[str]) -> dict[str, ChannelRule]:
    """Return the same rule for each of some operators."""
    return dict.fromkeys(names, rule)


POINTWISE: dict[str, ChannelRule] = {
    **rules(handed_on, KEEP_ZERO),
    **rules(lifted, LIFT_ZERO),
    **rules(_clamped, ("hardtanh", "hardtanh_", "clamp", "clamp_", "clamp_min")),
    **rules(_sum, ("add", "add_", "sub", "rsub", "maximum", "minimum")),
    **rules(_product, ("mul", "mul_")),
    "div": _quotient,
    "prelu": _bent,
    "pow": _power,
}
