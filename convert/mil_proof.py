"""An ML Program's own account of its quantization: int8 convolutions, islands, scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgemat.convert.backend import GridTensor, channels_last
from edgemat.convert.int8_graph import Int8Count, Node, Role, count_nodes
from edgemat.convert.mil import operations, type_name, variables
from edgemat.convert.mil_types import Operation, Program
from edgemat.quantize.spec import UINT8_SHIFT, StoredGrid, shift_to_int8

CONVOLUTIONS = frozenset({"conv", "conv_transpose", "linear"})
# Operation -> its inputs that hold the integers (or become them) and the zero-points.
QUANTIZERS = {
    "quantize": ("input", "zero_point"),
    "dequantize": ("input", "zero_point"),
    "constexpr_affine_dequantize": ("quantized_data", "zero_point"),
    "constexpr_blockwise_shift_scale": ("data", "offset"),
}
CONSTANT_WEIGHTS = frozenset(QUANTIZERS) - {"quantize", "dequantize"}
# They move, choose or retype values without computing new ones, so that a scale survives them.
MOVEMENTS = frozenset(
    {
        *("band_part", "cast", "concat", "crop", "expand_dims", "gather", "identity", "max_pool"),
        *("pad", "pixel_shuffle", "pixel_unshuffle", "reduce_max", "reduce_min", "reshape"),
        *("resize_nearest_neighbor", "reverse", "slice_by_index", "slice_by_size", "split"),
        *("squeeze", "stack", "tile", "transpose", "upsample_nearest_neighbor"),
    }
)
# Kernels with these activations built in take them along behind an int8 operation.
FUSED_ACTIVATIONS = frozenset({"relu", "relu6", "clip"})


@dataclass(frozen=True)
class Scale:
    """One ``quantize``, ``dequantize`` or constant int8 weight of a file.

    Attributes
    ----------
    name:
        Of the operation's result in the file.
    kind:
        ``activation`` or ``weight``.
    values, zero_points:
        Per tensor (length 1) or per channel, exactly as stored.
    dtype:
        ``int8`` or ``uint8``.
    axis:
        Of the channels, None per tensor.
    """

    name: str
    kind: Literal["activation", "weight"]
    values: tuple[float, ...]
    zero_points: tuple[int, ...]
    dtype: str
    axis: int | None

    @property
    def offsets(self) -> tuple[int, ...]:
        """Zero-points counted from the lowest level (0..255).

        coremltools turns uint8 with zero-point 128 into int8 with 0, which is the same grid; the
        offset is 128 for both.
        """
        lowest = int(np.iinfo(self.dtype).min)
        return tuple(point - lowest for point in self.zero_points)

    @property
    def stored(self) -> StoredGrid:
        """The grid as a file that stores -128..127 has it, in whichever of the two this one is."""
        return StoredGrid(self.values, tuple(offset - UINT8_SHIFT for offset in self.offsets))


# ---- scales -------------------------------------------------------------------------------


def scales(program: Program) -> list[Scale]:
    """Return every scale and zero-point of a program in the order of its operations."""
    return [_scale(op) for op in operations(program) if op.op_type in QUANTIZERS]


def _scale(op: Operation) -> Scale:
    data_name, point_name = QUANTIZERS[op.op_type]
    stored = np.asarray(op.inputs["scale"].val)
    point = op.inputs.get(point_name)
    points = 0 if point is None else np.asarray(point.val)
    integers = op.outputs[0] if op.op_type == "quantize" else op.inputs[data_name]
    return Scale(
        name=op.outputs[0].name,
        kind="weight" if op.op_type in CONSTANT_WEIGHTS else "activation",
        values=tuple(float(value) for value in stored.ravel()),
        zero_points=tuple(int(value) for value in np.broadcast_to(points, stored.shape).ravel()),
        dtype=type_name(integers),
        axis=_channel_axis(op, stored),
    )


def _channel_axis(op: Operation, stored: NDArray[Any]) -> int | None:
    if stored.size == 1:
        return None
    if "axis" in op.inputs:
        return int(op.inputs["axis"].val)
    return int(np.argmax(stored.shape))  # block-wise weights: the axis that has several scales


def list_weights(program: Program) -> list[GridTensor]:
    """Return the int8 weights of the convolutions, each constant once."""
    found = {}
    for op in operations(program):
        maker = op.inputs["weight"].op if op.op_type in CONVOLUTIONS else None
        if maker is not None and maker.op_type in CONSTANT_WEIGHTS:
            found[maker.outputs[0].name] = _weight(maker)
    return list(found.values())


def _weight(maker: Operation) -> GridTensor:
    scale = _scale(maker)
    values = np.asarray(maker.inputs[QUANTIZERS[maker.op_type][0]].val).astype(np.int32)
    values = np.moveaxis(values - shift_to_int8(int(np.iinfo(scale.dtype).min)), scale.axis or 0, 0)
    return GridTensor(scale.name, scale.stored, channels_last(values))


# ---- proof of int8 ------------------------------------------------------------------------


def count_int8(program: Program) -> Int8Count:
    """Count how much of a program computes in int8, from the file itself."""
    nodes: dict[Operation, Node] = {}
    for op in operations(program):
        makers = [var.op for var in variables(op.inputs.values())]
        nodes[op] = Node(
            name=f"{op.op_type} {op.outputs[0].name}",
            role=_role(op),
            # constants are no operations here
            inputs=tuple(nodes.get(maker, CONSTANT) if maker else None for maker in makers),
            int8_weights=op.op_type in CONVOLUTIONS and _has_int8_weights(op),
        )
    return count_nodes(list(nodes.values()))


CONSTANT = Node("const", "constant", ())


def _role(op: Operation) -> Role:
    if op.op_type in ("quantize", "dequantize"):
        return "quantize" if op.op_type == "quantize" else "dequantize"
    if op.op_type in CONSTANT_WEIGHTS:
        return "weight"
    if op.op_type in MOVEMENTS:
        return "movement"
    if op.op_type in CONVOLUTIONS:
        return "convolution"
    return "activation" if op.op_type in FUSED_ACTIVATIONS else "other"


def _has_int8_weights(op: Operation) -> bool:
    maker = op.inputs["weight"].op
    if maker is None or maker.op_type not in CONSTANT_WEIGHTS:
        return False
    return type_name(maker.inputs[QUANTIZERS[maker.op_type][0]]) == "int8"
