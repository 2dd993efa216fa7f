"""The operators of a .tflite file, and which of them compute in int8 or in float."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgemat.convert.backend import GridTensor
from edgemat.convert.flatbuffer import explain_damage, read_model
from edgemat.convert.flatbuffer_types import ModelT, OperatorT, SubGraphT, TensorT
from edgemat.images import F32
from edgemat.quantize.spec import StoredGrid

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
BIASES = {"TRANSPOSE_CONV": 3}
"""Which input is the bias, where it is not the third."""
_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes
    ----------
    is_float:
        Whether it sees float inside the graph.
    is_int8:
        Whether its operands and all its outputs are int8.
    """

    name: str
    is_float: bool
    is_int8: bool


def list_operators(path: Path) -> list[Operator]:
    """Return the operators in their order.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    model = read_model(path)
    with explain_damage(path):
        return _list(model)


@dataclass(frozen=True)
class ConvolutionConstants:
    """The constants of a convolution with int8 weights.

    Attributes
    ----------
    weight:
        O,H,W,I, on its grid.
    bias:
        O float32, what its integers stand for; None where there is none in int32.
    """

    weight: GridTensor
    bias: F32 | None


def list_weights(path: Path) -> list[GridTensor]:
    """Return the int8 weights of the convolutions, as constants on a grid; each tensor once.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    return [convolution.weight for convolution in list_convolutions(path)]


def list_convolutions(path: Path) -> list[ConvolutionConstants]:
    """Return the convolutions with int8 weights; each tensor of weights once.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    model = read_model(path)
    with explain_damage(path):
        graph = model.subgraphs[0]
        found: dict[int, ConvolutionConstants] = {}
        # where only weights are int8, they are restored to float first
        restored = {
            operator.outputs[0]: operator.inputs[0]
            for operator in graph.operators
            if name_of(model, operator) == "DEQUANTIZE"
        }
        for operator in graph.operators:
            name = name_of(model, operator)
            if name in CONVOLUTIONS:
                number = restored.get(operator.inputs[1], operator.inputs[1])
                weight = _weight(model, graph.tensors[number], name == "DEPTHWISE_CONV_2D")
                if weight is not None:
                    found[number] = ConvolutionConstants(weight, _bias(model, graph, operator))
        return list(found.values())


def _weight(model: ModelT, tensor: TensorT, is_depthwise: bool) -> GridTensor | None:
    grid, content = tensor.quantization, model.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.INT8 or grid is None or grid.scale is None:
        return None
    if content is None:
        return None
    values = np.frombuffer(bytes(content), np.int8).reshape(tensor.shape).astype(np.int32)
    if is_depthwise:  # 1,H,W,O
        values = values.transpose(3, 1, 2, 0)
    scales = tuple(float(np.float32(scale)) for scale in grid.scale)
    zeros = tuple(int(zero) for zero in np.broadcast_to(grid.zeroPoint, len(scales)))
    name = tensor.name.decode() if isinstance(tensor.name, bytes) else tensor.name
    return GridTensor(name, StoredGrid(scales, zeros), values)


def _bias(model: ModelT, graph: SubGraphT, operator: OperatorT) -> F32 | None:
    place = BIASES.get(name_of(model, operator), 2)
    if len(operator.inputs) <= place or operator.inputs[place] < 0:
        return None
    tensor = graph.tensors[operator.inputs[place]]
    content, grid = model.buffers[tensor.buffer].data, tensor.quantization
    if tensor.type != schema.TensorType.INT32 or content is None or grid is None:
        return None
    steps = np.frombuffer(bytes(content), np.int32)
    return (steps * np.asarray(grid.scale, np.float64)).astype(np.float32)


def name_of(model: ModelT, operator: OperatorT) -> str:
    """Return an operator's name, such as CONV_2D."""
    name: str = _NAMES[model.operatorCodes[operator.opcodeIndex].builtinCode]
    return name


def _list(model: ModelT) -> list[Operator]:
    graph = model.subgraphs[0]
    found = []
    for operator in graph.operators:
        name = name_of(model, operator)
        # an input of -1 is an optional one left out
        inputs = [graph.tensors[i].type for i in operator.inputs if i >= 0]
        outputs = [graph.tensors[i].type for i in operator.outputs]
        is_end = name in ("QUANTIZE", "DEQUANTIZE") and (
            set(operator.inputs) & set(graph.inputs) or set(operator.outputs) & set(graph.outputs)
        )
        operands = inputs[1:3] if name == "TRANSPOSE_CONV" else inputs[:2]
        is_float = schema.TensorType.FLOAT32 in (*inputs, *outputs) and not is_end
        is_int8 = all(t == schema.TensorType.INT8 for t in (*operands, *outputs))
        found.append(Operator(name, is_float, is_int8))
    return found


def float_places(model: ModelT) -> list[int]:
    """Return the numbers of those operators that compute in float between others."""
    return [number for number, operator in enumerate(_list(model)) if operator.is_float]


def float_operators(path: Path) -> list[str]:
    """Return the names of operators that compute in float, those at the file's ends left out.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    return [operator.name for operator in list_operators(path) if operator.is_float]
