"""Strangers' .tflite files run in a child first: what ends or floods it is an error."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import TinyGraph, write_matte_model

pytest.importorskip("ai_edge_litert")

from edgemat.bench.devices.device import BenchModel
from edgemat.errors import ArtifactError
from edgemat.matting import probe
from edgemat.matting.predict import load_predictor
from edgemat.matting.probe import require_safe

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")


def write_flood(path: Path) -> Path:
    """Write a file of a few hundred bytes that asks for 3 GB: a picture 16,000 px on a side."""
    graph = TinyGraph()
    image = graph.tensor((1, 32, 32, 3))
    shape = graph.tensor((4,), dtype="INT32", content=np.array([1, 500, 500, 1], np.int32))
    tiled = graph.tensor((1, 16_000, 16_000, 3))
    graph.op("TILE", [image, shape], [tiled])
    return graph.write(path, inputs=[image], outputs=[tiled])


def test_a_whole_file_is_safe(tmp_path: Path) -> None:
    require_safe(write_matte_model(tmp_path / "matte.tflite"))


@LINUX
@pytest.mark.parametrize("open_it", [load_predictor, BenchModel.open])
def test_a_file_that_asks_for_gigabytes_is_refused(tmp_path: Path, open_it: object) -> None:
    path = write_flood(tmp_path / "flood.tflite")
    assert callable(open_it)
    with pytest.raises(ArtifactError) as caught:
        open_it(path)
    assert "flood.tflite" in caught.value.message and caught.value.remedy


def test_a_crash_of_the_child_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child really ends by a signal: here because it may not have any memory."""
    monkeypatch.setattr(sys, "executable", str(_killed_interpreter(tmp_path)))
    path = write_matte_model(tmp_path / "other.tflite", size=20)
    with pytest.raises(ArtifactError, match="makes the LiteRT runtime crash"):
        require_safe(path)


def _killed_interpreter(folder: Path) -> Path:
    script = folder / "python"
    script.write_text("#!/bin/sh\nkill -ABRT $$\n")
    script.chmod(0o755)
    return script


def test_the_childs_sentence_is_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "half.tflite"
    whole = write_matte_model(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError, match=r"not a \.tflite file that this runtime can load"):
        require_safe(path)


def test_a_file_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_matte_model(tmp_path / "matte.tflite", size=24)
    require_safe(path)
    monkeypatch.setattr(probe, "_run_in_child", lambda path: pytest.fail("tried again"))
    require_safe(path)
