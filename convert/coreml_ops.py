"""Operations taught to coremltools; importing this module registers them.

Fake-quantize, which coremltools does not know: weights become int8 constants that Core ML expands
when it loads the model (``constexpr_affine_dequantize``, from iOS 18
``constexpr_blockwise_shift_scale``); activations become ``quantize`` and ``dequantize``. Scales
and zero-points go into the file as they are.

``reciprocal``, which coremltools turns into 1 / (x + 0.0001): an error of 0.02 % at x = 0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from coremltools.converters.mil import Builder
from coremltools.converters.mil.frontend._utils import _construct_constexpr_dequant_op
from coremltools.converters.mil.frontend.torch.ops import _get_inputs
from coremltools.converters.mil.frontend.torch.torch_op_registry import (
    register_torch_op,
)
from numpy.typing import NDArray

from edgemat.convert.levels import levels
from edgemat.errors import ConversionError

TorchConverter = Callable[[Any, Any], None]

_register: Callable[[TorchConverter], TorchConverter] = register_torch_op(override=True)


@_register
def fake_quantize_per_tensor_affine(context: Any, node: Any) -> None:
    """``(x, scale, zero_point, quant_min, quant_max)``; the middle two numbers or tensors."""
    x, scale, zero_point, low, high = _get_inputs(context, node, expected=5)
    context.add(_fake_quantize(node.name, x, scale, zero_point, None, low, high))


@_register
def fake_quantize_per_channel_affine(context: Any, node: Any) -> None:
    """``(x, scale, zero_point, axis, quant_min, quant_max)``; scale one per channel."""
    x, scale, zero_point, axis, low, high = _get_inputs(context, node, expected=6)
    context.add(_fake_quantize(node.name, x, scale, zero_point, int(axis.val), low, high))


@_register
def reciprocal(context: Any, node: Any) -> None:
    """``(x)``: 1 / x without the epsilon of MIL's ``inverse``."""
    (x,) = _get_inputs(context, node, expected=1)
    context.add(Builder.real_div(x=np.float32(1), y=x, name=node.name))


def _fake_quantize(
    name: str, x: Any, scale: Any, zero_point: Any, axis: int | None, low: Any, high: Any
) -> Any:
    if scale.val is None or zero_point.val is None:
        raise ConversionError(
            f"The fake-quantizer {name} computes its scale while it runs.",
            remedy="Freeze the quantized model first: scales and zero-points must be constants.",
        )
    limits = int(low.val), int(high.val)
    scales: NDArray[Any] = np.asarray(scale.val, np.float32)
    points: NDArray[Any] = np.asarray(zero_point.val).astype(np.int8 if limits[0] < 0 else np.uint8)
    if scales.size == 1:
        scales, points, axis = scales.reshape(()), points.reshape(()), None
    if x.val is None:
        return _quantized_activation(name, x, scales, points, axis, limits)
    integers = levels(x.val, scales, points, axis, limits)
    return _construct_constexpr_dequant_op(integers, points, scales, axis=axis, name=name)


def _quantized_activation(
    name: str,
    x: Any,
    scales: NDArray[Any],
    points: NDArray[Any],
    axis: int | None,
    limits: tuple[int, int],
) -> Any:
    whole = np.iinfo(points.dtype)
    if limits != (whole.min, whole.max):
        raise ConversionError(
            f"The fake-quantizer {name} uses the levels {limits[0]}..{limits[1]}, "
            f"but Core ML quantizes activations to {whole.min}..{whole.max}.",
            remedy="Quantize activations to the full range of 8 bits.",
        )
    same: dict[str, Any] = {"scale": scales}
    if points.any():
        same["zero_point"] = points
    if axis is not None:
        same["axis"] = np.int32(axis)
    quantized = Builder.quantize(input=x, output_dtype=points.dtype.name, **same)
    return Builder.dequantize(input=quantized, name=name, **same)
