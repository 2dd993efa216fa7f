"""Shared by the stages: how models are run, and how tensors are stored."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from edgemat.artifacts.artifact import GOLDEN, MATTES, TRAINING_LOG, Artifact, Manifest
from edgemat.artifacts.golden import read_pixels
from edgemat.errors import UsageError
from edgemat.images import F32, PIXEL_SCALE
from edgemat.lock import work_alone
from edgemat.matting.predictor import Predict
from edgemat.models.adopted.network import ADOPTED, AdoptedNetwork
from edgemat.models.adopted.program import PROGRAM, save_program
from edgemat.models.network import MattingNetwork
from edgemat.recipe.sections import TuneSection
from edgemat.scoring.evaluate import EvaluationSet, InputSet, predict_all

WEIGHTS = "weights.safetensors"
GOLDEN_IMAGES = 2
Tuned = TypeVar("Tuned", bound=TuneSection)


@contextmanager
def work_folder(out: Path, *parts: object) -> Iterator[Path]:
    """Give a folder for unfinished work, the same one for the same `parts`; removed when done.

    What raises or is killed leaves it behind, for the same command to resume from. A second
    process with the same `parts` is refused: see :func:`edgemat.lock.work_alone`.
    """
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    folder = out / f".unfinished-{key}"
    with work_alone(folder):
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


def save_weights(folder: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state dict as safetensors."""
    # through memory: safetensors' own writer hides the reason when a disk is full
    contiguous = {key: value.contiguous() for key, value in state.items()}
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(contiguous))


def fill_float(
    folder: Path,
    weights: Mapping[str, Tensor],
    log: Path | None,
    data: EvaluationSet,
    alphas: F32,
) -> None:
    """Write what lies in the folder of a float artefact.

    Parameters
    ----------
    log:
        Of its training; None, or a file that is not there, for none.
    data, alphas:
        The validation set, and the network's mattes of it.
    """
    save_weights(folder, weights)
    _fill_beside(folder, log, data, alphas)


def fill_network(
    folder: Path, network: MattingNetwork, log: Path, data: EvaluationSet, alphas: F32
) -> None:
    """Do as :func:`fill_float`; of an adopted network its program is written, with its weights."""
    if isinstance(network, AdoptedNetwork):
        save_program(network.current_program(), folder / PROGRAM)
        _fill_beside(folder, log, data, alphas)
    else:
        fill_float(folder, network.state_dict(), log, data, alphas)


def _fill_beside(folder: Path, log: Path | None, data: EvaluationSet, alphas: F32) -> None:
    if log is not None and log.exists():
        shutil.copyfile(log, folder / TRAINING_LOG)
    write_golden(folder, data, alphas)


def write_golden(folder: Path, data: EvaluationSet, alphas: F32) -> None:
    """Write the first validation pictures, a float network's mattes of them, and the true ones."""
    np.savez_compressed(
        folder / GOLDEN,
        pixels=data.pixels[:GOLDEN_IMAGES],
        alphas=alphas[:GOLDEN_IMAGES],
        truths=data.alphas[:GOLDEN_IMAGES],
    )
    np.savez_compressed(folder / MATTES, alphas=alphas[:GOLDEN_IMAGES])


def keep_program(folder: Path, source: Artifact) -> None:
    """Hand the program of an adopted network down; edgemat's own are named in the manifest."""
    if (source.path / PROGRAM).is_file():
        shutil.copyfile(source.path / PROGRAM, folder / PROGRAM)


def keep_golden(folder: Path, source: Artifact, predict: Predict) -> None:
    """Hand the golden pictures of `source` down, with what a file or a model makes of them.

    They are those that the float model was first tried on, whatever set this stage scores on.
    """
    shutil.copyfile(source.golden, folder / GOLDEN)
    pictures = InputSet(read_pixels(source))
    np.savez_compressed(folder / MATTES, alphas=predict_all(predict, pictures))


def at_only_size(manifest: Manifest, settings: Tuned) -> Tuned:
    """Return the settings of a training, with crops of the only size that an adopted network takes.

    Raises
    ------
    UsageError
        When that is no square.
    """
    if manifest.architecture != ADOPTED:  # takes any size
        return settings
    feeding = manifest.feeding
    if feeding.height != feeding.width:
        raise UsageError(
            f"{manifest.name} takes {feeding.height} x {feeding.width} px alone, and training has "
            "square crops.",
            remedy="Adopt it once more with a square --size, or quantize with --mode ptq.",
        )
    return settings.model_copy(update={"size": feeding.height})


def torch_input(data: EvaluationSet, index: int) -> Tensor:
    """Return input `index` as 1,C,H,W float32 in 0..1."""
    pixels = torch.from_numpy(data.pixels[index : index + 1]).permute(0, 3, 1, 2).contiguous()
    return pixels.float() * float(PIXEL_SCALE)
