"""Validation and calibration composites: fixed pictures, of foregrounds that are not shared."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgemat.artifacts.artifact import Manifest, SplitCounts, Validation
from edgemat.data.dataset import MattingDataset
from edgemat.data.held_out import for_training, for_validation, shares_foregrounds, splits
from edgemat.data.open import open_data
from edgemat.data.sections import PEOPLE, DataSection
from edgemat.errors import DataWarning
from edgemat.scoring.evaluate import EvaluationSet

# Streams of random numbers apart from training's.
VALIDATION_SEED, CALIBRATION_SEED = 100_000, 200_000


def default_data(task: str, source: str | None = None) -> DataSection:
    """Return the pictures that a model of a task is tried on, unless a `source` is named.

    People for portrait models; all kinds of procedural mattes for trimap models.
    """
    if source is None:
        source = "people" if task == "portrait" and PEOPLE.is_dir() else "procedural"
    return DataSection(source=source, kinds="portrait" if task == "portrait" else "all")


def evaluation_set(
    data: DataSection,
    *,
    task: str,
    size: tuple[int, int],
    count: int,
    seed: int,
    trained_on: DataSection | None = None,
) -> EvaluationSet:
    """Return `count` composites to judge by, of the size that the mobile file takes.

    Parameters
    ----------
    trained_on:
        What the network is trained and calibrated on, of which nothing is taken; by default
        pictures of the same sources as `data`.
    """
    trained_on = trained_on or data
    judging = for_validation(data, trained_on=trained_on)
    drawn = _draw(judging, task=task, size=size, count=count, seed=seed)
    validation = Validation(
        images=count,
        on_training_pictures=shares_foregrounds(judging, trained_on=trained_on),
        splits=tuple(
            SplitCounts(
                source=name,
                train=len(split.train),
                held_out=len(split.held_out),
                sha256=split.sha256,
            )
            for name, split in splits(judging).items()
        ),
    )
    warn_of_training_pictures(validation)
    return replace(drawn, validation=validation)


def warn_of_training_pictures(validation: Validation | None) -> None:
    """Say it where figures are measured on what is trained or calibrated on, too."""
    if validation is not None and validation.on_training_pictures:
        text = f"All errors are measured on training pictures: {validation.words}"
        warnings.warn(text, DataWarning, stacklevel=3)


def evaluation_set_for(manifest: Manifest, data: DataSection, *, count: int) -> EvaluationSet:
    """Return `count` composites to judge an artefact by: of its task, of the size that it takes."""
    return evaluation_set(
        data,
        task=manifest.matting_task,
        size=(manifest.feeding.height, manifest.feeding.width),
        count=count,
        seed=VALIDATION_SEED + (manifest.seed or 0),
    )


def calibration_set(
    data: DataSection, *, task: str, size: tuple[int, int], count: int, seed: int
) -> EvaluationSet:
    """Return `count` composites to calibrate on: of that part of `data` which is trained on."""
    return _draw(for_training(data), task=task, size=size, count=count, seed=seed)


def _draw(
    data: DataSection, *, task: str, size: tuple[int, int], count: int, seed: int
) -> EvaluationSet:
    """Return composites without augmentation."""
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


def _bytes(values: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return torch.round(values * 255).to(torch.uint8).numpy()
