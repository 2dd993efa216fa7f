"""The list of networks: what it says of them, and what it takes to add one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgemat
from edgemat.errors import UsageError
from edgemat.models import ModelInfo, create_matting, list_models
from edgemat.models.network import Deployable, MattingNetwork, Network
from edgemat.models.pspm_slim import PSPMSlim

SOURCES = Path(edgemat.__file__).parent
TOY = """
from torch import nn

from edgemat.models.info import ModelInfo
from edgemat.models.network import MattingNetwork, MattingOutput


class Toy(MattingNetwork):
    stride = 1

    def __init__(self, *, in_channels=3):
        super().__init__()
        self.encoder = nn.Conv2d(in_channels, 1, 1)

    def forward(self, x):
        return MattingOutput(self.encoder(x))


MODELS = (ModelInfo(name="toy", network=Toy, task="portrait"),)
"""
USE = """
from edgemat.models import create_matting, list_models

names = [info.name for info in list_models()]
print(names[-1], type(create_matting("toy")).__name__, len(names))
"""


def test_a_network_is_one_file_and_one_line(tmp_path: Path) -> None:
    copy = tmp_path / "edgemat"
    shutil.copytree(SOURCES / "models", copy / "models")
    for module in SOURCES.glob("*.py"):
        shutil.copy(module, copy)
    (copy / "models" / "toy.py").write_text(TOY)
    package = copy / "models" / "__init__.py"
    before = package.read_text()
    end_of_table = '",\n)\n_MODELS'
    assert before.count(end_of_table) == 1
    package.write_text(before.replace(end_of_table, f'",\n    "toy{end_of_table}'))
    used = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert used.stdout.split() == ["toy", "Toy", str(len(list_models()) + 1)], used.stderr


def test_what_is_known_of_a_network_is_named() -> None:
    with pytest.raises(TypeError):
        ModelInfo("mine", PSPMSlim, "portrait")  # type: ignore[misc]


def test_networks_outside_of_the_thesis_claim_no_table() -> None:
    own = {info.name for info in list_models() if info.thesis is None}
    assert own >= {
        "indexnet-slim", "pspm-slim", "pspm-live", "upernet-index-carafe", "upernet-carafe-index",
        "a2u-released-cs", "a2u-released-cw",
    }  # fmt: skip


def test_every_network_is_of_the_base_of_its_task() -> None:
    for info in list_models():
        assert issubclass(info.network, MattingNetwork if info.is_matting else Network), info.name
        assert issubclass(info.network, MattingNetwork) == info.is_matting, info.name


def test_only_matting_networks_are_made_for_matting() -> None:
    with pytest.raises(UsageError, match=r"segnet is no matting network.*segmentation"):
        create_matting("segnet")


def test_a_block_is_deployable_when_it_has_a_form_for_phones() -> None:
    blocks = [type(m).__name__ for m in PSPMSlim(width=0.25).modules() if isinstance(m, Deployable)]
    assert set(blocks) == {"MaxPool", "MaxUnpool", "Subpixels", "TrimapAttention"}
