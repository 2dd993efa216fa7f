"""The command line: fast help, JSON, and photographs that are matted."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from PIL import Image
from real_command import COMMAND, ENVIRONMENT, write_folder
from rich.console import Console
from toy_artifacts import tflite_artifact
from typer.main import get_group

from edgemat.cli.commands import build_app
from edgemat.cli.tables import show_models
from edgemat.images import read_rgba
from edgemat.matting.classical import METHODS
from edgemat.models import list_models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


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


def test_the_command_that_is_named_is_built_alone() -> None:
    """Typer takes a tenth of a second for all of them, of which one runs."""
    whole = get_group(build_app())
    for name in whole.commands:
        alone = get_group(build_app(name))
        assert [*alone.commands] == [name]
        options = [one.name for one in alone.commands[name].params]
        assert options == [one.name for one in whole.commands[name].params]
        assert alone.params[0].name == whole.params[0].name == "version"
    for word in (None, "--help", "mate", ""):  # whose errors and help are of all commands
        assert [*get_group(build_app(word)).commands] == [*whole.commands]
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules))\n"
        "from edgemat.cli import main\n"
        "sys.argv = ['edgemat', 'doctor', '--help']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "edgemat.cli.inventory" in done.stdout
    assert "edgemat.cli.photo" not in done.stdout


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

    finding = doctor.AbilityCheck("Train", False, "missing: torch", 'pip install "edgemat[train]"')
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
