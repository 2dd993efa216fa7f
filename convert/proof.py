"""Proof of int8, read from the finished file and held against the quantization specification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.artifacts.artifact import Int8Proof
from edgemat.convert.target import Target
from edgemat.quantize.spec import QuantSpec, TensorQuant

# float32 scales and zero-points, the latter as in a file that stores -128..127
Grid = tuple[tuple[float, ...], tuple[int, ...]]

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def prove_int8(path: Path, *, target: Target, spec: QuantSpec) -> Int8Proof:
    """Count, in the file itself, what is computed in int8 and which grids of `spec` it carries.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    return _prove_tflite(path, spec) if target.runtime == "tflite" else _prove_coreml(path, spec)


def float_operators(path: Path) -> list[str]:
    """Return the operators of a .tflite that compute in float, those at its ends left out.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    return [name for name, is_float, _ in _operators(path) if is_float]


def _operators(path: Path) -> Iterator[tuple[str, bool, bool]]:
    """Give each operator's name, whether it sees float inside the graph, and whether it is int8."""
    from ai_edge_litert import schema_py_generated as schema

    from edgemat.convert.flatbuffer import read_model

    model = read_model(path)
    graph = model.subgraphs[0]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    for operator in graph.operators:
        name = names[model.operatorCodes[operator.opcodeIndex].builtinCode]
        # an input of -1 is an optional one left out
        inputs = [graph.tensors[i].type for i in operator.inputs if i >= 0]
        outputs = [graph.tensors[i].type for i in operator.outputs]
        is_end = name in ("QUANTIZE", "DEQUANTIZE") and (
            set(operator.inputs) & set(graph.inputs) or set(operator.outputs) & set(graph.outputs)
        )
        operands = inputs[1:3] if name == "TRANSPOSE_CONV" else inputs[:2]
        is_float = schema.TensorType.FLOAT32 in (*inputs, *outputs) and not is_end
        is_int8 = all(t == schema.TensorType.INT8 for t in (*operands, *outputs))
        yield name, is_float, is_int8


def _prove_tflite(path: Path, spec: QuantSpec) -> Int8Proof:
    from edgemat.convert.flatbuffer import read_model

    operators = list(_operators(path))
    convolutions = [is_int8 for name, _, is_int8 in operators if name in CONVOLUTIONS]
    islands = [name for name, is_float, _ in operators if is_float]
    tensors = read_model(path).subgraphs[0].tensors
    grids = {_tflite_grid(t.quantization) for t in tensors if _has_grid(t.quantization)}
    return _proof(len(convolutions), sum(convolutions), islands, spec, grids)


def _has_grid(quantization: Any) -> bool:
    return quantization is not None and quantization.scale is not None


def _tflite_grid(quantization: Any) -> Grid:
    scales = tuple(float(np.float32(s)) for s in quantization.scale)
    return scales, tuple(int(z) for z in quantization.zeroPoint)


def _prove_coreml(path: Path, spec: QuantSpec) -> Int8Proof:
    from edgemat.convert.mil import load_program
    from edgemat.convert.mil_proof import int8_proof, scales

    program = load_program(path)
    found = int8_proof(program)
    # offsets count from the lowest integer, so that int8 and uint8 storage compare
    grids = {
        (scale.values, tuple(offset - 128 for offset in scale.offsets)) for scale in scales(program)
    }
    inside = [
        operation
        for island in found.islands
        if island.place == "inside"
        for operation in island.operations
    ]
    return _proof(found.convolutions, found.int8_convolutions, inside, spec, grids)


def _proof(
    convolutions: int, int8: int, islands: Iterable[str], spec: QuantSpec, grids: set[Grid]
) -> Int8Proof:
    return Int8Proof(
        convolutions=convolutions,
        int8_convolutions=int8,
        float_islands=tuple(islands),
        scales=len(spec.tensors),
        scales_exact=sum(_grid(quant) in grids for quant in spec.tensors),
    )


def _grid(quant: TensorQuant) -> Grid:
    shift = 128 if quant.low == 0 else 0
    return quant.scale, tuple(zero - shift for zero in quant.zero_point)
