"""Fine-tuning moves the weights alone, keeps the best of them, and says when it was no use."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from toy_training import Fatal, Killed, data

from edgemat.data.sections import DataSection
from edgemat.errors import TrainingWarning
from edgemat.models import MattingNetwork, create_matting
from edgemat.recipe.network import NetworkSection
from edgemat.recipe.sections import TrainSection
from edgemat.scoring.validation import evaluation_set
from edgemat.training.loop import train
from edgemat.training.schedule import Schedule
from edgemat.training.selection import Selection
from edgemat.workflow.stages.training import Notices, schedule_of, train_stage

STEPS = 10


def network() -> MattingNetwork:
    torch.manual_seed(0)
    return create_matting("pspm-slim", width=0.25)


def schedule(**settings: object) -> Schedule:
    return Schedule(
        **{"steps": STEPS, "batch": 2, "warmup": 1, "workers": 0, "checkpoint_every": 2} | settings  # type: ignore[arg-type]
    )


def scripted(errors: dict[int, float], seen: list[dict[str, torch.Tensor]]) -> object:
    """Return a judge of ten steps whose verdicts are known, and keep what it is shown."""

    def judge(model: nn.Module) -> float:
        seen.append(copy.deepcopy(model.state_dict()))
        return errors[len(seen) - 1]

    return judge


def test_the_best_network_is_kept(tmp_path: Path) -> None:
    errors = {step: 1.0 + abs(step - 6) for step in range(STEPS)}
    seen: list[dict[str, torch.Tensor]] = []
    selection = Selection(scripted(errors, seen), tmp_path)  # type: ignore[arg-type]
    found = train(
        network(),
        data(),
        task="portrait",
        schedule=schedule(),
        folder=tmp_path,
        selection=selection,
    )
    for name, value in found.state_dict().items():
        assert torch.equal(value, seen[6][name]), name
    assert not all(torch.equal(seen[6][name], seen[9][name]) for name in seen[6])


@pytest.mark.slow
def test_a_killed_selection_ends_in_the_same_bits(tmp_path: Path) -> None:
    def error(model: nn.Module) -> float:
        """Judges by the weights alone: neither the first nor the last is the best."""
        total = sum(float(p.detach().double().sum()) for p in model.parameters())
        return -total if total < 0 else 1 / (1 + total)

    def run(folder: Path, source: object) -> nn.Module:
        return train(
            network(),
            source,  # type: ignore[arg-type]
            task="portrait",
            schedule=schedule(),
            folder=folder,
            selection=Selection(error, folder),
        )

    whole = run(tmp_path / "whole", data())
    with pytest.raises(Killed):
        run(tmp_path / "cut", Fatal(data(), at=2 * 7))
    again = run(tmp_path / "cut", data())
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_frozen_statistics_stay_as_they_are(tmp_path: Path) -> None:
    def statistics(bn: str) -> list[torch.Tensor]:
        trained = train(
            network(),
            data(),
            task="portrait",
            schedule=schedule(steps=2, learning_rate=1e-8, bn=bn),
            folder=tmp_path / bn,
        )
        return [value for name, value in trained.state_dict().items() if "running_" in name]

    before = [value for name, value in network().state_dict().items() if "running_" in name]
    assert before
    assert all(map(torch.equal, statistics("frozen"), before))
    assert not any(map(torch.equal, statistics("running"), before))


def test_a_start_from_trained_weights_freezes_statistics() -> None:
    assert schedule_of(TrainSection(steps=1)).bn == "running"
    assert schedule_of(TrainSection(steps=1, start="portrait")).bn == "frozen"
    assert schedule_of(TrainSection(steps=1, start="portrait", bn="running")).bn == "running"


def stage(folder: Path, **settings: object) -> float:
    """Train the shipped portrait network on; returns its SAD."""
    section = NetworkSection(
        name="mine",
        architecture="pspm-slim",
        config={"width": 1.0},
        input_size=(64, 64),
        data=DataSection(kinds="portrait"),
        train=TrainSection(
            **{"start": "portrait", "batch": 2, "size": 64, "warmup": 0, "workers": 0} | settings  # type: ignore[arg-type]
        ),
    )
    validation = evaluation_set(section.data, task="portrait", size=(64, 64), count=4, seed=7)
    made = train_stage(
        section,
        validation,
        Notices("Apache-2.0", None, True, None),
        recipe_sha256="0" * 64,
        seed=1,
        work=folder / "work",
        out=folder / "out",
    )
    return made.manifest.scores["whole"].sad


@pytest.mark.slow
def test_a_tiny_learning_rate_changes_next_to_nothing(tmp_path: Path) -> None:
    """Statistics that moved made 2.4 of a SAD of 1.0."""
    before = stage(tmp_path / "none", steps=0)
    after = stage(tmp_path / "tiny", steps=6, learning_rate=1e-8)
    assert after == pytest.approx(before, rel=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)
        assert stage(tmp_path / "old", steps=6, learning_rate=1e-8, bn="running") != pytest.approx(
            before, rel=0.01
        )


@pytest.mark.slow
def test_what_becomes_worse_than_its_start_is_said(tmp_path: Path) -> None:
    with pytest.warns(TrainingWarning, match="worse than the network that it started from"):
        stage(tmp_path, steps=2, learning_rate=0.5)
