"""Artefacts and files that a picture is matted with, and those that are refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_mattes import (
    feeding,
    floats,
    noise,
    ramps,
    unknown,
    write_channel_model,
)

from edgemat.artifacts.artifact import Artifact, Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.errors import ArtifactError, MissingToolError
from edgemat.matting.matte import matte
from edgemat.matting.predict import load_predictor
from edgemat.matting.predictor import Predictor


def artifact(folder: Path, fill: Callable[[Path], Any], *, payload: str, **fields: Any) -> Artifact:
    defaults: dict[str, Any] = {
        "name": "tiny",
        "kind": "tflite",
        "architecture": "pspm-b5",
        "config": {},
        "task": "portrait",
        "feeding": feeding(3),
        "parent": None,
        "cost": Cost(parameters=3, macs=0.0),
        "demonstration": True,
        "licence": "Apache-2.0",
        "data_notice": "none",
    }
    return write_artifact(folder, fill, Draft(payload=payload, **defaults | fields))


@pytest.mark.parametrize("channels", [3, 4])
def test_a_tflite_artifact_mattes_a_picture(tmp_path: Path, channels: int) -> None:
    made = artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=channels),
        payload="model.tflite",
        feeding=feeding(channels),
    )
    image = ramps(90, 131)
    trimap = unknown(90, 131) if channels == 4 else None
    results = [
        matte(image, trimap, model=model)
        for model in (made, made.path, str(made.payload), load_predictor(made, threads=1))
    ]
    np.testing.assert_allclose(results[0], image[..., 0] / 255, atol=0.01)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_a_manifest_that_contradicts_its_file_is_refused(tmp_path: Path) -> None:
    made = artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=3, size=(32, 32)),
        payload="model.tflite",
    )
    with pytest.raises(ArtifactError, match="manifest"):
        load_predictor(made)


def test_a_tflite_file_that_is_no_matting_model_is_refused(tmp_path: Path) -> None:
    path = write_channel_model(tmp_path / "grey.tflite", channels=1)
    with pytest.raises(ArtifactError, match=r"\(1, 48, 64, 1\)"):
        load_predictor(path)


def test_a_damaged_payload_is_refused(tmp_path: Path) -> None:
    made = artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=3),
        payload="model.tflite",
    )
    made.payload.write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="damaged"):
        matte(noise(40, 40), model=made.path)


def test_a_coreml_artifact_names_the_file_to_take_instead(tmp_path: Path) -> None:
    made = artifact(
        tmp_path,
        lambda folder: (folder / "model.mlpackage").write_bytes(b"x"),
        payload="model.mlpackage",
        kind="coreml",
    )
    with pytest.raises(ArtifactError, match=r"\.tflite"):
        load_predictor(made)


def test_a_float_artifact_is_run_through_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgemat.models import create_model

    torch.manual_seed(0)
    network = create_model("pspm-b5", width=0.25).eval()
    made = artifact(
        tmp_path,
        lambda folder: save_file(network.state_dict(), folder / "weights.safetensors"),
        payload="weights.safetensors",
        kind="float",
        config={"width": 0.25},
        feeding=Feeding(layout="NCHW", height=48, width=64, channels=3, stride=16),
    )
    x = floats(1, 48, 64, 3)
    with torch.no_grad():
        # another memory layout rounds differently, and then near ties of max-pooling flip
        batch = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
        expected = network(batch).alpha.clamp(0, 1)[0, 0]
    predictor: Predictor = load_predictor(made)
    np.testing.assert_allclose(predictor.predict(x)[0, ..., 0], expected.numpy(), atol=1e-6)
    assert matte(noise(70, 100), model=predictor).shape == (70, 100)


def test_float_weights_of_another_configuration_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgemat.models import create_model

    weights = create_model("pspm-b5", width=0.25).state_dict()
    made = artifact(
        tmp_path,
        lambda folder: save_file(weights, folder / "weights.safetensors"),
        payload="weights.safetensors",
        kind="float",
        config={"width": 0.5},
    )
    with pytest.raises(ArtifactError, match="do not fit"):
        load_predictor(made)


def test_a_float_artifact_without_torch_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = artifact(
        tmp_path,
        lambda folder: (folder / "weights.safetensors").write_bytes(b"x"),
        payload="weights.safetensors",
        kind="float",
    )
    for loaded in ("matting.torch_predictor", "artifacts.weights", "models.weights_file"):
        monkeypatch.delitem(sys.modules, f"edgemat.{loaded}", raising=False)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingToolError, match="pip install"):
        load_predictor(made)
