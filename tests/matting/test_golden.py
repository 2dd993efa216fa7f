"""What an artefact keeps of its golden pictures is what its own file makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_artifacts import tflite_artifact, write_portrait_model

from edgemat.artifacts.artifact import Artifact
from edgemat.bench.devices.device import BenchModel, check_golden
from edgemat.convert.backends import find_backend
from edgemat.workflow.stages.common import keep_golden


def test_a_file_hands_down_the_pictures_and_its_own_mattes(tmp_path: Path) -> None:
    """Whatever set of pictures it was scored on."""
    pytest.importorskip("ai_edge_litert")
    parent = tflite_artifact(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    blank = np.zeros((2, 32, 32), np.float32)
    np.savez_compressed(parent.golden, pixels=pixels, alphas=blank, truths=blank)
    model = write_portrait_model(tmp_path / "model.tflite")
    predict = find_backend("tflite").predictors(model)["LiteRT, XNNPACK"]

    keep_golden(tmp_path, parent, predict)

    with np.load(tmp_path / "mattes.npz") as kept:
        assert kept["alphas"] == pytest.approx(pixels[..., 0] / 255)
    assert (tmp_path / "golden.npz").read_bytes() == parent.golden.read_bytes()


def test_the_shipped_files_agree_with_their_golden_mattes() -> None:
    pytest.importorskip("ai_edge_litert")
    shelf = Path(__file__).parents[2] / "edgemat" / "weights"
    for folder in sorted(shelf.glob("*-tflite-int8@*")):
        opened = BenchModel.open(folder)
        assert isinstance(opened.artifact, Artifact)
        golden = opened.golden
        assert golden.reference == "artefact"
        alpha = find_backend("tflite").predictors(opened.path)["LiteRT, XNNPACK"](golden.pixels)
        assert check_golden(golden, alpha).passed, folder.name
