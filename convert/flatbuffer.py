"""Reading and editing .tflite files through their own schema."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgemat.convert.flatbuffer_types import ModelT, OperatorT, SubGraphT
from edgemat.errors import ArtifactError
from edgemat.files import atomic_path

IDENTIFIER = b"TFL3"
METADATA_NAME = "edgemat"
_DAMAGED = (
    *(struct.error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(RecursionError, MemoryError),
)


def read_model(path: Path) -> ModelT:
    """Return the file as the schema's ``ModelT`` object.

    Raises
    ------
    ArtifactError
        When the file is missing, damaged, or not a .tflite.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"There is no file {path}.", remedy="Convert it again.") from error
    if content[4:8] != IDENTIFIER:
        raise ArtifactError(f"{path} is not a .tflite file.", remedy="Convert it again.")
    with explain_damage(path):
        model: ModelT = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
        for buffer in model.buffers:
            if buffer.offset > 1:  # some writers keep large constants behind the flatbuffer
                buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
                buffer.offset = buffer.size = 0
        if not model.subgraphs:
            raise ValueError("no graph")
    return model


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Turn what is raised by offsets and indices that lead nowhere into an ArtifactError."""
    try:
        yield
    except _DAMAGED as error:
        raise ArtifactError(
            f"{path} is damaged: what it says of itself leads nowhere.",
            remedy="Copy it again, or convert it again.",
        ) from error


def write_model(model: ModelT, path: Path) -> None:
    """Write a ``ModelT`` in one step; the same model gives the same bytes."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    with atomic_path(path) as temporary:
        temporary.write_bytes(bytes(builder.Output()))


def embed_metadata(model: ModelT, metadata: Mapping[str, Any]) -> None:
    """Put `metadata` into the file as JSON, under the name "edgemat"."""
    content = json.dumps(metadata, sort_keys=True).encode()
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA_NAME, _add_buffer(model, content)
    others = [m for m in model.metadata or [] if _text(m.name) != METADATA_NAME]
    model.metadata = [*others, entry]


def cancel_transposes(model: ModelT) -> None:
    """Take out pairs of transpositions that undo each other, and what nobody reads then.

    The converter leaves them behind where a quantized tensor is rearranged as well as computed
    with; mobile delegates do not take transpositions for nothing.
    """
    graph = model.subgraphs[0]
    transposes = [i for i, code in enumerate(model.operatorCodes)
                  if code.builtinCode == schema.BuiltinOperator.TRANSPOSE]  # fmt: skip
    made_by = {
        op.outputs[0]: (op.inputs[0], _axes(model, graph, op.inputs[1]))
        for op in graph.operators
        if op.opcodeIndex in transposes
    }
    same: dict[int, int] = {}  # output of a second transposition, and what it is equal to
    for output, (source, axes) in made_by.items():
        before = made_by.get(source)
        if before is not None and [before[1][axis] for axis in axes] == sorted(axes):
            same[output] = before[0]
    for op in graph.operators:
        op.inputs = [same.get(index, index) for index in op.inputs]
    graph.outputs = [same.get(index, index) for index in graph.outputs]
    read = {index for op in graph.operators for index in op.inputs} | set(graph.outputs)
    dead = [op for op in graph.operators if op.opcodeIndex in transposes]
    while dead := [op for op in dead if op.outputs[0] not in read]:
        graph.operators = [op for op in graph.operators if op not in dead]
        read = {index for op in graph.operators for index in op.inputs} | set(graph.outputs)
        dead = [op for op in graph.operators if op.opcodeIndex in transposes]


def _axes(model: ModelT, graph: SubGraphT, index: int) -> list[int]:
    """Return the constant permutation of a transposition."""
    data = model.buffers[graph.tensors[index].buffer].data
    assert data is not None
    axes: list[int] = np.frombuffer(bytes(data), np.int32).tolist()
    return axes


def split_unit_clamps(model: ModelT) -> None:
    """Write each float clamp to 0..1 as RELU and a minimum with 1, the same numbers bit for bit.

    The converter fuses whatever clamps to 0..1 into RELU_0_TO_1, which XNNPACK does not take: a
    file that ends in one would be two partitions with an operator of the CPU's between.
    """
    graph = model.subgraphs[0]
    operators: list[OperatorT] = []
    for op in graph.operators:
        fused = (
            model.operatorCodes[op.opcodeIndex].builtinCode == schema.BuiltinOperator.RELU_0_TO_1
        )
        if not fused or graph.tensors[op.inputs[0]].type != schema.TensorType.FLOAT32:
            operators.append(op)
            continue
        between = _add_float(graph, "relu_before_minimum", graph.tensors[op.inputs[0]].shape)
        one = _add_float(graph, "constant_1", [1], buffer=_add_buffer(model, struct.pack("<f", 1)))
        operators.append(_operator(model, schema.BuiltinOperator.RELU, [op.inputs[0]], between))
        minimum = _operator(model, schema.BuiltinOperator.MINIMUM, [between, one], op.outputs[0])
        minimum.builtinOptionsType = schema.BuiltinOptions.MaximumMinimumOptions
        minimum.builtinOptions = schema.MaximumMinimumOptionsT()
        operators.append(minimum)
    graph.operators = operators


def give_float_ends(model: ModelT) -> None:
    """Put QUANTIZE before an int8 input and DEQUANTIZE behind an int8 output.

    Apps and browsers then feed and read float32, whatever happens inside.
    """
    graph = model.subgraphs[0]
    for position, index in enumerate(graph.inputs):
        if graph.tensors[index].type == schema.TensorType.INT8:
            end = _float_twin(graph, index)
            operator = _operator(model, schema.BuiltinOperator.QUANTIZE, [end], index)
            graph.operators.insert(0, operator)
            graph.inputs[position] = end
            _rename_signature(model, index, end)
    for position, index in enumerate(graph.outputs):
        if graph.tensors[index].type == schema.TensorType.INT8:
            end = _float_twin(graph, index)
            operator = _operator(model, schema.BuiltinOperator.DEQUANTIZE, [index], end)
            graph.operators.append(operator)
            graph.outputs[position] = end
            _rename_signature(model, index, end)


def _float_twin(graph: SubGraphT, index: int) -> int:
    """Add a float32 tensor that takes over the name of an int8 one, and return its index."""
    inner = graph.tensors[index]
    twin = _add_float(graph, _text(inner.name), inner.shape)
    inner.name = _text(inner.name) + "_int8"
    return twin


def _add_float(graph: SubGraphT, name: str, shape: Sequence[int], *, buffer: int = 0) -> int:
    """Add a float32 tensor, constant where it has a buffer, and return its index."""
    tensor = schema.TensorT()
    tensor.name, tensor.shape = name, shape
    tensor.type, tensor.buffer = schema.TensorType.FLOAT32, buffer
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _add_buffer(model: ModelT, content: bytes) -> int:
    """Add constant content and return the index of its buffer."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _operator(model: ModelT, code: int, sources: list[int], target: int) -> OperatorT:
    operator: OperatorT = schema.OperatorT()
    operator.opcodeIndex = _operator_code(model, code)
    operator.inputs, operator.outputs = sources, [target]
    return operator


def _operator_code(model: ModelT, code: int) -> int:
    for index, known in enumerate(model.operatorCodes):
        if known.builtinCode == code:
            return index
    new = schema.OperatorCodeT()
    new.builtinCode, new.deprecatedBuiltinCode, new.version = code, min(code, 127), 2
    model.operatorCodes.append(new)
    return len(model.operatorCodes) - 1


def _rename_signature(model: ModelT, old: int, new: int) -> None:
    for signature in model.signatureDefs or []:
        for entry in [*(signature.inputs or []), *(signature.outputs or [])]:
            if entry.tensorIndex == old:
                entry.tensorIndex = new


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
