"""Normalisations: batch norm is a scale and a shift; the others depend on the picture."""

from __future__ import annotations

import torch
from torch import Tensor, fx
from torch.nn import functional as F

from edgemat.models.adopted.lowering import Lowering, Rules, always, rule, shape_of
from edgemat.models.deploy import STILL_VARIANCE

aten = torch.ops.aten
RULES: Rules = {}


@rule(
    RULES,
    aten._native_batch_norm_legit_no_training.default,
    becomes="part of the convolution before it, or a depthwise one",
)
def _batch_norm(
    to: Lowering,
    *,
    x: fx.Node,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
) -> fx.Node:
    scale = torch.rsqrt(running_var + eps)
    if weight is not None:
        scale = scale * weight
    scale = torch.where(running_var <= STILL_VARIANCE, torch.zeros_like(scale), scale)
    shift = -running_mean * scale
    if bias is not None:
        shift = shift + bias
    if len(shape_of(x)) == 4:
        return to.scale_shift(x, scale, shift)
    return _scaled(to, x, scale, shift)


@rule(RULES, aten.group_norm.default, in_float=always)
def _group_norm(
    to: Lowering,
    *,
    x: fx.Node,
    num_groups: int,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    cudnn_enabled: bool,
) -> fx.Node:
    return _affine(to, to.call(F.group_norm, x, num_groups, eps=eps), weight, bias)


def _uses_the_picture(call: fx.Node) -> bool:
    return bool(call.args[5])  # else it is a batch norm


@rule(RULES, aten.instance_norm.default, in_float=_uses_the_picture)
def _instance_norm(
    to: Lowering,
    *,
    x: fx.Node,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> fx.Node:
    if not use_input_stats:
        assert running_mean is not None and running_var is not None  # torch has one or the other
        fixed: fx.Node = _batch_norm(
            to,
            x=x,
            weight=weight,
            bias=bias,
            running_mean=running_mean,
            running_var=running_var,
            momentum=momentum,
            eps=eps,
        )
        return fixed
    return _affine(to, to.call(F.group_norm, x, shape_of(x)[1], eps=eps), weight, bias)


@rule(RULES, aten.layer_norm.default, in_float=always)
def _layer_norm(
    to: Lowering,
    *,
    x: fx.Node,
    normalized_shape: list[int],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    cudnn_enable: bool,
) -> fx.Node:
    # its scale and shift follow by themselves: NNCF would take them for weights of a convolution
    y = to.call(F.layer_norm, x, tuple(normalized_shape), eps=eps)
    if weight is not None:
        y = to.call(torch.mul, y, weight)
    return y if bias is None else to.call(torch.add, y, bias)


def _affine(to: Lowering, y: fx.Node, weight: Tensor | None, bias: Tensor | None) -> fx.Node:
    """Follow a norm by its scale and shift for each channel, of whatever rank it is."""
    if weight is None and bias is None:
        return y
    channels = shape_of(y)[1]
    scale = torch.ones(channels) if weight is None else weight
    shift = torch.zeros(channels) if bias is None else bias
    if len(shape_of(y)) == 4:
        return to.scale_shift(y, scale, shift)
    return _scaled(to, y, scale, shift)


def _scaled(to: Lowering, x: fx.Node, scale: Tensor, shift: Tensor) -> fx.Node:
    """Add ``scale * x + shift`` of B,C,..., which is no picture."""
    along = (-1, *[1] * (len(shape_of(x)) - 2))
    return to.call(torch.add, to.call(torch.mul, x, scale.reshape(along)), shift.reshape(along))
