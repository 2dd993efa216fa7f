"""`edgemat export`: the files that an app takes, whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from shared_files import made_once
from toy_artifacts import artifact, tflite_artifact

import edgemat
from edgemat.artifacts.artifact import GOLDEN, Artifact, Feeding
from edgemat.artifacts.shipped import open_artifact
from edgemat.artifacts.vocabulary import Fit
from edgemat.convert.backends.coreai import COREAI
from edgemat.data.sections import DataSection
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import move_into_place
from edgemat.matting.runtime import TfliteModel
from edgemat.models import create_model
from edgemat.workflow.export import export

DATA = DataSection(kinds="portrait")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A float artefact of a narrow network with settled batch statistics."""
    torch.manual_seed(0)
    model = create_model("pspm-slim", width=0.25).train()
    with torch.no_grad():
        for _ in range(20):
            model(torch.rand(4, 3, 64, 64))

    def fill(folder: Path) -> None:
        save_file(model.state_dict(), folder / "weights.safetensors")
        pixels = np.zeros((1, 64, 64, 3), np.uint8)
        np.savez(folder / GOLDEN, pixels=pixels, alphas=np.zeros((1, 64, 64), np.float32))

    return artifact(
        tmp_path_factory.mktemp("shelf"),
        fill,
        name="portrait",
        kind="float",
        architecture="pspm-slim",
        config={"width": 0.25},
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload="weights.safetensors",
    )


@pytest.fixture(scope="module")
def exported(network: Artifact) -> Path:
    """A folder with the int8 files, and the names that `export` gave back."""

    def fill(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("edgemat.workflow.export.CALIBRATION", 8)
            written = export(network, folder / "app", precision="int8", data=DATA)
        (folder / "written.json").write_text(json.dumps([path.name for path in written]))

    return made_once("exported", network.manifest.identity, fill)


@pytest.mark.slow
def test_both_phone_files_come_with_their_manifests(exported: Path) -> None:
    names = set(json.loads((exported / "written.json").read_text()))
    assert names == {
        "portrait-int8.tflite", "portrait-int8.mlpackage", "portrait-golden.npz", "portrait.json",
    }  # fmt: skip
    assert {path.name for path in (exported / "app").iterdir()} == names, "nothing is left behind"
    card = json.loads((exported / "app" / "portrait.json").read_text())
    proof = card["files"]["portrait-int8.tflite"]["int8_proof"]
    assert proof["int8_convolutions"] == proof["convolutions"] > 0
    assert TfliteModel(exported / "app" / "portrait-int8.tflite").input_shape == (1, 64, 64, 3)


def test_a_shipped_model_is_given_out_as_it_ships(tmp_path: Path) -> None:
    """What is exported is what was measured, and not another quantization of the same network."""
    edgemat.export("trimap", tmp_path, runtime="tflite")
    shipped = open_artifact("trimap", target="tflite-int8")
    assert (tmp_path / "trimap-int8.tflite").read_bytes() == shipped.payload.read_bytes()
    card = json.loads((tmp_path / "trimap.json").read_text())
    assert card["files"]["trimap-int8.tflite"] == shipped.manifest.model_dump(mode="json")


@pytest.mark.slow
def test_the_apple_file_of_a_shipped_model_is_on_its_grids(tmp_path: Path) -> None:
    edgemat.export("portrait", tmp_path, runtime="coreml")
    shipped = open_artifact("portrait", target="tflite-int8").manifest
    made = json.loads((tmp_path / "portrait.json").read_text())["files"]["portrait-int8.mlpackage"]
    proof = made["int8_proof"]
    assert shipped.int8_proof is not None and shipped.calibration is not None
    assert proof["origins"] == dict(shipped.int8_proof.origins)
    assert proof["scales_exact"] == proof["scales"] == shipped.int8_proof.scales
    assert made["calibration"]["sha256"] == shipped.calibration.sha256
    assert made["agreements"][0]["mean_abs"] <= 1e-4


@pytest.mark.long
def test_another_precision_joins_what_is_there(
    network: Artifact, exported: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported / "app", tmp_path / "app")
    again = export(network, tmp_path / "app", precision="fp32", data=DATA)
    assert "portrait-fp32.tflite" in {path.name for path in again}


def test_a_format_is_asked_for_by_the_name_of_its_runtime(
    network: Artifact, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="runtime 'corai'") as misspelt:
        export(network, tmp_path / "app", precision="int8", data=DATA, runtime="corai")
    assert "coreai" in misspelt.value.remedy
    with pytest.raises(UsageError, match="no coreml file of fp32"):
        export(network, tmp_path / "app", precision="fp32", data=DATA, runtime="coreml")
    demo = tmp_path / "android_demo"
    demo.mkdir()
    (demo / "settings.gradle.kts").touch()
    with pytest.raises(UsageError, match="no coreai file of int8 for android_demo") as unfit:
        export(network, demo, precision="int8", data=DATA, runtime="coreai")
    assert "--format tflite" in unfit.value.remedy
    assert not (tmp_path / "app").exists()


@pytest.mark.slow
def test_core_ai_files_come_where_they_are_asked_for(network: Artifact, tmp_path: Path) -> None:
    pytest.importorskip("coreai_torch", reason="needs coreai-torch: make coreai")
    app = tmp_path / "app"
    export(network, app, precision="fp32", data=DATA, runtime="coreai")
    assert {path.name for path in app.iterdir()} == {
        "portrait-fp32.aimodel", "portrait-golden.npz", "portrait.json",
    }  # fmt: skip
    said = json.loads((app / "portrait.json").read_text())["files"]["portrait-fp32.aimodel"]
    assert said["agreements"][0]["max_abs"] <= 1e-4
    assert said["agreements"][0]["images"] == COREAI.pictures


@pytest.mark.parametrize("fit", ["resize", "pad", "tiles"])
def test_an_app_is_told_how_pictures_are_fitted(fit: Fit, tmp_path: Path) -> None:
    """Its core obeys: tests/vectors/matte.json."""
    feeding = Feeding(layout="NHWC", height=32, width=32, channels=3, stride=16, fit=fit)
    file = tflite_artifact(tmp_path / "shelf", feeding=feeding)
    (tmp_path / "settings.gradle.kts").touch()
    written = export(file, tmp_path, precision="int8", data=DATA)
    (entry,) = json.loads(written[-1].read_text())["models"]
    assert entry["feeding"]["fit"] == fit


def test_a_mobile_file_cannot_be_exported(tmp_path: Path) -> None:
    file = tflite_artifact(tmp_path / "shelf")
    with pytest.raises(ArtifactError, match="starts from the float model"):
        export(file, tmp_path / "app", precision="int8", data=DATA)
    assert not (tmp_path / "app").exists()


def test_a_package_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for text in ("old", "new"):
        source = tmp_path / "made"
        (source / "Data").mkdir(parents=True)
        (source / "Data" / text).write_text(text)
        move_into_place(source, tmp_path / "model.mlpackage")
    found = [p.name for p in (tmp_path / "model.mlpackage" / "Data").iterdir()]
    assert found == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["model.mlpackage"]
