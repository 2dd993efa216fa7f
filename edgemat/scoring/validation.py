"""Validation and calibration composites: fixed pictures that training never sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgemat.artifacts.artifact import Manifest
from edgemat.data.dataset import MattingDataset
from edgemat.data.open import open_data
from edgemat.data.sections import PEOPLE, DataSection
from edgemat.scoring.evaluate import EvaluationSet

# Streams of pictures that training never sees.
VALIDATION_SEED, CALIBRATION_SEED = 100_000, 200_000


def default_data(task: str, source: str | None = None) -> DataSection:
    """Return the pictures that a model of a task is tried on, unless a `source` is named.

    People for portrait models; all kinds of procedural mattes for trimap models.
    """
    if source is None:
        source = "people" if task == "portrait" and PEOPLE.is_dir() else "procedural"
    return DataSection(source=source, kinds="portrait" if task == "portrait" else "all")


def evaluation_set(
    data: DataSection, *, task: str, size: tuple[int, int], count: int, seed: int
) -> EvaluationSet:
    """Return `count` composites of the size that the mobile file takes, without augmentation."""
    dataset = MattingDataset(
        open_data(data, seed=seed, size=size),
        size=size,
        seed=seed,
        length=count,
        views="none",
    )
    items = [dataset[i] for i in range(count)]
    planes = [
        torch.cat([item["image"], item["trimap"]]) if task == "trimap" else item["image"]
        for item in items
    ]
    return EvaluationSet(
        pixels=_bytes(torch.stack(planes).permute(0, 2, 3, 1)),
        alphas=torch.stack([item["alpha"][0] for item in items]).numpy(),
        trimaps=_bytes(torch.stack([item["trimap"][0] for item in items])),
    )


def evaluation_set_for(
    manifest: Manifest, data: DataSection, *, count: int, seed: int | None = None
) -> EvaluationSet:
    """Return `count` composites that suit an artefact: of its task, of the size that it takes.

    Parameters
    ----------
    seed:
        By default that of the validation pictures of the artefact's own training.
    """
    return evaluation_set(
        data,
        task=manifest.task,
        size=(manifest.feeding.height, manifest.feeding.width),
        count=count,
        seed=VALIDATION_SEED + (manifest.seed or 0) if seed is None else seed,
    )


def _bytes(values: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return torch.round(values * 255).to(torch.uint8).numpy()
