"""Breaking operators up one by one gives the file that tracing the whole network anew gives."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

pytest.importorskip("litert_torch")

from toy_networks import network_deploy, toy_deploy

from edgemat.convert import decompose, tflite
from edgemat.convert.backends import find_target
from edgemat.convert.flatbuffer import read_model
from edgemat.models.deploy import DeployForm

FLOAT32 = find_target("tflite-fp32")


def converted(model: DeployForm, path: Path, *, channels: int = 3) -> list[object]:
    """Return the file's operators: what they are, how they are connected, and their weights."""
    tflite.convert_tflite(model, path, target=FLOAT32, shape=(channels, 64, 64), metadata={})
    file = read_model(path)
    (graph,) = file.subgraphs

    def tensor(number: int) -> object:
        one = graph.tensors[number]
        content = file.buffers[one.buffer].data
        return number, list(one.shape), one.type, None if content is None else bytes(content)

    return [
        (
            file.operatorCodes[operator.opcodeIndex].builtinCode,
            vars(operator.builtinOptions) if operator.builtinOptions else None,
            [tensor(number) for number in operator.inputs if number >= 0],
            [tensor(number) for number in operator.outputs],
        )
        for operator in graph.operators
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "channels"),
    [("pspm-slim", 3), pytest.param("a2u-static-pw-cw", 4, marks=pytest.mark.long)],
)
def test_the_file_is_the_same(
    name: str, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network_deploy(name, width=0.25)
    alone = converted(model, tmp_path / "alone.tflite", channels=channels)
    monkeypatch.setattr(tflite, "local_decompositions", contextlib.nullcontext)
    assert converted(model, tmp_path / "whole.tflite", channels=channels) == alone


def test_what_cannot_be_done_by_itself_is_done_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*_: object) -> None:
        asked.append(True)
        raise decompose.NotLocalError("no")

    monkeypatch.setattr(decompose, "_decompose", refuse)
    assert converted(toy_deploy(), tmp_path / "toy.tflite")
    assert len(asked) == 1
