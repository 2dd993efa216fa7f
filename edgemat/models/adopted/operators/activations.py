"""Activations: what int8 kernels know, or is made of products, sums and clamps that they know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx
from torch.nn import functional as F

from edgemat.models.adopted.lowering import Lowering, Rules, always, rule, shape_of
from edgemat.models.adopted.replacements import WIDEST_INT8_SOFTMAX, Bend, UnitClamp, WideSoftmax
from edgemat.models.narrowing import whole_number

aten = torch.ops.aten
RULES: Rules = {}


@rule(RULES, aten.relu.default)
def _relu(to: Lowering, *, x: fx.Node) -> fx.Node:
    return to.call(F.relu, x)


@rule(RULES, aten.relu6.default)
def _relu6(to: Lowering, *, x: fx.Node) -> fx.Node:
    return to.call(F.relu6, x)


@rule(RULES, aten.hardtanh.default, aten.clamp.default)
def _clamp(to: Lowering, *, x: fx.Node, **bounds: float | None) -> fx.Node:
    low, high = bounds.values()
    if (low, high) == (0, 6):
        return to.call(F.relu6, x)
    if (low, high) == (0, 1):
        return to.module(UnitClamp(), x)
    if (low, high) == (0, None):
        return to.call(F.relu, x)
    return to.call(torch.clamp, x, low, high)


@rule(RULES, aten.clamp_min.default)
def _clamp_min(to: Lowering, *, x: fx.Node, min: float) -> fx.Node:
    return to.call(F.relu, x) if min == 0 else to.call(torch.clamp, x, min)


@rule(RULES, aten.hardsigmoid.default, becomes="x / 6 + 0.5 in a convolution, and a clamp")
def _hardsigmoid(to: Lowering, *, x: fx.Node) -> fx.Node:
    if len(shape_of(x)) == 4:
        line = to.scale_shift(x, torch.tensor([1 / 6]), torch.tensor([0.5]))
    else:
        line = to.call(torch.add, to.call(torch.mul, x, 1 / 6), 0.5)
    return to.module(UnitClamp(), line)


@rule(RULES, aten.hardswish.default, becomes="x times its hardsigmoid")
def _hardswish(to: Lowering, *, x: fx.Node) -> fx.Node:
    return to.call(torch.mul, x, _hardsigmoid(to, x=x))


@rule(RULES, aten.sigmoid.default)
def _sigmoid(to: Lowering, *, x: fx.Node) -> fx.Node:
    return to.call(torch.sigmoid, x)


@rule(RULES, aten.silu.default, becomes="x times its sigmoid")
def _silu(to: Lowering, *, x: fx.Node) -> fx.Node:
    return to.call(torch.mul, x, to.call(torch.sigmoid, x))


@rule(RULES, aten.leaky_relu.default, becomes="two scaled copies, one of them rectified")
def _leaky_relu(to: Lowering, *, x: fx.Node, negative_slope: float) -> fx.Node:
    return _bend(to, x, torch.tensor([negative_slope]))


@rule(
    RULES,
    aten.prelu.default,
    aten._prelu_kernel.default,
    becomes="two scaled copies, one of them rectified",
)
def _prelu(to: Lowering, *, x: fx.Node, weight: Tensor) -> fx.Node:
    return _bend(to, x, weight.flatten())


def _shares_among_many(call: fx.Node) -> bool:
    return shape_of(call)[whole_number(call, 1, "dim")] > WIDEST_INT8_SOFTMAX


@rule(RULES, aten.softmax.int, aten._softmax.default, in_float=_shares_among_many)
def _softmax(to: Lowering, *, x: fx.Node, dim: int, **_: Any) -> fx.Node:
    return softmax(to, x, dim)


def softmax(to: Lowering, x: fx.Node, dim: int) -> fx.Node:
    """Add a softmax, in float where it shares 1 out among more values than int8 can tell apart."""
    if shape_of(x)[dim] > WIDEST_INT8_SOFTMAX:
        return to.module(WideSoftmax(dim), x)
    return to.call(F.softmax, x, dim)


def _bend(to: Lowering, x: fx.Node, slope: Tensor) -> fx.Node:
    if len(shape_of(x)) != 4:
        along = slope.reshape(-1, *[1] * (len(shape_of(x)) - 2))  # channels are the second
        line = to.call(torch.mul, x, along)
        half = to.call(torch.mul, to.call(F.relu, x), 1 - along)
        return to.call(torch.add, line, half)
    return to.module(Bend(slope.expand(shape_of(x)[1]).float()), x, name=to.name)


@rule(RULES, aten.gelu.default)
def _gelu(to: Lowering, *, x: fx.Node, approximate: str) -> fx.Node:
    return to.call(F.gelu, x, approximate=approximate)


def _stays(function: Callable[..., Any], *targets: Any, **names: str) -> None:
    """Enter what stays as it is, in float: the arguments that count, by torch's names for them."""

    @rule(RULES, *targets, in_float=always)
    def lower(to: Lowering, *, x: fx.Node, **given: Any) -> fx.Node:
        chosen = {name: given[old] for old, name in names.items()}
        return to.call(function, x, **chosen)


_stays(F.elu, aten.elu.default, alpha="alpha")
_stays(F.mish, aten.mish.default)
_stays(F.softplus, aten.softplus.default)
_stays(torch.tanh, aten.tanh.default)
_stays(torch.exp, aten.exp.default)
_stays(torch.sqrt, aten.sqrt.default)
_stays(torch.rsqrt, aten.rsqrt.default)
_stays(torch.abs, aten.abs.default)
_stays(torch.log, aten.log.default)
