"""Sums and products, of two tensors or of one and a constant."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

from edgemat.models.adopted.lowering import Lowering, Rules, rule, shape_of

aten = torch.ops.aten
RULES: Rules = {}
Operand = fx.Node | Tensor | float | int


@rule(RULES, aten.add.Tensor, aten.add.Scalar)
def _add(to: Lowering, *, x: Operand, other: Operand, alpha: float = 1) -> fx.Node:
    if alpha != 1:
        other = _mul(to, x=other, other=alpha)
    line, constant = _line(x, other)
    if line is not None and constant is not None:
        return to.scale_shift(line, torch.ones(1), constant)
    return to.call(torch.add, x, other)


@rule(RULES, aten.sub.Tensor, aten.sub.Scalar)
def _sub(to: Lowering, *, x: Operand, other: Operand, alpha: float = 1) -> fx.Node:
    if alpha != 1:
        other = _mul(to, x=other, other=alpha)
    line, constant = _line(x, other)
    if line is x and constant is not None:
        return to.scale_shift(line, torch.ones(1), -constant)
    if line is not None and constant is not None:
        return to.scale_shift(line, -torch.ones(1), constant)
    return to.call(torch.sub, x, other)


@rule(RULES, aten.rsub.Scalar, aten.rsub.Tensor)
def _rsub(to: Lowering, *, x: Operand, other: Operand, alpha: float = 1) -> fx.Node:
    node: fx.Node = _sub(to, x=other, other=x, alpha=alpha)
    return node


@rule(RULES, aten.mul.Tensor, aten.mul.Scalar)
def _mul(to: Lowering, *, x: Operand, other: Operand) -> Any:
    if not isinstance(x, fx.Node) and not isinstance(other, fx.Node):
        return x * other
    line, constant = _line(x, other)
    if line is not None and constant is not None:
        return to.scale_shift(line, constant, torch.zeros(1))
    return to.call(torch.mul, x, other)


@rule(RULES, aten.div.Tensor, aten.div.Scalar)
def _div(to: Lowering, *, x: Operand, other: Operand) -> fx.Node:
    if isinstance(other, fx.Node):
        return to.call(torch.div, x, other)
    node: fx.Node = _mul(to, x=x, other=1 / other)
    return node


@rule(RULES, aten.neg.default)
def _neg(to: Lowering, *, x: fx.Node) -> fx.Node:
    node: fx.Node = _mul(to, x=x, other=-1.0)
    return node


def _is_no_square(call: fx.Node) -> bool:
    return bool(call.args[1] != 2)


@rule(RULES, aten.pow.Tensor_Scalar, in_float=_is_no_square)
def _power(to: Lowering, *, x: fx.Node, exponent: float) -> fx.Node:
    return to.call(torch.mul, x, x) if exponent == 2 else to.call(torch.pow, x, exponent)


@rule(RULES, aten.maximum.default, aten.max.other)
def _maximum(to: Lowering, *, x: Operand, other: Operand) -> fx.Node:
    return to.call(torch.maximum, x, other)


@rule(RULES, aten.minimum.default, aten.min.other)
def _minimum(to: Lowering, *, x: Operand, other: Operand) -> fx.Node:
    return to.call(torch.minimum, x, other)


def _line(x: Operand, other: Operand) -> tuple[fx.Node | None, Tensor | None]:
    """Return a tensor B,C,H,W and the number for each channel that it meets, if that is so."""
    node, constant = (x, other) if isinstance(x, fx.Node) else (other, x)
    if isinstance(constant, fx.Node) or not isinstance(node, fx.Node):
        return None, None
    shape = shape_of(node)
    values = torch.as_tensor(constant, dtype=torch.float32)
    if len(shape) != 4 or node.target is torch.matmul:  # scores of attention are no picture
        return None, None
    if values.numel() == 1:
        return node, values.reshape(1)
    channels = (shape[1], 1, 1)
    if tuple(values.shape) in (channels, (1, *channels)):
        return node, values.flatten()
    return None, None
