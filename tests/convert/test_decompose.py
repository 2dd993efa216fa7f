"""Breaking operators up one by one gives the file that tracing the whole network anew gives."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

pytest.importorskip("litert_torch")

from shared_networks import quantized_toy
from torch import nn
from toy_networks import toy_deploy

from edgemat.convert import decompose, tflite
from edgemat.convert.backends import find_target
from edgemat.convert.flatbuffer import read_model
from edgemat.quantize.frozen import freeze


def converted(
    model: nn.Module, path: Path, *, shape: tuple[int, int, int], target: str = "tflite-fp32"
) -> list[object]:
    """Return the file's operators: what they are, how they are connected, weights and grids."""
    tflite.convert_tflite(model, path, target=find_target(target), shape=shape, metadata={})
    file = read_model(path)
    (graph,) = file.subgraphs

    seen: dict[int, int] = {}  # constants may be numbered otherwise

    def tensor(number: int) -> object:
        one = graph.tensors[number]
        content = file.buffers[one.buffer].data
        value = seen.setdefault(number, len(seen)) if content is None else bytes(content)
        grid = one.quantization and (one.quantization.scale, one.quantization.zeroPoint)
        return list(one.shape), one.type, value, repr(grid)

    return [
        (
            file.operatorCodes[operator.opcodeIndex].builtinCode,
            vars(operator.builtinOptions) if operator.builtinOptions else None,
            [tensor(number) for number in operator.inputs if number >= 0],
            [tensor(number) for number in operator.outputs],
        )
        for operator in graph.operators
    ]


def test_the_float_file_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, shape = toy_deploy(), (3, 64, 64)
    alone = converted(model, tmp_path / "alone.tflite", shape=shape)
    monkeypatch.setattr(tflite, "local_decompositions", contextlib.nullcontext)
    assert converted(model, tmp_path / "whole.tflite", shape=shape) == alone


def test_the_int8_file_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, shape = quantized_toy(), (3, 32, 32)
    model = freeze(made.deploy, made.spec)
    alone = converted(model, tmp_path / "alone.tflite", shape=shape, target="tflite-int8")
    monkeypatch.setattr(tflite, "local_decompositions", contextlib.nullcontext)
    whole = converted(model, tmp_path / "whole.tflite", shape=shape, target="tflite-int8")
    assert whole == alone


def test_what_cannot_be_done_by_itself_is_done_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*_: object) -> None:
        asked.append(True)
        raise decompose.NotLocalError("no")

    monkeypatch.setattr(decompose, "_decompose", refuse)
    assert converted(toy_deploy(), tmp_path / "toy.tflite", shape=(3, 64, 64))
    assert len(asked) == 1
