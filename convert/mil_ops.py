"""Each operation of an ML Program in torch: one short function per operation.

A function's parameters bear the names of the MIL operation's inputs and have its defaults. All
numbers, constants too, arrive as tensors; strings as ``str``. float16 values arrive as float32,
and the executor rounds what comes back to the type that the file declares. Semantics:
coremltools' definitions of the opsets iOS15 to iOS18. Here: quantization, arithmetic and the
table of all; :mod:`edgemat.convert.mil_spatial` and :mod:`edgemat.convert.mil_data` hold the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edgemat.convert.mil_data import (
    band_part,
    concat,
    crop,
    expand_dims,
    fill,
    fill_like,
    gather,
    pad,
    pixel_shuffle,
    pixel_unshuffle,
    reshape,
    reverse,
    slice_by_index,
    slice_by_size,
    split,
    squeeze,
    stack,
    tile,
    transpose,
)
from edgemat.convert.mil_spatial import (
    Number,
    avg_pool,
    conv,
    conv_transpose,
    ints,
    max_pool,
    resize_bilinear,
    resize_nearest_neighbor,
    upsample_bilinear,
    upsample_nearest_neighbor,
)
from edgemat.errors import ConversionError

OperationFunction = Callable[..., "Tensor | Sequence[Tensor]"]


# ---- quantization -------------------------------------------------------------------------


def _along(parameter: Tensor, x: Tensor, axis: Tensor | None) -> Tensor:
    """Shape a scale or zero-point (scalar or one per channel) so that it broadcasts over `x`."""
    if parameter.numel() == 1 or axis is None:
        return parameter.float().reshape(())
    shape = [1] * x.ndim
    shape[int(axis)] = -1
    return parameter.float().reshape(shape)


def quantize(
    input: Tensor,
    scale: Tensor,
    output_dtype: str,
    zero_point: Tensor | None = None,
    axis: Tensor | None = None,
) -> Tensor:
    limits = torch.iinfo(getattr(torch, output_dtype))
    # Times the float32 reciprocal, as torch's fake-quantize and integer kernels do. Dividing is
    # the same but for values within one unit in the last place of the middle between two levels;
    # those alone moved alpha by 5e-4 in an IndexNet.
    levels = torch.round(input * (1 / _along(scale, input, axis)))
    if zero_point is not None:
        levels = levels + _along(zero_point, input, axis)
    return levels.clamp(limits.min, limits.max)


def dequantize(
    input: Tensor, scale: Tensor, zero_point: Tensor | None = None, axis: Tensor | None = None
) -> Tensor:
    levels = input.float()
    if zero_point is not None:
        levels = levels - _along(zero_point, input, axis)
    return levels * _along(scale, input, axis)


def constexpr_affine_dequantize(
    quantized_data: Tensor, zero_point: Tensor, scale: Tensor, axis: Tensor
) -> Tensor:
    return dequantize(quantized_data, scale, zero_point, axis)


def constexpr_blockwise_shift_scale(
    data: Tensor, scale: Tensor, offset: Tensor | None = None
) -> Tensor:
    for axis, (size, blocks) in enumerate(zip(data.shape, scale.shape, strict=True)):
        scale = scale.repeat_interleave(size // blocks, axis)
        offset = None if offset is None else offset.repeat_interleave(size // blocks, axis)
    levels = data.float() if offset is None else data.float() - offset.float()
    return levels * scale


# ---- arithmetic ---------------------------------------------------------------------------


def clip(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return torch.minimum(torch.maximum(x, alpha), beta)


def batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: Number = 1e-5,
) -> Tensor:
    return functional.batch_norm(x, mean, variance, gamma, beta, eps=float(epsilon))


def layer_norm(
    x: Tensor,
    axes: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: Number = 1e-5,
) -> Tensor:
    over = sorted(axis % x.ndim for axis in ints(axes))
    if over != list(range(x.ndim - len(over), x.ndim)):
        raise ConversionError(
            f"layer_norm over the axes {over} of {x.ndim} is not implemented.",
            remedy="Normalise the last axes.",
        )
    return functional.layer_norm(x, x.shape[over[0] :], gamma, beta, eps=float(epsilon))


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return functional.linear(x, weight, bias)


def matmul(
    x: Tensor, y: Tensor, transpose_x: Number = False, transpose_y: Number = False
) -> Tensor:
    return (x.mT if transpose_x else x) @ (y.mT if transpose_y else y)


def inverse(x: Tensor, epsilon: Number = 1e-4) -> Tensor:
    y: Tensor = 1 / (x + epsilon)
    return y


def rsqrt(x: Tensor, epsilon: Number = 1e-12) -> Tensor:
    return torch.rsqrt(x + epsilon)


def leaky_relu(x: Tensor, alpha: Number = 0.01) -> Tensor:
    return functional.leaky_relu(x, float(alpha))


def gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(1.702 * x)
    return functional.gelu(x, approximate="none" if mode == "EXACT" else "tanh")


def elu(x: Tensor, alpha: Number = 1.0) -> Tensor:
    return functional.elu(x, float(alpha))


def log(x: Tensor, epsilon: Number = 1e-45) -> Tensor:
    return torch.log(x + epsilon)


def softmax(x: Tensor, axis: Number = -1) -> Tensor:
    return x.softmax(int(axis))


def select(cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(cond.bool(), a, b)


def cast(x: Tensor, dtype: str) -> Tensor:
    return x  # the executor gives every result its declared type


UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "relu6": functional.relu6,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "tanh": torch.tanh,
    "exp": torch.exp,
    "abs": torch.abs,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "logical_not": torch.logical_not,
}
BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "real_div": torch.div,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "equal": torch.eq,
    "not_equal": torch.ne,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "logical_and": torch.logical_and,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
}
REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    "reduce_mean": torch.mean,
    "reduce_sum": torch.sum,
    "reduce_max": torch.amax,
    "reduce_min": torch.amin,
}


def _unary(function: Callable[[Tensor], Tensor]) -> OperationFunction:
    return lambda x: function(x)


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> OperationFunction:
    return lambda x, y: function(x, y)


def _reduce(function: Callable[..., Tensor]) -> OperationFunction:
    def reduced(x: Tensor, axes: Tensor | None = None, keep_dims: Number = False) -> Tensor:
        over = list(range(x.ndim)) if axes is None else ints(axes)
        return function(x, over, keepdim=bool(keep_dims))

    return reduced


def reduce_argmax(
    x: Tensor, axis: Number = -1, keep_dims: Number = False, output_dtype: str = "int32"
) -> Tensor:
    return x.argmax(int(axis), keepdim=bool(keep_dims))


OPERATIONS: dict[str, OperationFunction] = {
    function.__name__: function
    for function in (
        *(quantize, dequantize, constexpr_affine_dequantize, constexpr_blockwise_shift_scale),
        *(conv, conv_transpose, avg_pool, max_pool, batch_norm, layer_norm),
        *(linear, matmul, leaky_relu, gelu, elu, log),
        *(resize_bilinear, upsample_bilinear, resize_nearest_neighbor, upsample_nearest_neighbor),
        *(concat, stack, split, slice_by_index, slice_by_size, reshape, transpose),
        *(expand_dims, squeeze, pixel_shuffle, pixel_unshuffle, pad, tile, gather, fill),
        *(fill_like, crop, reverse, band_part, clip, inverse, rsqrt, softmax, select, cast),
        reduce_argmax,
    )
}
OPERATIONS |= {name: _unary(function) for name, function in UNARY.items()}
OPERATIONS |= {name: _binary(function) for name, function in BINARY.items()}
OPERATIONS |= {name: _reduce(function) for name, function in REDUCTIONS.items()}
