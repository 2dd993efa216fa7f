"""Convolutions, transposed ones, and linear layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

from edgemat.errors import UnsupportedError
from edgemat.models.adopted.lowering import MAX_STILL, Lowering, Rules, rule, shape_of

aten = torch.ops.aten
RULES: Rules = {}


@rule(RULES, aten.conv2d.default, aten.conv2d.padding)
def _convolution(
    to: Lowering,
    *,
    x: fx.Node,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int] | str,
    dilation: list[int],
    groups: int,
) -> fx.Node:
    _require_constant(weight)
    outputs, inputs, *kernel = weight.shape
    layer = nn.Conv2d(
        inputs * groups,
        outputs,
        tuple(kernel),  # type: ignore[arg-type]  # two numbers
        _pair(stride),
        padding if isinstance(padding, str) else _pair(padding),
        _pair(dilation),
        groups,
        bias is not None,
    )
    return to.module(_filled(layer, weight, bias), x, name=to.name)


@rule(RULES, aten.conv1d.default, aten.conv1d.padding, becomes="a linear layer")
def _convolution_of_rows(
    to: Lowering,
    *,
    x: fx.Node,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int] | str,
    dilation: list[int],
    groups: int,
) -> fx.Node:
    """Lower what ECA-Net has along the channels: runtimes keep these last, and have no other rows.

    The layer's weights are a band, the kernel shifted along from row to row.
    """
    _require_constant(weight)
    shape, length = to.shape, shape_of(x)[-1]
    if tuple(weight.shape[:2]) != (1, 1) or shape_of(x)[:-1] != (1, 1):
        raise UnsupportedError(
            f"A convolution along rows of {shape_of(x)[-2]} channels has no form that phones run.",
            remedy="Write it as a convolution of height 1 on maps B,C,1,L.",
        )
    if length * shape[-1] > MAX_STILL:
        raise UnsupportedError(
            f"A convolution along a row of {length:,} values has no form that phones run.",
            remedy="Write it as a convolution of height 1 on maps B,C,1,L.",
        )
    each = torch.eye(length).unsqueeze(1)  # one row for each value that is given
    band = aten.conv1d(each, weight.float(), None, stride, padding, dilation, groups).squeeze(1).T
    constant = None if bias is None else bias.expand(shape[-1])
    return _linear(to, x=x, weight=band, bias=constant)  # type: ignore[no-any-return]


@rule(RULES, aten.conv_transpose2d.input, becomes="a convolution for each phase, interleaved")
def _transposed_convolution(
    to: Lowering,
    *,
    x: fx.Node,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    output_padding: list[int],
    groups: int,
    dilation: list[int],
) -> fx.Node:
    _require_constant(weight)
    inputs, outputs, *kernel = weight.shape
    layer = nn.ConvTranspose2d(
        inputs,
        outputs * groups,
        tuple(kernel),  # type: ignore[arg-type]  # two numbers
        _pair(stride),
        _pair(padding),
        _pair(output_padding),
        groups,
        bias is not None,
        _pair(dilation),
    )
    return to.module(_filled(layer, weight, bias), x, name=to.name)


@rule(RULES, aten.linear.default)
def _linear(to: Lowering, *, x: fx.Node, weight: Tensor, bias: Tensor | None) -> fx.Node:
    _require_constant(weight)
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    return to.module(_filled(layer, weight, bias), x, name=to.name)


def _filled(layer: Any, weight: Tensor, bias: Tensor | None) -> nn.Module:
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    filled: nn.Module = layer
    return filled


def _pair(numbers: list[int]) -> tuple[int, int]:
    """Return two numbers; torch writes one where both are equal."""
    first, *more = numbers
    return first, more[0] if more else first


def _require_constant(weight: Any) -> None:
    if not isinstance(weight, Tensor):
        raise UnsupportedError(
            "A convolution's weights are computed from the picture.",
            remedy="No phone has that in int8; write it as products and sums.",
        )
