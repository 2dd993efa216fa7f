"""Those parts of the .tflite schema's objects that are used here, under the schema's own names.

The schema's Python has no type information.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class QuantizationParametersT(Protocol):
    """The grid of a tensor; without one, `scale` is None."""

    scale: Sequence[float] | None
    zeroPoint: Sequence[int]
    quantizedDimension: int


class TensorT(Protocol):
    """A tensor of a graph; `buffer` is the index of its constant content, 0 without."""

    name: bytes | str
    shape: Sequence[int]
    type: int
    buffer: int
    quantization: QuantizationParametersT | None


class OperatorT(Protocol):
    """An operator; inputs and outputs are indices of tensors, -1 for one left out."""

    opcodeIndex: int
    inputs: Sequence[int]
    outputs: Sequence[int]
    builtinOptionsType: int
    builtinOptions: Any


class OperatorCodeT(Protocol):
    """The kind of operators."""

    builtinCode: int
    deprecatedBuiltinCode: int
    version: int


class SubGraphT(Protocol):
    """A graph; `inputs` and `outputs` are indices of tensors."""

    tensors: list[TensorT]
    operators: list[OperatorT]
    inputs: list[int]
    outputs: list[int]


class BufferT(Protocol):
    """Content of a tensor or of metadata; what lies behind the flatbuffer has an offset."""

    data: npt.NDArray[np.uint8] | None
    offset: int
    size: int


class MetadataT(Protocol):
    """A named buffer."""

    name: bytes | str
    buffer: int


class ModelT(Protocol):
    """A whole file."""

    subgraphs: list[SubGraphT]
    operatorCodes: list[OperatorCodeT]
    buffers: list[BufferT]
    metadata: list[MetadataT] | None
    signatureDefs: list[Any] | None

    def Pack(self, builder: Any) -> int:
        """Write it into a flatbuffers builder; returns where."""
