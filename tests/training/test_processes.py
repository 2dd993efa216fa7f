"""Two processes train as one does: the same losses, one artefact, and on from a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from edgemat.artifacts.artifact import TRAINING_LOG, Artifact
from edgemat.errors import UsageError
from edgemat.training.losses import Loss
from edgemat.training.processes import Processes, joined
from edgemat.training.step import _mean

RECIPE = """
name = "pair"
threads = 1

[[models]]
name = "pair"
architecture = "matting-b10" # no dropout, which no two processes draw alike
config = { width = 0.25 }
input_size = [64, 64]
demonstration = true

[models.train]
steps = 12
batch = 4
size = 64
warmup = 2
workers = 0
bn = "frozen"
optimizer = "sgd"
checkpoint_every = 2
losses = { alpha_unknown = 0.5, composition = 0.5 }

[verify]
images = 1
"""


def command(folder: Path, processes: int) -> subprocess.Popen[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    program = [
        "-m",
        "edgemat.cli",
        "train",
        "pair.toml",
        "--output",
        str(folder),
        "--device",
        "cpu",
    ]
    return subprocess.Popen(
        [sys.executable, *(launcher if processes > 1 else []), *program],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def losses(folder: Path) -> list[dict[str, float]]:
    (made,) = (folder / "artifacts").glob("pair@*")
    return [
        json.loads(line) for line in (Artifact(made).path / TRAINING_LOG).read_text().splitlines()
    ]


@pytest.mark.long
def test_two_processes_are_one_with_the_double_batch(tmp_path: Path) -> None:
    """And two that are killed together go on to the same weights."""
    (tmp_path / "pair.toml").write_text(RECIPE)
    for name, processes in (("one", 1), ("two", 2)):
        running = command(tmp_path / name, processes)
        said, _ = running.communicate(timeout=400)
        assert running.returncode == 0, said
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert [line["step"] for line in one] == [line["step"] for line in two] == [0, 10, 11]
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, abs=1e-5)

    running = command(tmp_path / "killed", 2)
    until = time.monotonic() + 300
    while not list((tmp_path / "killed").glob("work/*/checkpoint.pt")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    running = command(tmp_path / "killed", 2)
    said, _ = running.communicate(timeout=400)
    assert running.returncode == 0, said
    names = [next((tmp_path / n / "artifacts").glob("pair@*")) for n in ("two", "killed")]
    weights = [(path / "weights.safetensors").read_bytes() for path in names]
    assert weights[0] == weights[1]


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    assert Processes(1, 2).share_of(16) == 8
    with pytest.raises(UsageError, match="not shared evenly by 3"):
        Processes(0, 3).share_of(16)
    assert Processes(1, 2).share_of(16, 4) == 8
    with pytest.raises(UsageError, match="by 2 processes in 4 parts"):
        Processes(0, 2).share_of(20, 4)


def test_one_process_is_alone() -> None:
    with joined() as alone:
        assert alone == Processes() and alone.is_first
        assert alone.told(3) == 3 and alone.gathered("x") == ["x"]


def test_the_losses_of_parts_are_their_mean() -> None:
    parts = [Loss(torch.tensor(x), {"alpha": torch.tensor(2 * x)}) for x in (1.0, 3.0)]
    assert _mean(parts).values() == {"total": 2.0, "alpha": 4.0}
