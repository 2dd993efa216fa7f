"""Write tiny .tflite files for tests in milliseconds, without torch and without a converter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

Array = npt.NDArray[Any]


class TinyGraph:
    """Collect tensors and operators of one subgraph, then write the file."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "test"
        self.model.buffers = [schema.BufferT()]  # buffer 0 is the empty one
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: tuple[int, ...],
        *,
        dtype: str = "FLOAT32",
        content: Array | None = None,
        quantization: tuple[float, int] | None = None,
    ) -> int:
        """Add a tensor, constant where `content` is given, and return its index."""
        tensor = schema.TensorT()
        tensor.name = f"t{len(self.graph.tensors)}".encode()
        tensor.shape = list(shape)
        tensor.type = getattr(schema.TensorType, dtype)
        tensor.buffer = 0
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        if quantization is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [quantization[0]]
            tensor.quantization.zeroPoint = [quantization[1]]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def op(
        self, name: str, inputs: list[int], outputs: list[int], options: Any | None = None
    ) -> None:
        """Add a builtin operator."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        operator.inputs, operator.outputs = inputs, outputs
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operator)

    def write(self, path: Path, *, inputs: list[int], outputs: list[int]) -> Path:
        """Write the file and return its path."""
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path


def conv_options() -> Any:
    """Return options of a stride-1 convolution with SAME padding."""
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.SAME
    options.strideH = options.strideW = 1
    options.dilationHFactor = options.dilationWFactor = 1
    return options


def write_matte_model(path: Path, *, size: int = 16, weight: Array | None = None) -> Path:
    """Write ``sigmoid(conv1x1(x))`` for NHWC float32 (1, size, size, 4) -> (1, size, size, 1).

    Parameters
    ----------
    weight:
        4 float32 weights; by default (1, -1, 0.5, 2).
    """
    weight = np.array([1, -1, 0.5, 2], np.float32) if weight is None else weight
    graph = TinyGraph()
    image = graph.tensor((1, size, size, 4))
    kernel = graph.tensor((1, 1, 1, 4), content=weight)
    bias = graph.tensor((1,), content=np.zeros(1, np.float32))
    logit = graph.tensor((1, size, size, 1))
    alpha = graph.tensor((1, size, size, 1))
    graph.op("CONV_2D", [image, kernel, bias], [logit], conv_options())
    graph.op("LOGISTIC", [logit], [alpha])
    return graph.write(path, inputs=[image], outputs=[alpha])


def write_mixed_model(path: Path) -> Path:
    """Write five operators of which XNNPACK takes four, in two partitions.

    ``ABS -> CUMSUM -> (+ LOGISTIC of the ABS) -> RELU`` on (1, 4, 4, 1): XNNPACK has no CUMSUM.
    """
    graph = TinyGraph()
    t = [graph.tensor((1, 4, 4, 1)) for _ in range(6)]
    axis = graph.tensor((), dtype="INT32", content=np.array(1, np.int32))
    graph.op("ABS", [t[0]], [t[1]])
    graph.op("CUMSUM", [t[1], axis], [t[2]], schema.CumsumOptionsT())
    graph.op("LOGISTIC", [t[1]], [t[3]])
    graph.op("ADD", [t[2], t[3]], [t[4]], schema.AddOptionsT())
    graph.op("RELU", [t[4]], [t[5]])
    return graph.write(path, inputs=[t[0]], outputs=[t[5]])


def write_integer_model(path: Path) -> Path:
    """Write an int8 RESHAPE (1,2,2,1) -> (1,4,1,1): in and out scale 0.5, zero-point -3."""
    graph = TinyGraph()
    source = graph.tensor((1, 2, 2, 1), dtype="INT8", quantization=(0.5, -3))
    shape = graph.tensor((4,), dtype="INT32", content=np.array([1, 4, 1, 1], np.int32))
    result = graph.tensor((1, 4, 1, 1), dtype="INT8", quantization=(0.5, -3))
    graph.op("RESHAPE", [source, shape], [result])
    return graph.write(path, inputs=[source], outputs=[result])


def write_int8_conv_model(path: Path, *, size: int = 32) -> Path:
    """Write a 3x3 convolution int8 x int8 between float (1, size, size, 16) and (.., 8)."""
    rng = np.random.default_rng(0)
    weights = rng.integers(-127, 128, (8, 3, 3, 16)).astype(np.int8)
    shape = (1, size, size)
    graph = TinyGraph()
    image = graph.tensor((*shape, 16))
    steps = graph.tensor((*shape, 16), dtype="INT8", quantization=(1 / 255, -128))
    kernel = graph.tensor(weights.shape, dtype="INT8", content=weights, quantization=(0.002, 0))
    zeros = np.zeros(8, np.int32)
    bias = graph.tensor((8,), dtype="INT32", content=zeros, quantization=(0.002 / 255, 0))
    sums = graph.tensor((*shape, 8), dtype="INT8", quantization=(1 / 64, 0))
    result = graph.tensor((*shape, 8))
    graph.op("QUANTIZE", [image], [steps])
    graph.op("CONV_2D", [steps, kernel, bias], [sums], conv_options())
    graph.op("DEQUANTIZE", [sums], [result])
    return graph.write(path, inputs=[image], outputs=[result])


def write_two_headed_model(path: Path) -> Path:
    """Write a model of one input and two outputs."""
    graph = TinyGraph()
    t = [graph.tensor((1, 4, 4, 1)) for _ in range(3)]
    graph.op("ABS", [t[0]], [t[1]])
    graph.op("RELU", [t[0]], [t[2]])
    return graph.write(path, inputs=[t[0]], outputs=[t[1], t[2]])
