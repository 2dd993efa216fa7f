"""An ML Program's own account of its quantization: int8 convolutions, islands, scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgemat.convert.backend import GridTensor, channels_last
from edgemat.convert.mil import operations, type_name, variables
from edgemat.convert.mil_types import Operation, Program, Variable
from edgemat.quantize.spec import UINT8_SHIFT, StoredGrid, shift_to_int8

CONVOLUTIONS = frozenset({"conv", "conv_transpose"})
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

IslandPlace = Literal["entry", "inside", "exit", "everywhere"]
# (behind a quantize, ahead of one) -> where an island lies
ISLAND_PLACES: dict[tuple[bool, bool], IslandPlace] = {
    (False, True): "entry",
    (True, True): "inside",
    (True, False): "exit",
    (False, False): "everywhere",
}


@dataclass(frozen=True)
class FloatIsland:
    """Neighbouring operations that compute in float on values that no ``dequantize`` gave.

    ``entry`` lies before the first quantization (for example pixels times 1/255), ``exit`` after
    the last, ``inside`` between two; ``everywhere`` is a program without quantization.
    """

    place: IslandPlace
    operations: tuple[str, ...]


@dataclass(frozen=True)
class Int8Count:
    """The counts of one program.

    Attributes
    ----------
    convolutions:
        Convolutions and transposed convolutions.
    int8_weights:
        Of these, with weights stored as int8.
    int8_convolutions:
        Of these, whose input comes from a ``dequantize`` too (int8 x int8).
    float_convolutions:
        Names of the others.
    islands:
        All float islands.
    """

    convolutions: int
    int8_weights: int
    int8_convolutions: int
    float_convolutions: tuple[str, ...]
    islands: tuple[FloatIsland, ...]


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
    """Count how much of a program computes in int8, from the file itself.

    An operation counts as int8 when all its data come from ``dequantize``, with only
    data-movement operations between, or when it is an activation right behind such an operation.
    """
    ops = operations(program)
    int8: set[Operation] = set()
    floats: dict[Operation, list[Operation | None]] = {}  # float operation -> its sources
    for op in ops:
        if op.op_type in QUANTIZERS or op.op_type in MOVEMENTS:
            continue
        sources = [source for var in variables(op.inputs.values()) for source in _sources(var)]
        if sources and all(_keeps_int8(op, source, int8) for source in sources):
            int8.add(op)
        elif sources:
            floats[op] = sources
    convolutions = [op for op in ops if op.op_type in CONVOLUTIONS]
    light = [op for op in convolutions if _has_int8_weights(op)]
    proven = [op for op in light if op in int8]
    return Int8Count(
        convolutions=len(convolutions),
        int8_weights=len(light),
        int8_convolutions=len(proven),
        float_convolutions=tuple(op.outputs[0].name for op in convolutions if op not in proven),
        islands=_islands(ops, floats),
    )


def _sources(var: Variable) -> Iterator[Operation | None]:
    """Give the operations that computed `var`, behind data movement; None for an input."""
    if var.op is None:
        yield None
    elif var.op.op_type in MOVEMENTS:
        for moved in variables(var.op.inputs.values()):
            yield from _sources(moved)
    elif var.op.op_type not in CONSTANT_WEIGHTS and var.op.op_type != "const":
        yield var.op


def _keeps_int8(op: Operation, source: Operation | None, int8: set[Operation]) -> bool:
    if source is None:
        return False
    fused = op.op_type in FUSED_ACTIVATIONS and source in int8
    return source.op_type == "dequantize" or fused


def _has_int8_weights(op: Operation) -> bool:
    maker = op.inputs["weight"].op
    if maker is None or maker.op_type not in CONSTANT_WEIGHTS:
        return False
    return type_name(maker.inputs[QUANTIZERS[maker.op_type][0]]) == "int8"


def _islands(
    ops: Sequence[Operation], floats: Mapping[Operation, list[Operation | None]]
) -> tuple[FloatIsland, ...]:
    # float operation -> the island that it belongs to
    members: dict[Operation | None, list[Operation]] = {}
    for op, sources in floats.items():
        island = [op]
        for source in sources:
            joined = members.get(source, island)
            if joined is not island:
                joined.extend(island)
                island = joined
            members.update(dict.fromkeys(island, island))
        members[op] = island
    distinct = {id(island): island for island in members.values()}.values()

    behind: set[Operation | None] = set()  # operations that some quantize comes before
    for op in ops:
        makers = [var.op for var in variables(op.inputs.values())]
        if any(maker in behind or _is_quantize(maker) for maker in makers):
            behind.add(op)
    ahead: set[Operation | None] = set()  # operations that some quantize comes after
    for op in reversed(ops):
        users = [user for var in op.outputs for user in var.child_ops]
        if any(user in ahead or _is_quantize(user) for user in users):
            ahead.add(op)
    return tuple(
        FloatIsland(
            place=ISLAND_PLACES[not behind.isdisjoint(island), not ahead.isdisjoint(island)],
            operations=tuple(f"{op.op_type} {op.outputs[0].name}" for op in island),
        )
        for island in distinct
    )


def _is_quantize(op: Operation | None) -> bool:
    return op is not None and op.op_type == "quantize"
