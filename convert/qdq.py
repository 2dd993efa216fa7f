"""Rewrite a frozen model's graph into the form that LiteRT's converter turns into int8.

The converter wants quantize and dequantize operators around everything, constants included.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import torch

# registers torch.ops.quantized_decomposed
import torch.ao.quantization.fx._decomposed
from torch import Tensor, fx

from edgemat.models.adopted.replacements import WIDEST_INT8_SOFTMAX
from edgemat.quantize.spec import shift_to_int8

aten = torch.ops.aten
qd = torch.ops.quantized_decomposed

PER_TENSOR = {
    aten.fake_quantize_per_tensor_affine.default,
    aten.fake_quantize_per_tensor_affine_cachemask.default,
}
PER_CHANNEL = {
    aten.fake_quantize_per_channel_affine.default,
    aten.fake_quantize_per_channel_affine_cachemask.default,
}
# Operators of two tensors, of which a constant one needs a grid of its own.
ELEMENTWISE = {aten.add.Tensor, aten.sub.Tensor, aten.mul.Tensor}
REARRANGEMENTS = {
    aten.permute.default,
    aten.transpose.int,
    aten.view.default,
    aten.reshape.default,
    aten.flatten.using_ints,
    aten.unsqueeze.default,
}
SOFTMAX = {aten.softmax.int, aten._softmax.default}


def to_quantize_dequantize(graph: fx.GraphModule) -> fx.GraphModule:
    """Rewrite `graph`, in place, from fake-quantization to int8 quantize and dequantize.

    * Fake-quantization becomes quantize, dequantize; 0..255 is shifted to -128..127.
    * A clamp whose bounds the grid after it implies is dropped: the grid saturates there.
    * A constant operand of an elementwise operator gets the grid on which it is exact.
    * A softmax over too many values for int8 is broken up, which keeps it in float.
    """
    constants = _Constants(graph)
    rearranged = any(node.target in REARRANGEMENTS for node in graph.graph.nodes)
    for node in list(graph.graph.nodes):
        if node.target in PER_TENSOR:
            _drop_implied_clamp(node)
            _rewrite_per_tensor(graph, node, rearranged=rearranged)
        elif node.target in PER_CHANNEL:
            _rewrite_per_channel(graph, node, constants)
        elif node.target in SOFTMAX:
            _break_up_wide_softmax(node)
        elif node.target in ELEMENTWISE or node.target is aten.rsub.Scalar:
            _quantize_constant_operand(graph, node, constants)
    graph.graph.eliminate_dead_code()
    graph.graph.lint()
    graph.recompile()
    return graph


class _Constants:
    """Adds buffers to a graph module under fresh names."""

    def __init__(self, graph: fx.GraphModule) -> None:
        self.graph = graph
        self.count = 0

    def add(self, value: Tensor) -> fx.Node:
        name = f"quantization_constant_{self.count}"
        self.count += 1
        self.graph.register_buffer(name, value)
        return self.graph.graph.get_attr(name)


def _rewrite_per_tensor(graph: fx.GraphModule, node: fx.Node, *, rearranged: bool) -> None:
    x, scale, zero_point, low, high = _arguments(node, 5)
    shift = shift_to_int8(low)
    zero_point, low, high = zero_point - shift, low - shift, high - shift
    grid = (scale, zero_point, low, high, torch.int8)
    with graph.graph.inserting_before(node):
        quantized = graph.graph.call_function(qd.quantize_per_tensor.default, (x, *grid))
        restored = graph.graph.call_function(qd.dequantize_per_tensor.default, (quantized, *grid))
    _replace(node, restored)
    # The converter's layout pass forgets shape and layout of a dequantize at whose first reader it
    # changes the layout: where tensors are rearranged, every further reader gets one of its own.
    # So does the input of several convolutions.
    for user in list(restored.users)[1:] if rearranged or x.op == "placeholder" else []:
        with graph.graph.inserting_before(user):
            again = graph.graph.call_function(qd.dequantize_per_tensor.default, (quantized, *grid))
        user.replace_input_with(restored, again)


def _rewrite_per_channel(graph: fx.GraphModule, node: fx.Node, constants: _Constants) -> None:
    """Weights stay float in the graph, on their grid, and are quantized by the converter."""
    weight, scale, zero_point, axis, low, high = _arguments(node, 6)
    values, scales = _constant(graph, weight), _constant(graph, scale)
    snapped = torch.fake_quantize_per_channel_affine(
        values, scales, _constant(graph, zero_point), axis, low, high
    )
    with graph.graph.inserting_before(node):
        grid = (
            constants.add(scales.clone()),
            constants.add(torch.zeros(len(scales), dtype=torch.int64)),
            axis,
            low,
            high,
            torch.int8,
        )
        quantized = graph.graph.call_function(
            qd.quantize_per_channel.default, (constants.add(snapped), *grid)
        )
        restored = graph.graph.call_function(qd.dequantize_per_channel.default, (quantized, *grid))
    _replace(node, restored)


def _arguments(node: fx.Node, count: int) -> list[Any]:
    """Return the first arguments of an operator; fx types them too widely for arithmetic."""
    return list(node.args[:count])


def _replace(node: fx.Node, value: fx.Node) -> None:
    """Put `value` in the place of `node`, whose first output alone counts if it has several."""
    for user in list(node.users):
        if user.target is operator.getitem:
            user.replace_all_uses_with(value)
            user.graph.erase_node(user)
    node.replace_all_uses_with(value)
    node.graph.erase_node(node)


def _drop_implied_clamp(node: fx.Node) -> None:
    """Drop a clamp right before a grid that saturates at its bounds, or inside them.

    ReLU6 stays: the runtime fuses it into the convolution before it, for nothing.
    """
    clamp, scale, zero_point, low, high = _arguments(node, 5)
    if not isinstance(clamp, fx.Node) or clamp.target is not aten.clamp.default:
        return
    bounds = [*clamp.args[1:], *clamp.kwargs.values(), None, None]
    lower = -math.inf if bounds[0] is None else bounds[0]
    upper = math.inf if bounds[1] is None else bounds[1]
    tolerance = scale / 2  # what rounds to the grid's end is the grid's end
    lowest, highest = (low - zero_point) * scale, (high - zero_point) * scale
    if lowest >= lower - tolerance and highest <= upper + tolerance and len(clamp.users) == 1:
        node.replace_input_with(clamp, clamp.all_input_nodes[0])


def _break_up_wide_softmax(node: fx.Node) -> None:
    """Write a softmax over too many values for int8 in operators that stay in float.

    The converter would make an int8 softmax of it, whose grid kernels fix to steps of 1/256.
    """
    x, dim = _arguments(node, 2)
    if node.meta["val"].shape[dim] <= WIDEST_INT8_SOFTMAX:
        return
    graph = node.graph
    with graph.inserting_before(node):
        highest = graph.call_function(aten.amax.default, (x, [dim], True))
        below = graph.call_function(aten.sub.Tensor, (x, highest))
        powers = graph.call_function(aten.exp.default, (below,))
        total = graph.call_function(aten.sum.dim_IntList, (powers, [dim], True))
        # the converter knows exponentials divided by their sum for a softmax
        shares = graph.call_function(
            aten.mul.Tensor, (powers, graph.call_function(aten.reciprocal.default, (total,)))
        )
    _replace(node, shares)


def _quantize_constant_operand(graph: fx.GraphModule, node: fx.Node, constants: _Constants) -> None:
    """Turn `x * 0.5` or `1 - x` into tensors, the constant on a grid that holds it exactly."""
    if node.target is aten.rsub.Scalar:
        node.target, node.args = aten.sub.Tensor, (node.args[1], node.args[0])
    for position, operand in enumerate(node.args[:2]):
        if not isinstance(operand, int | float):
            continue
        scale = scale_of_constant(operand)
        rank = node.meta["val"].ndim  # of a higher one, the result would have more dimensions
        grid = (scale, 0, -128, 127, torch.int8)
        with graph.graph.inserting_before(node):
            value = constants.add(torch.full((1,) * rank, float(operand)))
            quantized = graph.graph.call_function(qd.quantize_per_tensor.default, (value, *grid))
            restored = graph.graph.call_function(
                qd.dequantize_per_tensor.default, (quantized, *grid)
            )
        node.update_arg(position, restored)


def scale_of_constant(value: float) -> float:
    """Return the step of the grid that a constant operand gets: it is exact there, 127 steps."""
    return abs(float(value)) / 127 or 1.0


def _constant(graph: fx.GraphModule, node: fx.Node) -> Tensor:
    """Return the tensor that a get_attr node stands for."""
    owner, _, name = str(node.target).rpartition(".")
    constant: Tensor = getattr(graph.get_submodule(owner), name)
    return constant.detach()
