"""The command line: fast help, JSON, and one clear sentence for whatever a user gets wrong."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from PIL import Image
from rich.console import Console
from safetensors.torch import save_file
from tiny_tflite import write_matte_model
from toy_artifacts import artifact, tflite_artifact, write_portrait_model

from edgemat.artifacts.artifact import Artifact, Feeding, MattingErrors
from edgemat.cli.tables import show_models
from edgemat.images import read_rgba
from edgemat.matting.classical import METHODS
from edgemat.models import create_model, list_models

COMMAND = [sys.executable, "-m", "edgemat.cli"]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
RECIPE = """
name = "tiny"
[[models]]
name = "hair"
architecture = "pspm-b5"
config = { width = 0.35 }
input_size = [64, 64]
targets = []
train = { steps = STEPS, batch = 2, size = 64, checkpoint_every = 1 }
"""


def edgemat(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT)


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
    """Photographs good and bad, two models, a damaged artefact and two recipes."""
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    pixels = np.dstack([np.tile(ramp, (48, 1)), *[np.full((48, 64), 90, np.uint8)] * 2])
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray(pixels).resize((20, 20)).save(tmp_path / "small.png")
    Image.fromarray(np.full((48, 64), 128, np.uint8)).save(tmp_path / "trimap.png")
    Image.fromarray(np.full((64, 48), 128, np.uint8)).save(tmp_path / "upright.png")
    whole = (tmp_path / "photo.png").read_bytes()
    (tmp_path / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("no picture at all")
    for name in ("unmatted/image", "texts"):
        (tmp_path / name).mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "unmatted" / "image" / "a.png")
    (tmp_path / "texts" / "a.png").write_text("no picture at all")
    write_portrait_model(tmp_path / "portrait.tflite")
    write_matte_model(tmp_path / "trimap.tflite", size=32)
    damaged = tflite_artifact(tmp_path)
    damaged.payload.write_bytes(damaged.payload.read_bytes()[:-1] + b"?")
    damaged.path.rename(tmp_path / "damaged")
    (tmp_path / "tiny.toml").write_text(RECIPE.replace("STEPS", "2"))
    (tmp_path / "typo.toml").write_text(RECIPE.replace("batch", "bacth").replace("STEPS", "2"))
    return tmp_path


# Help


def test_help_answers_at_once() -> None:
    """In 0.6 s of processor time, the best of five.

    Other work on the machine lengthens that as well: where it does, typer and rich by themselves,
    measured in the same moment, say by how much.
    """

    def seconds(*command: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    alone = (sys.executable, "-c", "import typer.rich_utils")
    assert any(seconds(*COMMAND, "--help") < max(0.6, 2 * seconds(*alone)) for _ in range(5))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from edgemat.cli import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "print('loaded:', {name.split('.')[0] for name in sys.modules} & "
        "{'torch', 'numpy', 'PIL', 'pydantic', 'scipy', 'nncf', 'ai_edge_litert'})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert result.stdout.strip().endswith("loaded: set()")


def test_help_names_every_command(call: Call) -> None:
    status, shown, _ = call("--help")
    assert status == 0
    for name in ("run", "models", "doctor", "matte", "train", "evaluate", "quantize", "convert"):
        assert f" {name} " in shown
    for name in ("prune", "sensitivity", "verify", "bench", "gate"):
        assert f" {name} " in shown


# JSON


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)])
def test_models_as_json(call: Call, monkeypatch: pytest.MonkeyPatch, every: bool) -> None:
    networks = list_models()
    if not every:  # counting all takes long
        few = ("indexnet-m2o-nlc", "pspm-b5", "pspm-slim", "indexnet-slim")
        networks = [info for info in networks if info.name in few]
        monkeypatch.setattr("edgemat.models.list_models", lambda: networks)
    hers = {"hers": "hernet:matting"}
    monkeypatch.setattr("edgemat.models.adopted.opening.listed_networks", lambda: hers)
    status, printed, _ = call("models", "--json")
    assert status == 0
    rows = {row["name"]: row for row in json.loads(printed)}
    assert set(rows) == {*(info.name for info in networks), *METHODS, "hers"}
    assert "hernet:matting: edgemat adopt hers" in rows["hers"]["note"]
    assert set(rows["hers"]) == set(rows["pspm-b5"])
    assert rows["indexnet-m2o-nlc"]["parameters"] == 8_153_771
    assert rows["indexnet-m2o-nlc"]["operations_thesis_convention"] == pytest.approx(
        6.2988, abs=5e-5
    )
    assert rows["pspm-b5"]["parameters"] == 5_902_382
    assert rows["pspm-b5"]["operations_thesis_convention"] == pytest.approx(6.53, abs=0.01)
    assert rows["knn"]["parameters"] == 0 and not rows["knn"]["deploys"]
    assert set(rows["knn"]) == set(rows["pspm-b5"])
    assert (rows["pspm-b5"]["chapter"], rows["pspm-b5"]["table"]) == (6, "6.4")
    for own in ("pspm-slim", "indexnet-slim"):
        assert rows[own]["chapter"] is rows[own]["table"] is None


def test_models_as_a_table() -> None:
    row = {
        "name": "pspm-b5",
        "task": "portrait",
        "chapter": 6,
        "table": "6.4",
        "parameters": 5_902_382,
        "thesis_parameters_millions": 5.9,
        "operations_thesis_convention": 6.53123,
        "thesis_operations": 6.53,
    }
    console = Console(record=True, width=150)
    own = dict.fromkeys(row) | {"name": "pspm-slim", "parameters": 2_995_143}
    classical = dict.fromkeys(row) | {"name": "knn", "parameters": 0}
    hers = dict.fromkeys(row) | {"name": "hers"}
    show_models(console, [row, own, classical, hers])
    shown = console.export_text()
    for text in (
        "pspm-b5",
        "chapter 6, table 6.4",
        "5,902,382",
        "5.90 M",
        "6.5312 G",
        "6.53 G",
        "edgemat's own",
        "classical",
        "of another package",
    ):
        assert text in shown


def test_doctor_as_json(call: Call) -> None:
    status, printed, _ = call("doctor", "--json")
    assert status == 0
    findings = json.loads(printed)
    assert set(findings[0]) == {"ability", "ok", "detail", "remedy"}
    assert "Convert to TFLite" in {finding["ability"] for finding in findings}


def test_doctor_as_a_table_keeps_brackets(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgemat import doctor

    finding = doctor.Finding("Train", False, "missing: torch", 'pip install "edgemat[train]"')
    monkeypatch.setattr(doctor, "examine", lambda: [finding])
    monkeypatch.setenv("COLUMNS", "150")
    assert '"edgemat[train]"' in call("doctor")[1]


# Photographs


def test_matte_writes_a_cut_out(folder: Path, call: Call) -> None:
    photo, out = folder / "photo.png", folder / "out.png"
    status, printed, _ = call(
        "matte", photo, "-o", out, "--model", folder / "portrait.tflite", "--json"
    )
    assert status == 0
    assert json.loads(printed) == {
        "height": 48,
        "model": str(folder / "portrait.tflite"),
        "output": str(out),
        "refined_by": None,
        "width": 64,
    }
    _, alpha = read_rgba(out)
    assert alpha is not None
    # the model's alpha is the red channel, a ramp from 0 to 1
    np.testing.assert_allclose(alpha[24], np.linspace(0, 1, 64), atol=0.03)


@pytest.mark.parametrize("extra", [["--background", "green.png"], ["--blur", "2"]])
def test_matte_puts_something_behind(
    folder: Path, call: Call, extra: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Image.new("RGB", (80, 40), (0, 255, 0)).save(folder / "green.png")
    status, printed, _ = call(
        "matte", "photo.png", "-o", "out.jpg", "--model", "portrait.tflite", *extra
    )
    assert status == 0
    assert printed == "Wrote out.jpg with portrait.tflite.\n"
    assert Image.open(folder / "out.jpg").size == (64, 48)


def test_matte_takes_the_shipped_model_of_its_kind(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("edgemat.artifacts.shipped.SHELF", folder / "weights")
    made = tflite_artifact(folder / "weights", name="portrait-tflite-int8")
    tflite_artifact(folder / "weights", name="trimap-tflite-int8", task="trimap")
    status, printed, _ = call("matte", "photo.png", "-o", "out.png", "--json")
    assert status == 0
    assert Path(json.loads(printed)["model"]).name == made.path.name


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
        (["run", "tiny.toml"], "torch", "train"),
        (["train", "tiny.toml"], "torch", "train"),
        (["evaluate", "damaged"], "torch", "train"),
        (["convert", "damaged", "--target", "tflite-int8"], "torch", "train"),
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
