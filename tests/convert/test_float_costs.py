"""What an int8 file computes in float, and what that takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import TinyGraph

from edgemat.convert.float_costs import measure_float
from edgemat.errors import ArtifactError


def with_islands(path: Path) -> Path:
    """Two sums of one shape, a large product of two tensors, int8 at both ends."""
    graph, shape = TinyGraph(), (1, 64, 64, 8)
    grid = (0.05, 0)
    x = graph.tensor(shape, dtype="INT8", quantization=grid)
    number = graph.tensor((1,), content=np.ones(1, np.float32))
    tensors = [graph.tensor(shape) for _ in range(4)]
    y = graph.tensor(shape, dtype="INT8", quantization=grid)
    graph.op("DEQUANTIZE", [x], [tensors[0]])
    graph.op("ADD", [tensors[0], number], [tensors[1]])
    graph.op("ADD", [tensors[1], number], [tensors[2]])
    graph.op("MUL", [tensors[2], tensors[0]], [tensors[3]])
    graph.op("QUANTIZE", [tensors[3]], [y])
    graph.write(path, inputs=[x], outputs=[y])
    return path


def test_operators_in_float_are_measured_by_kind(tmp_path: Path) -> None:
    costs = {cost.operator: cost for cost in measure_float(with_islands(tmp_path / "model.tflite"))}
    assert {name: cost.count for name, cost in costs.items()} == {"ADD": 2, "MUL": 1}
    assert all(0 < cost.latency_ms < 1000 for cost in costs.values())


def test_what_is_no_tflite_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=r"not a \.tflite file"):
        measure_float(tmp_path / "model.tflite")
