"""What the light installation lacks is said in a sentence, with what to type."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from real_command import ENVIRONMENT, RECIPE
from test_structure import BLOCK, HEAVY

from edgemat.images import write_image

# What scores: the extra that a light installation is told of, and one that lacks scipy alone.
EXTRAS = {
    "gate portrait": ("train", "evaluate"),
    "evaluate portrait": ("train", "train"),
    "evaluate portrait-tflite-int8 set": ("evaluate", "evaluate"),
    "verify portrait": ("deploy", "deploy"),
    "bias portrait": ("evaluate", "evaluate"),
    "data soften set softened": ("classical", "classical"),
}
SCORING = tuple(EXTRAS)
RUN = """
from edgemat.cli import main
for line in LINES:
    sys.argv = ["edgemat", *line.split()]
    try:
        main()
    except SystemExit as end:
        print(line, end.code, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        alpha = np.zeros((64, 64), np.uint8)
        alpha[16:48, 16 : 44 + number] = 255
        for name, picture in (("image", np.dstack([alpha] * 3)), ("alpha", alpha), ("mask", alpha)):
            write_image(tmp_path / f"set/{name}/{number}.png", picture)
    return tmp_path


def run_without(packages: str, lines: tuple[str, ...], folder: Path) -> tuple[list[str], str]:
    """Return the lines with their exit statuses, and what was said to stderr."""
    code = BLOCK.replace(repr(HEAVY), repr(packages)) + RUN.replace("LINES", repr(lines))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    return [line for line in done.stdout.splitlines() if line.startswith(lines)], done.stderr


def test_who_scores_without_scipy_is_told_of_the_extra(folder: Path) -> None:
    ended, said = run_without("scipy", SCORING, folder)
    assert ended == [f"{line} 3" for line in SCORING]
    sentence = "Error: This needs scipy, which is not installed.\n"
    told = (f'{sentence}Run: pip install "edgemat[{extra}]"\n' for _, extra in EXTRAS.values())
    assert said == "".join(told)


def test_the_light_installation_says_which_extra_a_command_takes(folder: Path) -> None:
    ended, said = run_without(HEAVY, SCORING, folder)
    assert ended == [f"{line} 3" for line in SCORING]
    remedies = [line for line in said.splitlines() if line.startswith("Run: ")]
    assert remedies == [f'Run: pip install "edgemat[{extra}]"' for extra, _ in EXTRAS.values()]


def test_the_extra_is_enough_for_photographs(folder: Path) -> None:
    heavy = HEAVY.replace("scipy", "")
    ended, said = run_without(heavy, ("evaluate portrait-tflite-int8 set --all",), folder)
    assert ended[-1].endswith(" 0"), said


@pytest.mark.slow
def test_composites_and_the_gate_of_what_ships_take_no_tool_of_deployment(folder: Path) -> None:
    heavy = "nncf torchao litert_torch ai_edge_quantizer coremltools matplotlib numba pymatting"
    lines = ("evaluate portrait --images 1", "gate portrait --sad +900% --grad +900%")
    ended, said = run_without(heavy, lines, folder)
    assert ended[-2:] == [f"{line} 0" for line in lines], said


def test_help_says_what_a_command_takes(call: Call) -> None:
    said = {name: " ".join(call(name, "--help")[1].split()) for name in ("gate", "evaluate")}
    assert 'takes the extra "train"' in said["gate"]
    assert '"evaluate", closed-form and knn "classical"' in said["evaluate"]


def test_the_extra_train_is_enough_to_train(folder: Path) -> None:
    """No NNCF and no converter is imported, as on a machine with a GPU."""
    (folder / "mine.toml").write_text(RECIPE.replace("STEPS", "1"))
    ended, said = run_without("nncf litert_torch coremltools", ("train mine.toml",), folder)
    assert ended == ["train mine.toml 0"], said
