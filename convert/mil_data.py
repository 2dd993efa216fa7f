"""Slicing, joining and reordering in an ML Program, in torch; see :mod:`.mil_ops`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edgemat.convert.mil_spatial import Number, ints, unsupported


def concat(values: Sequence[Tensor], axis: Number, interleave: Number = False) -> Tensor:
    if not interleave:
        return torch.cat(list(values), int(axis))
    first = int(axis) % values[0].ndim
    return torch.stack(list(values), first + 1).flatten(first, first + 1)


def stack(values: Sequence[Tensor], axis: Number) -> Tensor:
    return torch.stack(list(values), int(axis))


def split(
    x: Tensor, axis: Number, num_splits: Number = 1, split_sizes: Iterable[Number] | None = None
) -> Sequence[Tensor]:
    sizes = x.shape[int(axis)] // int(num_splits) if split_sizes is None else ints(split_sizes)
    parts: Sequence[Tensor] = x.split(sizes, int(axis))
    return parts


def slice_by_index(
    x: Tensor,
    begin: Tensor,
    end: Tensor,
    stride: Iterable[Number] | None = None,
    begin_mask: Iterable[Number] | None = None,
    end_mask: Iterable[Number] | None = None,
    squeeze_mask: Iterable[Number] | None = None,
) -> Tensor:
    ones, off = [1] * x.ndim, [False] * x.ndim
    rows = zip(
        ints(begin),
        ints(end),
        ints(ones if stride is None else stride),
        off if begin_mask is None else begin_mask,
        off if end_mask is None else end_mask,
        off if squeeze_mask is None else squeeze_mask,
        strict=True,
    )
    squeezed = []
    for axis, (first, last, step, from_start, to_end, single) in enumerate(rows):
        positions = range(x.shape[axis])
        if single:
            chosen = [positions[first]]
            squeezed.append(axis)
        else:
            bounds = slice(None if from_start else first, None if to_end else last, step)
            chosen = list(positions[bounds])
        if chosen != list(positions):
            x = x.index_select(axis, torch.tensor(chosen, dtype=torch.long))
    return x.squeeze(tuple(squeezed))


def slice_by_size(x: Tensor, begin: Tensor, size: Tensor) -> Tensor:
    for axis, (first, length) in enumerate(zip(ints(begin), ints(size), strict=True)):
        x = x.narrow(axis, first, x.shape[axis] - first if length == -1 else length)
    return x


def reshape(x: Tensor, shape: Tensor) -> Tensor:
    # A zero keeps the dimension of the input.
    return x.reshape([size or x.shape[axis] for axis, size in enumerate(ints(shape))])


def transpose(x: Tensor, perm: Tensor) -> Tensor:
    return x.permute(ints(perm))


def expand_dims(x: Tensor, axes: Tensor) -> Tensor:
    rank = x.ndim + axes.numel()
    for axis in sorted(axis % rank for axis in ints(axes)):
        x = x.unsqueeze(axis)
    return x


def squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
    return x.squeeze() if axes is None else x.squeeze(tuple(ints(axes)))


def pixel_shuffle(x: Tensor, upscale_factor: Number) -> Tensor:
    return functional.pixel_shuffle(x, int(upscale_factor))


def pixel_unshuffle(x: Tensor, downscale_factor: Number) -> Tensor:
    return functional.pixel_unshuffle(x, int(downscale_factor))


def pad(x: Tensor, pad: Tensor, mode: str = "constant", constant_val: Number = 0.0) -> Tensor:
    last = [tuple(ints(pair)) for pair in pad.reshape(-1, 2)]
    widths = [(0, 0)] * (x.ndim - len(last)) + last
    if mode == "constant":
        padded = np.pad(x.numpy(), widths, constant_values=float(constant_val))
    else:  # numpy, because torch refuses these modes for some ranks and widths
        padded = np.pad(x.numpy(), widths, mode="edge" if mode == "replicate" else "reflect")
    return torch.from_numpy(padded)


def tile(x: Tensor, reps: Tensor) -> Tensor:
    return x.repeat(ints(reps))


def gather(
    x: Tensor,
    indices: Tensor,
    axis: Number = 0,
    batch_dims: Number = 0,
    validate_indices: Number = False,
) -> Tensor:
    if int(batch_dims):
        raise unsupported("gather", f"{int(batch_dims)} batch dimensions")
    chosen = indices.long()
    along = int(axis) % x.ndim
    rows = x.index_select(along, torch.where(chosen < 0, chosen + x.shape[along], chosen).ravel())
    return rows.unflatten(along, chosen.shape) if chosen.ndim else rows.squeeze(along)


def fill(shape: Tensor, value: Number = 0.0) -> Tensor:
    return torch.as_tensor(value).expand(ints(shape)).clone()


def fill_like(ref_tensor: Tensor, value: Number = 0.0) -> Tensor:
    return torch.as_tensor(value).expand(ref_tensor.shape).clone()


def crop(x: Tensor, crop_height: Tensor, crop_width: Tensor) -> Tensor:
    (top, bottom), (left, right) = ints(crop_height), ints(crop_width)
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


def reverse(x: Tensor, axes: Tensor | None = None) -> Tensor:
    return x.flip(list(range(x.ndim)) if axes is None else ints(axes))


def band_part(x: Tensor, lower: Number = -1, upper: Number = -1) -> Tensor:
    if int(lower) >= 0:
        x = x.triu(-int(lower))
    return x.tril(int(upper)) if int(upper) >= 0 else x
