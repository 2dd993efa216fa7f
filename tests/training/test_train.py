"""Training: resumable to the bit, honest about a loss that is not finite, and it learns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from toy_training import Fatal, Killed, data

from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import PORTRAIT_KINDS, ProceduralSource
from edgemat.errors import TrainingError, UsageError
from edgemat.models import create_model
from edgemat.models.network import MattingNetwork
from edgemat.training.loop import CHECKPOINT, LOG, pick_device, train
from edgemat.training.losses import Loss
from edgemat.training.objective import compute_loss
from edgemat.training.schedule import Phase, Schedule

TASKS = [("pspm-b5", "portrait", {"width": 0.25})]
TASKS += [("indexnet-m2o-nlc", "trimap", {"width": 0.25, "hidden_mult": 1})]


def network(name: str, config: dict[str, float]) -> MattingNetwork:
    torch.manual_seed(0)
    return create_model(name, **config)


def schedule(**changes: object) -> Schedule:
    settings = {"steps": 6, "batch": 2, "warmup": 2, "checkpoint_every": 2, "workers": 0}
    return Schedule(**(settings | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "task", "config"), [TASKS[0], pytest.param(*TASKS[1], marks=pytest.mark.long)]
)
def test_a_killed_training_ends_in_the_same_bits(
    name: str, task: str, config: dict[str, float], tmp_path: Path
) -> None:
    whole = train(
        network(name, config), data(), task=task, schedule=schedule(), folder=tmp_path / "a"
    )
    halves = tmp_path / "b"
    with pytest.raises(Killed):  # in step 3, one step after the checkpoint of step 2
        train(
            network(name, config),
            Fatal(data(), at=7),
            task=task,
            schedule=schedule(),
            folder=halves,
        )
    assert torch.load(halves / CHECKPOINT, weights_only=True)["step"] == 2
    torch.manual_seed(987)  # whatever happened to the generator in between
    resumed = train(network(name, config), data(), task=task, schedule=schedule(), folder=halves)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert (tmp_path / "a" / LOG).read_bytes() == (halves / LOG).read_bytes()


@pytest.mark.parametrize(
    "at", [5, pytest.param(9, marks=pytest.mark.long)]
)  # items of the first phase: 8; of the second: 12
def test_phases_are_gone_on_with_where_they_were(at: int, tmp_path: Path) -> None:
    """Four steps of 2 small pictures, then six of 2 larger ones; killed in the first or second."""
    name, task, config = "pspm-slim", "portrait", {"width": 0.25}

    def small() -> MattingDataset:
        source = ProceduralSource(2, size=(32, 32), kinds=PORTRAIT_KINDS)
        return MattingDataset(source, size=(32, 32), seed=3, length=8, views="people")

    def run(folder: Path, first: object, second: object) -> dict[str, Tensor]:
        return train(
            network(name, config),
            second,  # type: ignore[arg-type]
            task=task,  # type: ignore[arg-type]
            before=[Phase(first, 4, 2)],  # type: ignore[arg-type]
            schedule=schedule(),
            folder=folder,
        ).state_dict()

    whole = run(tmp_path / "a", small(), data())
    with pytest.raises(Killed):
        run(
            tmp_path / "b",
            Fatal(small(), at=at if at < 8 else 99),
            Fatal(data(), at=at - 8 if at >= 8 else 99),
        )
    resumed = run(tmp_path / "b", small(), data())
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())
    steps = [json.loads(x)["step"] for x in (tmp_path / "b" / LOG).read_text().splitlines()]
    assert steps == [0, 9]


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    name, task, config = TASKS[0]
    first = train(network(name, config), data(), task=task, schedule=schedule(), folder=tmp_path)
    again = train(
        network(name, config), Fatal(data(), at=0), task=task, schedule=schedule(), folder=tmp_path
    )
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in first.state_dict().items())


def test_workers_do_not_change_the_result(tmp_path: Path) -> None:
    name, task, config = TASKS[0]
    results = [
        train(
            network(name, config),
            data(),
            task=task,
            schedule=schedule(steps=2, workers=workers),
            folder=tmp_path / str(workers),
        ).state_dict()
        for workers in (0, 2)
    ]
    assert all(torch.equal(v, results[1][k]) for k, v in results[0].items())


def test_a_loss_that_is_not_finite_stops_with_the_step_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import edgemat.training.step as module

    calls = 0

    def poisoned(*args: object, **kwargs: object) -> Loss:
        nonlocal calls
        loss = compute_loss(*args, **kwargs)  # type: ignore[arg-type]
        calls += 1
        return loss if calls <= 3 else Loss(loss.total * float("nan"), loss.parts)

    monkeypatch.setattr(module, "compute_loss", poisoned)
    name, task, config = TASKS[0]
    with pytest.raises(TrainingError, match="not finite at step 3") as caught:
        train(network(name, config), data(), task=task, schedule=schedule(), folder=tmp_path)
    assert CHECKPOINT in str(caught.value) and "learning_rate" in caught.value.remedy
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["step"] == 2
    assert all(torch.isfinite(v).all() for v in state["network"].values())


def test_the_log_is_json_lines(tmp_path: Path) -> None:
    name, task, config = TASKS[1]
    train(network(name, config), data(), task=task, schedule=schedule(), folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 5]
    assert {"total", "alpha", "composition"} <= lines[0].keys()


def test_photographs_without_layers_train_on_alpha_alone() -> None:
    batch = torch.utils.data.default_collate([data()[0], data()[1]])
    del batch["foreground"], batch["background"]
    loss = compute_loss(
        network("indexnet-m2o-nlc", {"width": 0.25}),
        batch,
        "trimap",
        schedule=Schedule(steps=1, batch=2),
    )
    assert set(loss.parts) == {"alpha"} and torch.isfinite(loss.total)


@pytest.mark.parametrize(("step", "factor"), [(0, 0.1), (9, 1.0), (10, 1.0), (60, 0.5), (110, 0.0)])
def test_learning_rate_warms_up_and_falls_by_half_a_cosine(step: int, factor: float) -> None:
    assert Schedule(steps=110, batch=2, warmup=10).factor(step) == pytest.approx(factor)


def test_devices_are_found_or_refused() -> None:
    assert pick_device("cpu").type == "cpu"
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("gpu9", "cuda:97"):
        with pytest.raises(UsageError, match="cannot train on the device"):
            pick_device(name)


@pytest.mark.long
def test_it_learns(tmp_path: Path) -> None:
    name, task, config = TASKS[1]
    steps = schedule(steps=40, batch=4, warmup=10, learning_rate=5e-3, checkpoint_every=40)
    train(network(name, config), data(), task=task, schedule=steps, folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines[-1]["total"] < 0.8 * lines[0]["total"]
