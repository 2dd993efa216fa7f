"""The main job as a user runs it: cached, killed and resumed, damaged and mended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from shared_files import made_once

from edgemat.artifacts.artifact import GOLDEN, Artifact
from edgemat.matting.predict import load_predictor

pytest.importorskip("litert_torch")

RECIPE = """
name = "tiny"
seed = 3
threads = 1

[[models]]
name = "portrait"
architecture = "pspm-slim"
config = { width = 0.5 }
input_size = [64, 64]
demonstration = true
data = { kinds = "portrait" }
train = { steps = 8, batch = 2, size = 64, warmup = 2, workers = 0, checkpoint_every = 2 }
prune = { keep = 0.8, rounds = 2, batches = 1, tune = { steps = 4, batch = 2, size = 64, \
    warmup = 1, workers = 0, checkpoint_every = 2 } }
quantize = { mode = "qat", calibration = 8, qat = { steps = 4, batch = 2, size = 64, \
    warmup = 1, workers = 0, checkpoint_every = 2 } }
targets = ["tflite-fp32", "coreml-w8a8"]
# a network of eight steps need not pass anything
parity = { tflite-fp32 = { psnr_db = ">=0" }, coreml-w8a8 = { max_abs = "<=1" } }

[verify]
images = 2

[gate]
sad = "<=1000"

[bench]
runs = 5
seconds = 0.05
warmup_runs = 2
warmup_seconds = 0.0
threads = [1]
"""


# What is there at each kill: in training, in the second round of pruning, in converting.
MOMENTS = (
    "work/*/checkpoint.pt",
    "work/*/round-1/start.safetensors",
    "artifacts/.converting-*",
)


def edgemat(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgemat.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def artifacts(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "runs/tiny/artifacts").iterdir() if "@" in p.name)


@pytest.fixture(scope="module")
def finished() -> Path:
    """A folder in which the recipe has run: to look at; what changes it takes a copy."""

    def fill(folder: Path) -> None:
        (folder / "tiny.toml").write_text(RECIPE)
        result = edgemat("run", "tiny.toml", cwd=folder)
        assert result.returncode == 0, result.stderr + result.stdout

    return made_once("pipeline", RECIPE, fill)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.slow
def test_a_run_leaves_artifacts_a_report_and_a_history(finished: Path) -> None:
    names = sorted(name.split("@")[0] for name in artifacts(finished))
    assert names == [
        "portrait",
        "portrait-pruned",
        "portrait-pruned-coreml-w8a8",
        "portrait-pruned-qat",
        "portrait-pruned-quantized",
        "portrait-pruned-tflite-fp32",
    ]
    report = (finished / "runs/tiny/report.html").read_text()
    assert "portrait" in report and "do not ship" in report.lower()
    assert "frozen model (PTQ)" in report and "frozen model (QAT)" in report
    assert (finished / "runs/tiny/runs.sqlite").exists()
    leftovers = [p.name for p in (finished / "runs/tiny/artifacts").iterdir() if "@" not in p.name]
    assert leftovers == []


@pytest.mark.slow
def test_a_manifest_says_where_a_file_comes_from_and_how_to_feed_it(finished: Path) -> None:
    shelf = finished / "runs/tiny/artifacts"
    manifests = {
        name.split("@")[0]: json.loads((shelf / name / "manifest.json").read_text())
        for name in artifacts(finished)
    }
    assert manifests["portrait"]["parent"] is None
    parents = {name: manifest["parent"] for name, manifest in manifests.items()}
    shas = {name: manifest["payload_sha256"] for name, manifest in manifests.items()}
    assert parents["portrait-pruned"] == shas["portrait"]
    of_pruned = ("portrait-pruned-quantized", "portrait-pruned-tflite-fp32")
    assert {parents[name] for name in of_pruned} == {shas["portrait-pruned"]}
    assert parents["portrait-pruned-qat"] == shas["portrait-pruned-quantized"]
    assert parents["portrait-pruned-coreml-w8a8"] == shas["portrait-pruned-qat"]
    before, after = manifests["portrait"]["cost"], manifests["portrait-pruned"]["cost"]
    assert 0.7 * before["macs"] < after["macs"] <= 0.81 * before["macs"]
    assert after["parameters"] < before["parameters"]
    assert manifests["portrait-pruned"]["pruning"]["macs_before"] == before["macs"]
    file = manifests["portrait-pruned-tflite-fp32"]
    feeding = file["feeding"]
    assert (feeding["layout"], feeding["height"], feeding["width"]) == ("NHWC", 64, 64)
    assert file["scores"]["unknown"]["sad"] > 0 and file["agreements"][0]["images"] == 2
    assert manifests["portrait-pruned-qat"]["calibration"]["count"] == 8
    proof = manifests["portrait-pruned-coreml-w8a8"]["int8_proof"]
    assert proof["convolutions"] == proof["int8_convolutions"] > 50
    assert proof["scales_exact"] == proof["scales"] > 150


@pytest.mark.slow
def test_a_second_run_does_nothing_but_say_so(
    copy: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()}
    status, printed, _ = call("run", "tiny.toml")
    assert status == 0 and "Nothing to do" in printed
    assert {p: p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()} == before
    assert "report.html" in printed


@pytest.mark.long
def test_a_run_killed_again_and_again_ends_in_the_same_hashes(
    finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(RECIPE)
    for moment in MOMENTS:
        with subprocess.Popen(
            [sys.executable, "-m", "edgemat.cli", "run", "tiny.toml"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        ) as process:
            wait_for(tmp_path / "runs/tiny", moment, process)
            os.killpg(process.pid, signal.SIGKILL)
    assert not (tmp_path / "runs/tiny/report.html").exists()
    result = edgemat("run", "tiny.toml", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert artifacts(tmp_path) == artifacts(finished)
    for name in artifacts(tmp_path):
        ours, theirs = (
            json.loads((folder / "runs/tiny/artifacts" / name / "manifest.json").read_text())
            for folder in (tmp_path, finished)
        )
        assert ours["payload_sha256"] == theirs["payload_sha256"]


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while not list(folder.glob(pattern)):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.long
def test_a_damaged_artifact_is_made_anew(
    copy: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    file = (
        next((copy / "runs/tiny/artifacts").glob("portrait-pruned-tflite-fp32@*")) / "model.tflite"
    )
    content = file.read_bytes()
    file.write_bytes(content[:-100] + bytes(100))
    status, printed, said = call("run", "tiny.toml")
    assert status == 0, said
    assert "damaged" in said and "Nothing to do" not in printed
    assert file.read_bytes() == content


@pytest.mark.slow
def test_a_failed_gate_gives_exit_status_1_and_the_row(
    copy: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    recipe = copy / "tiny.toml"
    recipe.write_text(RECIPE.replace('sad = "<=1000"', 'sad = "<=0.000001"'))
    status, printed, said = call("run", "tiny.toml")
    assert status == 1
    assert "coreml-w8a8" in printed and "sad" in printed
    assert "Traceback" not in said


@pytest.mark.long
def test_files_can_be_verified_judged_and_used_one_by_one(
    copy: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    shelf = Path("runs/tiny/artifacts")
    names = {name.split("@")[0]: str(shelf / name) for name in artifacts(copy)}
    fp32, w8a8 = names["portrait-pruned-tflite-fp32"], names["portrait-pruned-coreml-w8a8"]
    status, printed, said = call("verify", fp32, "--images", "2", "--json")
    assert status == 0, said
    assert json.loads(printed)["agreements"][0]["psnr_db"] > 60
    status, printed, said = call("verify", w8a8, "--images", "1", "--layers", "--json")
    (table,) = json.loads(printed)["layers"]
    assert len(table["layers"]) > 50 and table["first_above_1_lsb"] is None
    assert status == 0, said
    status, printed, _ = call("gate", w8a8, "--sad", "+1000%")
    assert status in (0, 1) and "sad" in printed
    _, printed, _ = call("evaluate", names["portrait"], "--images", "2", "--json")
    assert json.loads(printed)["whole"]["sad"] > 0
    status, _, said = call("convert", names["portrait"], "--target", "tflite-int8")
    assert status == 2 and "Quantize the float artefact first" in said


@pytest.mark.slow
def test_weights_stored_in_half_the_bytes_are_those_that_were_measured(
    copy: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    recipe = RECIPE.replace('name = "tiny"', 'name = "halved"').replace("steps = 8,", "steps = 0,")
    start = 'start = "runs/tiny/artifacts/portrait", half_weights = true, '
    (copy / "halved.toml").write_text(recipe.replace("train = { ", f"train = {{ {start}"))
    status, _, said = call("train", "halved.toml")
    assert status == 0, said
    (whole,) = (copy / "runs/tiny/artifacts").glob("portrait@*/weights.safetensors")
    (half,) = (copy / "runs/halved/artifacts").glob("portrait@*/weights.safetensors")
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    golden = np.load(half.parent / GOLDEN)
    found = load_predictor(Artifact(half.parent)).predict(golden["pixels"].astype(np.float32) / 255)
    assert np.abs(found[..., 0] - golden["alphas"]).max() < 1e-4
