"""Convolution, pooling and resizing of an ML Program, in torch; see :mod:`.mil_ops`.

All are two-dimensional (B,C,H,W). A padding is written as MIL does: [top, bottom, left, right].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edgemat.errors import ConversionError

Number = Tensor | float
"""A number of an operation: a tensor in a program, a Python number as a default."""

ONES = (1, 1)
NO_PADDING = (0, 0, 0, 0)


def ints(values: Iterable[Number]) -> list[int]:
    """Return the numbers of a tensor or a sequence as integers."""
    return [int(value) for value in values]


def unsupported(operation: str, what: str) -> ConversionError:
    """Return the error that names a form of an operation which the executor does not know."""
    return ConversionError(
        f"The reference executor does not know {operation} with {what}.",
        remedy="Write the network without it, or add it to the executor.",
    )


# ---- convolution and pooling --------------------------------------------------------------


def _margins(
    x: Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pad_type: str,
    pad: Iterable[Number],
) -> list[int]:
    """Return the padding that a ``pad_type`` stands for."""
    if pad_type == "custom":
        return ints(pad)
    if pad_type == "valid":
        return list(NO_PADDING)
    margins = []
    for size, width, stride, dilation in zip(x.shape[2:], kernel, strides, dilations, strict=True):
        reach = (math.ceil(size / stride) - 1) * stride + (width - 1) * dilation + 1
        total = max(reach - size, 0)
        less, more = total // 2, total - total // 2
        margins += [less, more] if pad_type == "same" else [more, less]
    return margins


def _surround(x: Tensor, margins: Sequence[int], value: float = 0.0) -> Tensor:
    top, bottom, left, right = margins
    return functional.pad(x, (left, right, top, bottom), value=value)


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Iterable[Number] = ONES,
    pad_type: str = "valid",
    pad: Iterable[Number] = NO_PADDING,
    dilations: Iterable[Number] = ONES,
    groups: Number = 1,
) -> Tensor:
    steps, spread = ints(strides), ints(dilations)
    margins = _margins(x, weight.shape[2:], steps, spread, pad_type, pad)
    padding: Sequence[int] = (0, 0)
    if margins[0::2] == margins[1::2]:  # torch's own padding: bit-identical to the traced network
        padding = margins[0::2]
    else:
        x = _surround(x, margins)
    return functional.conv2d(x, weight, bias, steps, padding, spread, int(groups))


def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    pad: Iterable[Number] = NO_PADDING,
    output_shape: Tensor | None = None,
    pad_type: str = "valid",
    strides: Iterable[Number] = ONES,
    dilations: Iterable[Number] = ONES,
    groups: Number = 1,
) -> Tensor:
    steps, spread = ints(strides), ints(dilations)
    whole = [
        (size - 1) * step + (width - 1) * dilation + 1
        for size, step, width, dilation in zip(
            x.shape[2:], steps, weight.shape[2:], spread, strict=True
        )
    ]
    margins = ints(pad) if pad_type == "custom" else list(NO_PADDING)
    sizes = [w - sum(margins[2 * i : 2 * i + 2]) for i, w in enumerate(whole)]
    if output_shape is not None:
        sizes = ints(output_shape)[2:]
    elif pad_type == "same":
        sizes = [size * step for size, step in zip(x.shape[2:], steps, strict=True)]
    starts = margins[0::2]
    if pad_type == "same":
        starts = [max(w - size, 0) // 2 for w, size in zip(whole, sizes, strict=True)]
    beyond = [max(s + z - w, 0) for s, z, w in zip(starts, sizes, whole, strict=True)]
    y = functional.conv_transpose2d(x, weight, bias, steps, 0, beyond, int(groups), spread)
    (top, left), (height, width) = starts, sizes
    return y[:, :, top : top + height, left : left + width]


def avg_pool(
    x: Tensor,
    kernel_sizes: Iterable[Number],
    strides: Iterable[Number] = ONES,
    pad_type: str = "valid",
    pad: Iterable[Number] = NO_PADDING,
    exclude_padding_from_average: Number = False,
    ceil_mode: Number = False,
) -> Tensor:
    kernel, steps = ints(kernel_sizes), ints(strides)
    margins = _margins(x, kernel, steps, ONES, pad_type, pad)
    if margins[0::2] == margins[1::2]:
        counts_padding = not bool(exclude_padding_from_average)
        return functional.avg_pool2d(
            x, kernel, steps, margins[0::2], bool(ceil_mode), counts_padding
        )
    mean = functional.avg_pool2d(_surround(x, margins), kernel, steps)
    if not exclude_padding_from_average:
        return mean
    return mean / functional.avg_pool2d(_surround(torch.ones_like(x), margins), kernel, steps)


def max_pool(
    x: Tensor,
    kernel_sizes: Iterable[Number],
    strides: Iterable[Number] = ONES,
    pad_type: str = "valid",
    pad: Iterable[Number] = NO_PADDING,
    ceil_mode: Number = False,
) -> Tensor:
    kernel, steps = ints(kernel_sizes), ints(strides)
    margins = _margins(x, kernel, steps, ONES, pad_type, pad)
    if margins[0::2] == margins[1::2]:
        return functional.max_pool2d(x, kernel, steps, margins[0::2], ceil_mode=bool(ceil_mode))
    return functional.max_pool2d(_surround(x, margins, -math.inf), kernel, steps)


# ---- resizing -----------------------------------------------------------------------------


def _bilinear(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)


def _scaled(x: Tensor, scale_height: Number, scale_width: Number) -> tuple[int, int]:
    height, width = x.shape[2:]
    return math.floor(height * float(scale_height)), math.floor(width * float(scale_width))


def resize_bilinear(
    x: Tensor,
    target_size_height: Number = 1,
    target_size_width: Number = 1,
    sampling_mode: str = "DEFAULT",
) -> Tensor:
    if sampling_mode not in ("UNALIGN_CORNERS", "STRICT_ALIGN_CORNERS"):
        raise unsupported("resize_bilinear", f"sampling mode {sampling_mode}")
    size = int(target_size_height), int(target_size_width)
    return _bilinear(x, size, sampling_mode == "STRICT_ALIGN_CORNERS")


def upsample_bilinear(
    x: Tensor,
    scale_factor_height: Number = 1,
    scale_factor_width: Number = 1,
    align_corners: Number = True,
    half_pixel_centers: Number | None = None,
) -> Tensor:
    aligned = bool(align_corners)
    if half_pixel_centers is not None and bool(half_pixel_centers) == aligned:
        raise unsupported("upsample_bilinear", f"both grids set to {aligned}")
    return _bilinear(x, _scaled(x, scale_factor_height, scale_factor_width), aligned)


def resize_nearest_neighbor(
    x: Tensor, target_size_height: Number, target_size_width: Number
) -> Tensor:
    size = int(target_size_height), int(target_size_width)
    return functional.interpolate(x, size=size, mode="nearest")


def upsample_nearest_neighbor(
    x: Tensor, scale_factor_height: Number = 1, scale_factor_width: Number = 1
) -> Tensor:
    size = _scaled(x, scale_factor_height, scale_factor_width)
    return functional.interpolate(x, size=size, mode="nearest")
