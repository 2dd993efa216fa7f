"""NNCF's fake-quantization, computed by torch's fused kernels.

NNCF brings a C++ extension, which needs a compiler and two minutes before the first step, and a
fallback of some twenty elementwise operators a tensor, ten times slower than the convolution
before it. Torch's own kernels for learned step sizes compute the same in one pass each way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from nncf.torch.quantization import extensions
from torch import Tensor

aten = torch.ops.aten


class FusedQuantizedFunctions:
    """The functions that NNCF calls for every quantizer, with the signatures of its C++ extension.

    A grid is given by the lowest value and the width of its range; scale = width / (levels - 1),
    zero-point = round(-lowest / scale).
    """

    @staticmethod
    def Quantize_forward(x: Tensor, low: Tensor, width: Tensor, levels: int) -> Tensor:
        scale, zero_point, axis = _grid(low, width, levels)
        if axis is None:
            x = aten._fake_quantize_learnable_per_tensor_affine(x, scale, zero_point, 0, levels - 1)
        else:
            x = aten._fake_quantize_learnable_per_channel_affine(
                x, scale, zero_point, axis, 0, levels - 1
            )
        return x

    @staticmethod
    def Quantize_backward(
        gradient: Tensor,
        x: Tensor,
        low: Tensor,
        width: Tensor,
        levels: int,
        level_low: int,
        level_high: int,
        is_asymmetric: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of x, of `low` and of `width` (symmetric grids: of NNCF's scale).

        The kernels give those of scale s and zero-point z (Esser et al., "Learned Step Size
        Quantization", ICLR 2020). As low = -z s and width = (levels - 1) s, the chain rule says
        dz = -s dlow and ds = -z dlow + (levels - 1) dwidth.
        """
        scale, zero_point, axis = _grid(low, width, levels)
        grid = (scale, zero_point) if axis is None else (scale, zero_point, axis)
        backward = (
            aten._fake_quantize_learnable_per_tensor_affine_backward
            if axis is None
            else aten._fake_quantize_learnable_per_channel_affine_backward
        )
        of_x, of_scale, of_zero = backward(gradient, x, *grid, 0, levels - 1)
        of_low = -of_zero / scale
        if is_asymmetric:
            of_width = (of_scale + zero_point * of_low) / (levels - 1)
        else:  # a symmetric grid's scale, in NNCF, is its highest value: level_high * s
            of_width = of_scale / level_high
        return of_x, of_low.reshape(low.shape), of_width.reshape(width.shape)


def _grid(low: Tensor, width: Tensor, levels: int) -> tuple[Tensor, Tensor, int | None]:
    """Return scales, zero-points (integers in float32) and the axis, None for one grid in all."""
    scale = width.abs() / (levels - 1)
    zero_point = torch.round(-low / scale).clamp(0, levels - 1)
    axis = next((a for a, length in enumerate(width.shape) if length > 1), None)
    return scale.reshape(-1), zero_point.reshape(-1), axis


@contextlib.contextmanager
def fused_kernels() -> Iterator[None]:
    """Within, NNCF computes with :class:`FusedQuantizedFunctions` on the CPU."""
    namespace = extensions.QuantizedFunctionsCPU
    saved = namespace._loaded_namespace
    namespace._loaded_namespace = FusedQuantizedFunctions
    try:
        yield
    finally:
        namespace._loaded_namespace = saved
