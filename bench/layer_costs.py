"""Time of one int8 convolution on this host, for any number of channels: pruning saves it.

Every convolution of a network is written as a .tflite of its own, with all, half and a quarter of
its channels on either side, and measured; between these the latency is interpolated. So a layer
whose latency does not fall with its channels is not pruned for nothing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from scipy.interpolate import RegularGridInterpolator

from edgemat.convert.flatbuffer import IDENTIFIER
from edgemat.matting.runtime import TfliteModel
from edgemat.quantize.pruning.channels import ConvolutionCost

SHARES = (0.25, 0.5, 1.0)
LEAST_CHANNELS = 8
WARMUP, RUNS = 3, 15


class HostLayerCosts:
    """A cost model for pruning: the milliseconds of a convolution on this machine.

    Parameters
    ----------
    threads:
        Of the runtime.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._known: dict[tuple[Any, ...], RegularGridInterpolator] = {}

    def __call__(self, convolution: ConvolutionCost, inputs: int, outputs: int) -> float:
        """Return the median latency with so many channels, in milliseconds.

        Of a grouped convolution that is not depthwise no channels leave: that of all.
        """
        point = [outputs] if convolution.groups > 1 else [inputs, outputs]
        return float(self._grid(convolution)([point]).item())

    def _grid(self, convolution: ConvolutionCost) -> RegularGridInterpolator:
        c = convolution
        key = (c.shape, c.size, c.groups, c.stride)
        if key not in self._known:
            outputs = _points(c.shape[0])
            if c.groups > 1 and not _is_depthwise(c):
                axes = [[1, c.shape[0]]]
                values = np.full(2, self._measure(c, c.shape[1], c.shape[0]))
            elif c.groups > 1:
                axes = [outputs]
                values = np.array([self._measure(c, n, n) for n in outputs])
            else:
                axes = [_points(c.shape[1]), outputs]
                values = np.array([[self._measure(c, i, o) for o in outputs] for i in axes[0]])
            self._known[key] = RegularGridInterpolator(
                [np.array(axis, np.float64) for axis in axes],
                values,
                bounds_error=False,
                fill_value=None,  # beyond a quarter: on along the line
            )
        return self._known[key]

    def _measure(self, convolution: ConvolutionCost, inputs: int, outputs: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layer.tflite"
            path.write_bytes(convolution_file(convolution, inputs, outputs))
            model = TfliteModel(path, threads=self.threads)
        for _ in range(WARMUP):
            model.invoke()
        samples = []
        for _ in range(RUNS):
            started = time.perf_counter_ns()
            model.invoke()
            samples.append(time.perf_counter_ns() - started)
        return float(np.median(samples)) / 1e6


def _points(channels: int) -> list[int]:
    """Return the numbers of channels to measure at, ascending; at least two, to draw a line."""
    found = {max(LEAST_CHANNELS, round(share * channels)) for share in SHARES} | {channels}
    return sorted(found if len(found) > 1 else {1, *found})


def _is_depthwise(convolution: ConvolutionCost) -> bool:
    return convolution.shape[1] == 1 and convolution.shape[0] == convolution.groups > 1


def convolution_file(convolution: ConvolutionCost, inputs: int, outputs: int) -> bytes:
    """Return a .tflite of one int8 convolution with random weights, its channels as given.

    `inputs` are those of a group; a depthwise one is told all.
    """
    depthwise = _is_depthwise(convolution)
    seen = inputs if depthwise else inputs * convolution.groups
    kernel = convolution.shape[2:]
    height, width = (length * convolution.stride for length in convolution.size)
    random = np.random.default_rng(0)
    shape = (1, *kernel, outputs) if depthwise else (outputs, *kernel, inputs)
    weights = random.integers(-127, 128, shape).astype(np.int8)
    file = _OneOperatorFile()
    int8, int32 = schema.TensorType.INT8, schema.TensorType.INT32
    x = file.tensor((1, height, width, seen), int8, [0.05])
    w = file.tensor(shape, int8, [0.01] * outputs, weights)
    file.graph.tensors[w].quantization.quantizedDimension = 3 if depthwise else 0
    zeros = np.zeros(outputs, np.int32)
    b = file.tensor((outputs,), int32, [0.05 * 0.01] * outputs, zeros)
    y = file.tensor((1, *convolution.size, outputs), int8, [0.5])
    operator, code = _operator(convolution.stride, depthwise=depthwise)
    operator.inputs, operator.outputs = [x, w, b], [y]
    return file.packed(operator, code, x, y)


class _OneOperatorFile:
    """A .tflite file in the making, of one operator."""

    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers = [schema.BufferT()]
        self.graph.tensors = []

    def tensor(self, shape: tuple[int, ...], kind: int, scales: Any, content: Any = None) -> int:
        """Add a tensor of a type with a grid, constant where there is a content; returns where."""
        made = schema.TensorT()
        made.name, made.shape, made.type = f"t{len(self.graph.tensors)}", list(shape), kind
        made.buffer = 0
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = list(scales)
        made.quantization.zeroPoint = [0] * len(scales)
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            made.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def packed(self, operator: Any, code: Any, x: int, y: int) -> bytes:
        """Return the file whose operator makes tensor `y` of tensor `x`."""
        self.model.operatorCodes, self.graph.operators = [code], [operator]
        self.graph.inputs, self.graph.outputs = [x], [y]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())


def _operator(stride: int, *, depthwise: bool) -> tuple[Any, Any]:
    """Return a convolution with ReLU6 that keeps the size but for its stride, and its code."""
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding = schema.Padding.SAME
    options.strideH = options.strideW = stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    operator, code = schema.OperatorT(), schema.OperatorCodeT()
    if depthwise:
        options.depthMultiplier = 1
        code.builtinCode = schema.BuiltinOperator.DEPTHWISE_CONV_2D
        operator.builtinOptionsType = schema.BuiltinOptions.DepthwiseConv2DOptions
    else:
        code.builtinCode = schema.BuiltinOperator.CONV_2D
        operator.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 3
    operator.builtinOptions, operator.opcodeIndex = options, 0
    return operator, code
