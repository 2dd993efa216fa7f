"""What goes wrong on the command line: one clear sentence, and an exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from calling import Call
from real_command import COMMAND, ENVIRONMENT, RECIPE, ROOT, edgemat, write_folder
from safetensors.torch import save_file
from toy_artifacts import artifact, tflite_artifact

from edgemat.artifacts.artifact import Artifact, Feeding, MattingErrors, Validation
from edgemat.models import create_model


@pytest.fixture(scope="module")
def float_artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """An untrained network of 64 x 64 px."""
    state = create_model("pspm-b5", width=0.35).state_dict()
    return artifact(
        tmp_path_factory.mktemp("shelf"),
        lambda folder: save_file(state, folder / "weights.safetensors"),
        kind="float",
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload="weights.safetensors",
        scores={"unknown": MattingErrors(sad=1.0, mse=1.0, grad=1.0, conn=1.0)},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


# What a user gets wrong

MATTE = ("-o", "out.png", "--model", "portrait.tflite")
WRONG: dict[str, tuple[int, Sequence[str], str]] = {
    "missing photo": (2, ["matte", "nowhere.png", *MATTE], "nowhere.png does not exist"),
    "truncated PNG": (2, ["matte", "truncated.png", *MATTE], "truncated"),
    "text named .png": (2, ["matte", "text.png", *MATTE], "text.png is not an image"),
    "tiny photo": (2, ["matte", "small.png", *MATTE], "at least 32 px"),
    "trimap of another shape": (
        2,
        ["matte", "photo.png", *MATTE, "--trimap", "upright.png"],
        "another shape",
    ),
    "trimap model without trimap": (
        2,
        ["matte", "photo.png", "-o", "out.png", "--model", "trimap.tflite"],
        "needs a trimap",
    ),
    "damaged artefact": (
        2,
        ["matte", "photo.png", "-o", "out.png", "--model", "damaged"],
        "is damaged: its SHA-256",
    ),
    "a photo as model": (
        2,
        ["matte", "photo.png", "-o", "out.png", "--model", "photo.png"],
        "photo.png is not an artefact",
    ),
    "missing model": (
        2,
        ["matte", "photo.png", "-o", "out.png", "--model", "none.tflite"],
        "no artefact none.tflite",
    ),
    "two precisions": (2, ["export", "portrait", "--int8", "--fp16"], "exclude each other"),
    "softening nothing": (2, ["data", "soften", "damaged", "out"], "no pictures in image/"),
    "unknown kinds": (2, ["data", "draw", "out", "--kinds", "hare"], "no kinds named 'hare'"),
    "missing bars": (2, ["quality", "none.toml"], "no file of bars none.toml"),
    "background and blur": (
        2,
        ["matte", "photo.png", *MATTE, "--background", "photo.png", "--blur", "3"],
        "exclude each other",
    ),
    "negative blur": (2, ["matte", "photo.png", *MATTE, "--blur", "-1"], "impossible"),
    "unknown suffix": (2, ["matte", "photo.png", *MATTE, "-o", "out.xyz"], "out.xyz"),
    "a file in the way": (
        3,
        ["matte", "photo.png", *MATTE, "-o", "photo.png/out.png"],
        "cannot be written",
    ),
    "unknown recipe key": (2, ["run", "typo.toml"], "bacth"),
    "missing recipe": (2, ["run", "tinny.toml"], "no recipe tinny.toml"),
    "no artefact": (2, ["gate", "photo.png"], "not an artefact"),
    "calibration pictures without mattes": (
        2,
        ["quantize", "portrait", "--data", "unmatted"],
        "no pictures in alpha/",
    ),
    "calibration files that are no pictures": (
        2,
        ["quantize", "portrait", "--data", "texts"],
        "a.png is not an image",
    ),
    "measuring a photo": (2, ["bench", "photo.png"], "not an artefact"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_sentence_and_a_status(
    folder: Path, call: Call, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert_said(WRONG[case], *call(*WRONG[case][1]))
    assert not (folder / "out.png").exists()


@pytest.mark.long
@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_the_same_in_a_process_of_its_own(folder: Path, case: str) -> None:
    result = edgemat(*WRONG[case][1], cwd=folder)
    assert_said(WRONG[case], result.returncode, result.stdout, result.stderr)
    assert not (folder / "out.png").exists()


def assert_said(
    expected: tuple[int, Sequence[str], str], status: int, printed: str, errors: str
) -> None:
    assert (status, printed) == (expected[0], "")
    assert "Traceback" not in errors
    _, _, said = errors.partition("Error: ")  # other libraries may have spoken before
    sentence, remedy = said.rstrip("\n").split("\n")
    assert expected[2] in sentence
    assert sentence.endswith((".", "..."))
    assert remedy


@pytest.mark.parametrize(
    "arguments", [["matte", "photo.png"], ["mate"], ["bench", "a.tflite", "--runs", "0"]]
)
def test_wrong_usage_is_explained_by_the_parser(folder: Path, arguments: list[str]) -> None:
    result = edgemat(*arguments, cwd=folder)
    assert result.returncode == 2
    assert "Usage:" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_nearest_key_is_offered(folder: Path) -> None:
    said = edgemat("train", "typo.toml", cwd=folder).stderr
    assert said.splitlines()[-1].startswith("Did you mean 'batch'")


def test_an_unknown_target_fails_before_any_work(float_artifact: Artifact, call: Call) -> None:
    status, _, said = call("convert", float_artifact.path, "--target", "tflite-int7")
    assert status == 2
    assert "no target 'tflite-int7'" in said
    assert "'tflite-int8'" in said


def test_a_full_disk_is_said_when_a_picture_is_written(folder: Path, full_disk: Path) -> None:
    (full_disk / "filler").write_bytes(bytes(60 * 1024))
    result = edgemat("matte", "photo.png", *MATTE, "-o", full_disk / "out.tif", cwd=folder)
    assert result.returncode == 3
    assert "Error: The disk is full" in result.stderr
    assert [p.name for p in full_disk.iterdir()] == ["filler"]


@pytest.mark.slow
def test_a_full_disk_is_said_when_a_checkpoint_is_written(folder: Path, full_disk: Path) -> None:
    recipe = RECIPE.replace("STEPS", "2, workers = 0")  # each would load torch anew
    (folder / "tiny.toml").write_text(recipe)
    result = edgemat("train", "tiny.toml", "-o", full_disk, cwd=folder)
    assert "Traceback" not in result.stderr
    assert "Error: The disk is full" in result.stderr
    assert result.returncode == 3


# Missing tools


@pytest.mark.parametrize(
    ("target", "module", "package"),
    [
        ("tflite-fp32", "litert_torch", "litert-torch"),
        ("coreml-fp16", "coremltools", "coremltools"),
    ],
)
def test_without_its_converter_a_model_is_not_converted(
    float_artifact: Artifact,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    module: str,
    package: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    shelf = float_artifact.path.parent
    before = list(shelf.iterdir())
    status, _, said = call("convert", float_artifact.path, "--target", target, "--images", 1)
    assert status == 3
    assert package in said
    assert 'pip install "edgemat[deploy]"' in said
    assert list(shelf.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "missing", "extra"),
    [
        (["models"], "torch", "train"),
        (["run", "tiny.toml"], "torch", "deploy"),
        (["train", "tiny.toml"], "torch", "train"),
        (["evaluate", "damaged"], "torch", "train"),
        (["evaluate", "portrait.tflite", "unmatted"], "scipy", "evaluate"),
        (["convert", "damaged", "--target", "tflite-int8"], "torch", "deploy"),
    ],
)
def test_the_light_install_names_the_extra(
    folder: Path, arguments: list[str], missing: str, extra: str
) -> None:
    (folder / missing).mkdir()
    (folder / missing / "__init__.py").write_text(
        f"raise ModuleNotFoundError('not installed', name={missing!r})"
    )
    command = [*COMMAND, *arguments]
    environment = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    assert f"needs {missing}, which is not installed" in result.stderr
    assert f'pip install "edgemat[{extra}]"' in result.stderr


# Gates and interruptions


@pytest.mark.parametrize(("sad", "status"), [(1.04, 0), (1.06, 1)])
def test_a_broken_gate_is_exit_status_1(
    float_artifact: Artifact, call: Call, sad: float, status: int
) -> None:
    file = tflite_artifact(
        float_artifact.path.parent,
        parent=float_artifact.manifest.payload_sha256,
        scores={"unknown": MattingErrors(sad=sad, mse=1.0, grad=1.0, conn=1.0)},
        licence=f"for {sad}",
    )
    found, printed, _ = call("gate", file.path, "--json")
    assert found == status
    verdicts = {verdict["name"]: verdict["passed"] for verdict in json.loads(printed)}
    assert verdicts == {"sad": status == 0, "grad": True}
    assert ("failed" in call("gate", file.path)[1]) == bool(status)


def test_a_gate_on_training_pictures_says_so(
    float_artifact: Artifact, call: Call, tmp_path: Path
) -> None:
    """In what a machine reads, too: a warning on the terminal does not reach it."""
    file = tflite_artifact(
        float_artifact.path.parent,
        parent=float_artifact.manifest.payload_sha256,
        scores={"unknown": MattingErrors(sad=1.0, mse=1.0, grad=1.0, conn=1.0)},
        validation=Validation(images=4, on_training_pictures=True),
    )
    status, printed, said = call("gate", file.path, "--json", "--junit", tmp_path / "out.xml")
    assert status == 0 and "on training pictures" in said
    assert {v["note"] for v in json.loads(printed)} == {"errors on training pictures"}
    assert (tmp_path / "out.xml").read_text().count("errors on training pictures") == 2


def test_a_bound_that_is_none_is_explained(float_artifact: Artifact, call: Call) -> None:
    status, _, said = call("gate", float_artifact.path, "--sad", "5%")
    assert status == 2
    assert "Error: The bound '5%' has no sign." in said


@pytest.mark.slow
def test_ctrl_c_keeps_the_checkpoint(folder: Path) -> None:
    (folder / "tiny.toml").write_text(RECIPE.replace("STEPS", "100000"))
    process = subprocess.Popen(
        [*COMMAND, "run", "tiny.toml"],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (found := list(folder.rglob("work/*/checkpoint.pt"))):  # none half-written
            assert process.poll() is None, "ended before it was interrupted"
            assert time.monotonic() < deadline, "no checkpoint in two minutes"
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers get it too
        _, said = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "Interrupted. What was finished is kept" in said
    assert found[0].stat().st_size > 0
    assert [p.name for p in found[0].parent.iterdir() if p.name.startswith(".")] == []
