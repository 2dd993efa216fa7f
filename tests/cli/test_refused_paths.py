"""Names that the system refuses, and numbers that nobody means: a sentence, and status 2 or 3."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgemat.cli import main
from edgemat.errors import EdgematError
from edgemat.workflow.api.latency import bench
from edgemat.workflow.api.scores import evaluate

LONG = "n" * 300
RECIPE = f"""
name = "tiny"
photo = "{LONG}.jpg"
[[models]]
name = "hair"
architecture = "pspm-slim"
input_size = [64, 64]
train = {{ steps = 1, batch = 2, size = 64 }}
"""


@pytest.mark.parametrize(
    "words",
    [
        "matte photo.png -o /proc/x.png",
        f"matte photo.png -o {LONG}.png",
        f"matte photo.png -o {LONG}/a.png",
        f"matte {LONG}.png -o a.png",
        f"matte photo.png -o a.png --model {LONG}",
        f"matte photo.png -o a.png --model {LONG}.tflite",
        f"matte photo.png -o a.png --trimap {LONG}",
        f"matte photo.png -o a.png --background {LONG}",
        "matte photo.png -o a.png --model a**b",
        "matte photo.png -o a.png --model [",
        f"compare {'9' * 5000} 1",
        f"compare {LONG}.json {LONG}.json",
        f"bench {LONG}",
        f"bench {LONG}.tflite",
        f"bench import {LONG}.json",
        f"import {LONG}",
        "bench portrait --threads 99999999999999999999 --runs 1 --seconds 0",
        f"history --file {LONG}",
        f"evaluate {LONG}",
        f"evaluate portrait --data {LONG}",
        f"verify {LONG}",
        f"gate {LONG}",
        f"convert {LONG}",
        f"run {LONG}.toml",
        "run long.toml",
        f"frontier {LONG}",
        f"card {LONG}",
    ],
)
def test_it_is_said_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
) -> None:
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    (tmp_path / "long.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "argv", ["edgemat", *words.split(" ")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (2, 3)
    said = capsys.readouterr().err
    assert 0 < len(said) < 1500 and "Traceback" not in said


@pytest.mark.parametrize("function", [bench, evaluate])
def test_from_python_it_is_an_error_of_edgemat(function: object) -> None:
    assert callable(function)
    with pytest.raises(EdgematError):
        function(LONG)
