"""Pooling and resizing."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx
from torch.nn import functional as F

from edgemat.errors import UnsupportedError
from edgemat.models.adopted.lowering import Lowering, Rules, rule, shape_of
from edgemat.models.adopted.replacements import Bins

aten = torch.ops.aten
RULES: Rules = {}


@rule(RULES, aten.max_pool2d.default)
def _max_pool(
    to: Lowering,
    *,
    x: fx.Node,
    kernel_size: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
) -> fx.Node:
    return to.call(
        F.max_pool2d, x, kernel_size, stride or kernel_size, padding, dilation, ceil_mode
    )


@rule(RULES, aten.avg_pool2d.default)
def _average_pool(
    to: Lowering,
    *,
    x: fx.Node,
    kernel_size: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> fx.Node:
    return to.call(
        F.avg_pool2d,
        x,
        kernel_size,
        stride or kernel_size,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


@rule(RULES, aten.adaptive_avg_pool2d.default, becomes="plain pooling, or means of slices")
def _adaptive_average_pool(to: Lowering, *, x: fx.Node, output_size: list[int]) -> fx.Node:
    height, width = shape_of(x)[2:]
    rows, columns = output_size
    if (rows, columns) == (1, 1):
        return to.call(F.adaptive_avg_pool2d, x, 1)
    if (rows, columns) == (height, width):
        return x
    if height % rows == 0 and width % columns == 0:
        return to.call(F.avg_pool2d, x, (height // rows, width // columns))
    return to.module(Bins((rows, columns)), x)


@rule(RULES, aten.adaptive_max_pool2d.default, becomes="plain pooling, or maxima of slices")
def _adaptive_max_pool(to: Lowering, *, x: fx.Node, output_size: list[int]) -> list[Any]:
    height, width = shape_of(x)[2:]
    rows, columns = output_size
    if (rows, columns) == (height, width):
        return [x, None]
    if height % rows == 0 and width % columns == 0:
        window = (height // rows, width // columns)
        return [to.call(F.max_pool2d, x, window, window), None]
    return [to.module(Bins((rows, columns), largest=True), x), None]


@rule(RULES, aten.mean.dim)
def _mean(to: Lowering, *, x: fx.Node, dim: list[int], keepdim: bool, dtype: Any) -> fx.Node:
    return to.call(torch.mean, x, tuple(dim), keepdim)


@rule(RULES, aten.sum.dim_IntList)
def _total(to: Lowering, *, x: fx.Node, dim: list[int], keepdim: bool, dtype: Any) -> fx.Node:
    return to.call(torch.sum, x, tuple(dim), keepdim)


@rule(RULES, aten.amax.default)
def _largest(to: Lowering, *, x: fx.Node, dim: list[int], keepdim: bool) -> fx.Node:
    return to.call(torch.amax, x, tuple(dim), keepdim)


@rule(RULES, aten.max.dim)
def _largest_along(to: Lowering, *, x: fx.Node, dim: int, keepdim: bool) -> list[Any]:
    return [to.call(torch.amax, x, (dim,), keepdim), None]  # where it lies, no rule asks for


@rule(RULES, aten.upsample_bilinear2d.vec)
def _bilinear(
    to: Lowering,
    *,
    x: fx.Node,
    output_size: list[int] | None,
    align_corners: bool,
    scale_factors: list[float] | None,
) -> fx.Node:
    size = _size(x, output_size, scale_factors)
    height, width = shape_of(x)[2:]
    exact = tuple(side * f for side, f in zip((height, width), scale_factors or (), strict=False))
    if scale_factors and not align_corners and exact != size:
        raise UnsupportedError(
            f"Bilinear resizing by {scale_factors[0]:g} from {height} x {width} px gives no whole "
            "number of pixels: torch then has them lie elsewhere than runtimes.",
            remedy="Give a --size that gives whole numbers, or resize by size=.",
        )
    if size == (height, width):
        return x
    return to.call(F.interpolate, x, size=size, mode="bilinear", align_corners=align_corners)


@rule(RULES, aten.upsample_nearest2d.vec, aten._upsample_nearest_exact2d.vec)
def _nearest(
    to: Lowering,
    *,
    x: fx.Node,
    output_size: list[int] | None,
    scale_factors: list[float] | None,
) -> fx.Node:
    size = _size(x, output_size, scale_factors)
    if size == shape_of(x)[2:]:
        return x
    height, width = shape_of(x)[2:]
    if size[0] % height or size[1] % width:
        raise UnsupportedError(
            f"Nearest upsampling from {height} x {width} to {size[0]} x {size[1]} px is no whole "
            "factor: runtimes round it differently.",
            remedy="Give a --size that the network's strides divide, or use bilinear.",
        )
    return to.call(F.interpolate, x, size=size, mode="nearest")


def _size(x: fx.Node, size: list[int] | None, factors: list[float] | None) -> tuple[int, ...]:
    if size is not None:
        return tuple(size)
    assert factors is not None  # torch gives one or the other
    return tuple(int(n * factor) for n, factor in zip(shape_of(x)[2:], factors, strict=True))
