"""The operators of a .tflite file, and which of them compute in int8 or in float."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from edgemat.convert.flatbuffer import explain_damage, read_model
from edgemat.convert.flatbuffer_types import Model

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


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


def _list(model: Model) -> list[Operator]:
    graph = model.subgraphs[0]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    found = []
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
        found.append(Operator(name, is_float, is_int8))
    return found


def float_operators(path: Path) -> list[str]:
    """Return the names of operators that compute in float, those at the file's ends left out.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    return [operator.name for operator in list_operators(path) if operator.is_float]
