"""What moves values about and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx
from torch.nn import functional as F

from edgemat.errors import UnsupportedError
from edgemat.models.adopted.lowering import Lowering, Rules, rule, shape_of
from edgemat.models.adopted.replacements import PixelShuffle, Repeated, ZeroPad

aten = torch.ops.aten
RULES: Rules = {}
Nodes = list[fx.Node]


@rule(
    RULES,
    *(aten.dropout.default, aten.clone.default, aten.contiguous.default, aten.alias.default),
    *(aten.detach.default, aten.feature_dropout.default, aten.lift_fresh_copy.default),
    becomes="nothing",
)
def _same(to: Lowering, *, x: fx.Node, **_: Any) -> fx.Node:
    return x


@rule(RULES, aten._to_copy.default, aten.to.dtype, aten._assert_tensor_metadata.default)
def _to_type(to: Lowering, *, x: fx.Node | None = None, dtype: Any = None, **_: Any) -> Any:
    if dtype not in (None, torch.float32):
        raise UnsupportedError(
            f"The network computes in {dtype}.", remedy="Give it in float32: module.float()."
        )
    return x


@rule(
    RULES,
    *(aten.view.default, aten.reshape.default, aten._unsafe_view.default),
    *(aten.flatten.using_ints, aten.unflatten.int, aten.unsqueeze.default),
    *(aten.squeeze.dim, aten.squeeze.dims, aten.squeeze.default),
)
def _reshape(to: Lowering, *, x: fx.Node, **_: Any) -> fx.Node:
    return to.call(torch.reshape, x, to.shape)


@rule(RULES, aten.permute.default)
def _permute(to: Lowering, *, x: fx.Node, dims: list[int]) -> fx.Node:
    if _keeps_order(shape_of(x), dims):
        return to.call(torch.reshape, x, to.shape)
    return to.call(torch.permute, x, tuple(dims))


def _keeps_order(shape: tuple[int, ...], dims: Sequence[int]) -> bool:
    """Return whether an order of dimensions moves none but those of one value."""
    moved = [dim % len(shape) for dim in dims]
    long = [dim for dim in moved if shape[dim] != 1]
    return long == sorted(long)


@rule(RULES, aten.transpose.int)
def _transpose(to: Lowering, *, x: fx.Node, dim0: int, dim1: int) -> fx.Node:
    dims = list(range(len(shape_of(x))))
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    if _keeps_order(shape_of(x), dims):
        return to.call(torch.reshape, x, to.shape)
    return to.call(torch.transpose, x, dim0, dim1)


@rule(RULES, aten.cat.default)
def _concatenate(to: Lowering, *, tensors: Nodes, dim: int) -> fx.Node:
    return tensors[0] if len(tensors) == 1 else to.call(torch.cat, tensors, dim=dim)


@rule(RULES, aten.stack.default)
def _stack(to: Lowering, *, tensors: Nodes, dim: int) -> fx.Node:
    rank = len(shape_of(tensors[0])) + 1
    place = dim % rank
    parts = []
    for tensor in tensors:
        shape = list(shape_of(tensor))
        shape.insert(place, 1)
        parts.append(to.call(torch.reshape, tensor, tuple(shape)))
    return to.call(torch.cat, parts, dim=place)


@rule(RULES, aten.slice.Tensor)
def _part(
    to: Lowering, *, x: fx.Node, dim: int, start: int | None, end: int | None, step: int
) -> fx.Node:
    length = shape_of(x)[dim]
    first, last, step = slice(start, end, step).indices(length)
    if (first, last, step) == (0, length, 1):
        return x
    piece = x if last - first == length else to.call(torch.narrow, x, dim, first, last - first)
    if step == 1:
        return piece
    if len(shape_of(x)) != 4 or dim % 4 < 2:
        raise UnsupportedError(
            f"The network takes every {step}th value along dimension {dim}.",
            remedy="Phones have that for rows and columns of pictures alone.",
        )
    # pooling of single pixels: delegates know no slices that skip
    return to.call(F.max_pool2d, piece, 1, (step, 1) if dim % 4 == 2 else (1, step))


@rule(RULES, aten.select.int)
def _select(to: Lowering, *, x: fx.Node, dim: int, index: int) -> fx.Node:
    shape = list(shape_of(x))
    place = dim % len(shape)
    one = to.call(torch.narrow, x, place, index % shape[place], 1)
    return to.call(torch.reshape, one, tuple(n for d, n in enumerate(shape) if d != place))


@rule(RULES, aten.split_with_sizes.default)
def _split(to: Lowering, *, x: fx.Node, split_sizes: list[int], dim: int) -> Nodes:
    parts, start = [], 0
    for size in split_sizes:
        parts.append(to.call(torch.narrow, x, dim, start, size))
        start += size
    return parts


@rule(RULES, aten.split.Tensor)
def _split_evenly(to: Lowering, *, x: fx.Node, split_size: int, dim: int) -> Nodes:
    length = shape_of(x)[dim]
    sizes = [min(split_size, length - start) for start in range(0, length, split_size)]
    parts: Nodes = _split(to, x=x, split_sizes=sizes, dim=dim)
    return parts


@rule(RULES, aten.chunk.default)
def _chunk(to: Lowering, *, x: fx.Node, chunks: int, dim: int) -> Nodes:
    parts: Nodes = _split_evenly(to, x=x, split_size=-(-shape_of(x)[dim] // chunks), dim=dim)
    return parts


@rule(RULES, aten.unbind.int)
def _unbind(to: Lowering, *, x: fx.Node, dim: int) -> Nodes:
    return [_select(to, x=x, dim=dim, index=index) for index in range(shape_of(x)[dim])]


@rule(RULES, aten.expand.default)
def _expand(to: Lowering, *, x: fx.Node, **_: Any) -> fx.Node:
    return to.call(torch.Tensor.expand, x, to.shape)


@rule(RULES, aten.repeat.default)
def _repeat(to: Lowering, *, x: fx.Node, repeats: list[int]) -> fx.Node:
    added = len(repeats) - len(shape_of(x))
    if added:
        x = to.call(torch.reshape, x, (*[1] * added, *shape_of(x)))
    for dim, count in enumerate(repeats):
        if count > 1:
            x = to.call(torch.cat, [x] * count, dim=dim)
    return x


@rule(RULES, aten.pixel_shuffle.default, becomes="concatenation and reshaping")
def _pixel_shuffle(to: Lowering, *, x: fx.Node, upscale_factor: int) -> fx.Node:
    return to.module(PixelShuffle(upscale_factor), x)


@rule(RULES, aten.channel_shuffle.default, becomes="a transposition")
def _channel_shuffle(to: Lowering, *, x: fx.Node, groups: int) -> fx.Node:
    b, channels, height, width = shape_of(x)
    each = to.call(torch.reshape, x, (b, groups, channels // groups, height * width))
    return to.call(torch.reshape, to.call(torch.transpose, each, 1, 2), shape_of(x))


@rule(RULES, aten.pad.default, becomes="zeros, or slices of the border, concatenated")
def _pad(to: Lowering, *, x: fx.Node, pad: list[int], mode: str, value: float | None) -> fx.Node:
    if mode in ("reflect", "replicate", "circular") and len(pad) == 4:
        return _repeat_border(to, x, pad, mode)
    if mode != "constant":
        raise UnsupportedError(
            f"The network pads by {mode!r}.", remedy="Pad with zeros, or repeat the border."
        )
    padded: fx.Node = _pad_with_number(to, x=x, pad=pad, value=value or 0)
    return padded


@rule(RULES, aten.constant_pad_nd.default)
def _pad_with_number(to: Lowering, *, x: fx.Node, pad: list[int], value: float) -> fx.Node:
    if value != 0:
        raise UnsupportedError(
            f"The network pads with {value:g}.", remedy="Pad with zeros, or repeat the border."
        )
    if not any(pad):
        return x
    if len(pad) == 4 and len(shape_of(x)) == 4:
        left, right, top, bottom = pad
        return to.module(ZeroPad((left, right, top, bottom)), x)
    return to.call(F.pad, x, tuple(pad))


@rule(RULES, aten.reflection_pad2d.default, becomes="slices of the border, concatenated")
def _reflect(to: Lowering, *, x: fx.Node, padding: list[int]) -> fx.Node:
    return _repeat_border(to, x, padding, "reflect")


@rule(RULES, aten.replication_pad2d.default, becomes="slices of the border, concatenated")
def _replicate(to: Lowering, *, x: fx.Node, padding: list[int]) -> fx.Node:
    return _repeat_border(to, x, padding, "replicate")


def _repeat_border(to: Lowering, x: fx.Node, padding: list[int], mode: str) -> fx.Node:
    left, right, top, bottom = padding
    return to.module(Repeated((left, right, top, bottom), mode), x)
