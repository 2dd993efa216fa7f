"""Those parts of the .tflite schema's objects that are used here; it has no type information."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class Quantization(Protocol):
    """The grid of a tensor; without one, `scale` is None."""

    scale: Sequence[float] | None
    zeroPoint: Sequence[int]
    quantizedDimension: int


class Tensor(Protocol):
    """A tensor of a graph; `buffer` is the index of its constant content, 0 without."""

    name: bytes | str
    shape: Sequence[int]
    type: int
    buffer: int
    quantization: Quantization | None


class Operator(Protocol):
    """An operator; inputs and outputs are indices of tensors, -1 for one left out."""

    opcodeIndex: int
    inputs: Sequence[int]
    outputs: Sequence[int]
    builtinOptionsType: int
    builtinOptions: Any


class OperatorCode(Protocol):
    """The kind of operators."""

    builtinCode: int
    deprecatedBuiltinCode: int
    version: int


class Graph(Protocol):
    """A graph; `inputs` and `outputs` are indices of tensors."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: list[int]
    outputs: list[int]


class Buffer(Protocol):
    """Content of a tensor or of metadata; what lies behind the flatbuffer has an offset."""

    data: npt.NDArray[np.uint8] | None
    offset: int
    size: int


class Metadata(Protocol):
    """A named buffer."""

    name: bytes | str
    buffer: int


class Model(Protocol):
    """A whole file, as the schema's ``ModelT``."""

    subgraphs: list[Graph]
    operatorCodes: list[OperatorCode]
    buffers: list[Buffer]
    metadata: list[Metadata] | None
    signatureDefs: list[Any] | None

    def Pack(self, builder: Any) -> int:
        """Write it into a flatbuffers builder; returns where."""
