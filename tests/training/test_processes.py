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
from torch import distributed
from torch.distributed.run import get_args_parser

from edgemat.artifacts.artifact import TRAINING_LOG, Artifact
from edgemat.errors import UsageError
from edgemat.training.loop import pick_device
from edgemat.training.losses import Loss
from edgemat.training.processes import Processes, joined, own_device
from edgemat.training.step import _mean
from edgemat.workflow.training import train_recipe

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


EVERYTHING = RECIPE.replace(
    'optimizer = "sgd"',
    'optimizer = "adamw"\naccumulate = 2\naverage = 0.5\nautocast = "bf16"',
).replace("steps = 12", "steps = 24")


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


def kill_at_first_checkpoint(running: subprocess.Popen[str], folder: Path) -> Path:
    """Kill a training with all its processes by SIGKILL; returns the checkpoint that it left."""
    until = time.monotonic() + 300
    while not (found := list(folder.glob("work/*/checkpoint.pt"))) and time.monotonic() < until:
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return found[0]


def weights(folder: Path) -> bytes:
    (made,) = (folder / "artifacts").glob("pair@*")
    return (made / "weights.safetensors").read_bytes()


@pytest.mark.slow
def test_a_real_sigkill_with_everything_on_changes_no_bit(tmp_path: Path) -> None:
    """Averaged weights, parts of batches, bfloat16, and channels last, as every recipe trains."""
    recipe = tmp_path / "pair.toml"
    recipe.write_text(EVERYTHING)
    train_recipe(recipe, folder=tmp_path / "whole", device="cpu")
    killed = tmp_path / "killed"
    checkpoint = kill_at_first_checkpoint(command(killed, 1), killed)
    state = torch.load(checkpoint, weights_only=True)
    assert 2 <= state["step"] < 24 and "average" in state
    formats = [value.is_contiguous() for value in state["network"].values() if value.ndim == 4]
    assert not all(formats), "channels last"
    assert not list((killed / "artifacts").glob("pair@*"))
    train_recipe(recipe, folder=killed, device="cpu")
    assert weights(killed) == weights(tmp_path / "whole")


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
    kill_at_first_checkpoint(running, tmp_path / "killed")
    running = command(tmp_path / "killed", 2)
    said, _ = running.communicate(timeout=400)
    assert running.returncode == 0, said
    assert weights(tmp_path / "two") == weights(tmp_path / "killed")


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    assert Processes(1, 2).share_of(16) == 8
    with pytest.raises(UsageError, match="not shared evenly by 3"):
        Processes(0, 3).share_of(16)
    assert Processes(1, 2).share_of(16, 4) == 8
    with pytest.raises(UsageError, match="by 2 processes in 4 parts"):
        Processes(0, 2).share_of(20, 4)


def test_the_page_starts_processes_as_torchrun_takes_them() -> None:
    page = (Path(__file__).parents[2] / "docs/tasks/own-data.md").read_text()
    (line,) = (line for line in page.splitlines() if line.startswith("    torchrun "))
    told = get_args_parser().parse_args(line.split()[1:])
    assert (told.standalone, told.nproc_per_node, told.module) == (True, "2", True)
    assert [told.training_script, *told.training_script_args] == ["edgemat.cli", "train", "my.toml"]


def test_one_process_is_alone() -> None:
    with joined(torch.device("cpu")) as alone:
        assert alone == Processes() and alone.is_first
        assert alone.told(3) == 3 and alone.gathered("x") == ["x"]


def test_the_losses_of_parts_are_their_mean() -> None:
    parts = [Loss(torch.tensor(x), {"alpha": torch.tensor(2 * x)}) for x in (1.0, 3.0)]
    assert _mean(parts).values() == {"total": 2.0, "alpha": 4.0}


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let this be the second process of a machine with two GPUs; what they are asked is listed."""
    asked: list[str] = []
    for name, value in (("LOCAL_RANK", "1"), ("RANK", "5"), ("WORLD_SIZE", "6")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda place: asked.append(str(place)))
    monkeypatch.setattr(distributed, "init_process_group", asked.append)
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: asked.append("done"))
    monkeypatch.setattr(distributed, "get_rank", lambda: 5)
    return asked


def test_each_process_of_a_machine_takes_its_own_gpu(second_of_two: list[str]) -> None:
    assert pick_device("auto") == own_device(torch.device("cuda")) == torch.device("cuda", 1)
    assert own_device(torch.device("cuda:0")) == torch.device("cuda", 0), "as it is asked for"
    assert own_device(torch.device("cpu")) == torch.device("cpu")


def test_more_processes_than_gpus_are_refused(
    second_of_two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UsageError, match="process 3 of a machine with 2 GPUs") as caught:
        pick_device("auto")
    assert "--nproc_per_node=2" in caught.value.remedy


def test_a_machine_without_gpus_says_that_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert own_device(torch.device("cuda")) == torch.device("cuda")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="cannot train on the device 'cuda'"):
            pick_device("cuda")


@pytest.mark.parametrize(
    ("place", "calls"),
    [("cuda:1", ["cuda:1", "nccl", "done"]), ("cpu", ["gloo", "done"])],
)
def test_gpus_speak_by_nccl_and_all_else_by_gloo(
    place: str, calls: list[str], second_of_two: list[str]
) -> None:
    with joined(torch.device(place)) as processes:
        assert processes == Processes(5, 6)
    assert second_of_two == calls
