"""The commands of docs/own-model.md, one after another as they stand there, but smaller."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from calling import Call

from edgemat.images import write_image

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/own-model.md"
STRANGERS = ROOT / "tests/models/adopted/strangers.py"
SMALLER = {"288 288": "64 64", "--size 288": "--size 64", "--steps 300": "--steps 2"}
ALSO = {
    "adopt": "--images 2",
    "quantize": "--images 2 --calibration 8 --batch 2",
    "convert": "--images 2",
    "verify": "--images 2",
    "prune": "--images 2 --steps 1 --batch 2 --rounds 1 --importance magnitude",
    "sensitivity": "--images 1 --calibration 8",
    "run": "--set models.0.input_size=[64,64] --set models.0.train.steps=2 --set verify.images=2 "
    "--set models.0.train.batch=2 --set models.0.quantize.calibration=8 "
    "--set models.0.quantize.qat.steps=2 --set models.0.quantize.qat.batch=2 "
    "--set bench.runs=5 --set bench.seconds=0.05 --set gate.sad=+900% --set gate.grad=+900%",
}
"""Two steps of training do not make int8 as good as float: bounds are widened."""


def commands() -> list[str]:
    text = PAGE.read_text()
    return [line.strip() for line in re.findall(r"^    (edgemat .*)$", text, re.M)]


def smaller(command: str) -> list[str]:
    for old, new in SMALLER.items():
        command = command.replace(old, new)
    command = re.sub(r"\+\d+%", "+900%", command)
    words = shlex.split(command)[1:]
    return [*words, *ALSO.get(words[0], "").split()]


@pytest.fixture
def her_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Her code, her weights, her pictures, and checkouts of the two apps."""
    shutil.copyfile(STRANGERS, tmp_path / "herlayers.py")
    (tmp_path / "hernet.py").write_text("from herlayers import UNet as matting\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import herlayers  # type: ignore[import-not-found]

    torch.save(herlayers.unet().state_dict(), "weights.pth")
    random = np.random.default_rng(0)
    y, x = np.mgrid[:96, :96]
    for number in range(12):
        alpha = np.clip(20 - np.hypot(y - random.uniform(30, 60), x - 48), 0, 1)
        picture = alpha[..., None] * random.uniform(128, 255, 3) + random.uniform(
            0, 60, (96, 96, 3)
        )
        write_image(
            tmp_path / f"pictures/image/{number}.png", picture.clip(0, 255).astype(np.uint8)
        )
        write_image(tmp_path / f"pictures/alpha/{number}.png", (255 * alpha).astype(np.uint8))
    for demo in ("android_demo", "ios_demo"):
        shutil.copytree(
            ROOT / demo, tmp_path / demo, ignore=shutil.ignore_patterns("build", ".gradle")
        )
    return tmp_path


@pytest.mark.long
@pytest.mark.usefixtures("her_folder")
def test_from_pth_to_both_apps(call: Call) -> None:
    assert len(commands()) == 11
    (recipe,) = re.findall(r"^```toml\n(name = .*?)^```$", PAGE.read_text(), re.M | re.S)
    Path("mine.toml").write_text(recipe)
    for command in commands():
        words = smaller(command)
        status, text, error = call(*words)
        # two steps of a network that never learned: a layer may lie further away than one LSB
        assert status == 0 or (words[0] == "verify" and status == 1), f"{command}: {text}{error}"
