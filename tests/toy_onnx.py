"""Write tiny .onnx files for tests, without the onnx package: protobuf by hand.

Field numbers are those of onnx.proto3: see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

Shape = Sequence[int | str]
FLOAT = 1


def write_teacher(
    path: Path,
    *,
    size: tuple[int | str, int | str] = ("H", "W"),
    weights: Sequence[float] = (1.0, 0.0, 0.0),
    bias: float = 0.0,
    memories: Mapping[str, int | str] | None = None,
    ratio: bool = False,
    sigmoid: bool = False,
    name: str = "src",
) -> Path:
    """Write ``weights . rgb + bias``, or its sigmoid: a matte from the channels of a picture.

    Parameters
    ----------
    size:
        H and W of the input; names for any size.
    memories:
        Further inputs and their channels, that nothing reads; a name for any number.
    ratio:
        One more, ``downsample_ratio``.
    """
    nodes = [_node("Conv", [name, "weights", "bias"], ["sum" if sigmoid else "alpha"])]
    if sigmoid:
        nodes.append(_node("Sigmoid", ["sum"], ["alpha"]))
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, b"teacher")
    graph += _bytes(5, _tensor("weights", np.float32(weights).reshape(1, 3, 1, 1)))
    graph += _bytes(5, _tensor("bias", np.float32([bias])))
    graph += _bytes(11, _value(name, (1, 3, *size)))
    for memory, channels in (memories or {}).items():
        graph += _bytes(11, _value(memory, (1, channels, f"{memory}_h", f"{memory}_w")))
    if ratio:
        graph += _bytes(11, _value("downsample_ratio", (1,)))
    graph += _bytes(12, _value("alpha", (1, 1, *size)))
    model = _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, b"") + _number(2, 13))
    path.write_bytes(model)
    return path


def _node(kind: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    found = b"".join(_bytes(1, one.encode()) for one in inputs)
    found += b"".join(_bytes(2, one.encode()) for one in outputs)
    return found + _bytes(4, kind.encode())


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(_number(1, side) for side in values.shape)
    content = struct.pack(f"<{values.size}f", *values.ravel().tolist())
    return dims + _number(2, FLOAT) + _bytes(8, name.encode()) + _bytes(9, content)


def _value(name: str, shape: Shape) -> bytes:
    sides = b"".join(
        _bytes(1, _number(1, side) if isinstance(side, int) else _bytes(2, side.encode()))
        for side in shape
    )
    tensor = _number(1, FLOAT) + _bytes(2, sides)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
