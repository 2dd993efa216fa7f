"""A training may learn from a trained network's mattes as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file
from toy_artifacts import artifact

from edgemat.artifacts.artifact import TRAINING_LOG, Artifact, Feeding
from edgemat.artifacts.shipped import find_artifact
from edgemat.data.sections import DataSection
from edgemat.errors import UsageError
from edgemat.models import create_matting
from edgemat.recipe.network import NetworkSection
from edgemat.recipe.sections import TrainSection
from edgemat.scoring.validation import evaluation_set
from edgemat.workflow.stages.training import Notices, train_stage

DATA = DataSection(kinds="portrait")


def write_teacher(folder: Path) -> Artifact:
    """Write a narrow trained portrait network."""
    state = create_matting("pspm-live", width=0.5).state_dict()
    return artifact(
        folder,
        lambda inside: save_file(state, inside / "weights.safetensors"),
        kind="float",
        architecture="pspm-live",
        config={"width": 0.5},
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload="weights.safetensors",
    )


def train(folder: Path, teacher: str) -> Artifact:
    section = NetworkSection(
        name="pupil",
        architecture="pspm-live",
        config={"width": 0.25},
        input_size=(64, 64),
        data=DATA,
        train=TrainSection(
            steps=2, batch=2, size=64, warmup=1, workers=0, teacher=teacher, distillation_weight=2.0
        ),
    )
    return train_stage(
        section,
        evaluation_set(DATA, task="portrait", size=(64, 64), count=1, seed=1),
        Notices("Apache-2.0", None, True, None),
        recipe_sha256="0" * 64,
        seed=1,
        work=folder / "work",
        out=folder / "out",
        device="cpu",
    )


def test_its_answers_are_a_part_of_the_loss(tmp_path: Path) -> None:
    teacher = write_teacher(tmp_path / "shelf")
    found = train(tmp_path, str(teacher.path))
    first = json.loads((found.path / TRAINING_LOG).read_text().splitlines()[0])
    own = [
        first[part] * weight
        for part, weight in (("alpha_unknown", 1), ("alpha_whole", 10), ("cross_entropy", 3))
    ]
    assert first["distillation"] > 0
    assert first["total"] == pytest.approx(sum(own) + 2 * first["distillation"], rel=1e-3)


def test_one_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a trimap network, this one a portrait one"):
        train(tmp_path, str(find_artifact("trimap")))
