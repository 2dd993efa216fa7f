"""What the stages share: what a child inherits, how models are run, how tensors are stored."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from edgemat.artifacts.artifact import GOLDEN, MATTES, TRAINING_LOG, Artifact, Scores
from edgemat.convert.parity import Predict, torch_predictor
from edgemat.files import explain_os_errors
from edgemat.images import F32, PIXEL_SCALE
from edgemat.progress import track
from edgemat.quantize.reference import load_reference
from edgemat.scoring.evaluate import EvaluationSet, Region, score

WEIGHTS = "weights.safetensors"
GOLDEN_IMAGES = 2


def inherited(source: Artifact) -> dict[str, Any]:
    """Return what a child's manifest has in common with its parent's."""
    manifest = source.manifest
    names = ("name", "architecture", "config", "task", "recipe_sha256", "seed", "cost")
    notices = ("demonstration", "licence", "data_notice", "card", "pruning", "zeros")
    common = {name: getattr(manifest, name) for name in (*names, *notices)}
    return common | {"parent": manifest.payload_sha256}


def predict_with(model: nn.Module, data: EvaluationSet, title: str) -> F32:
    """Return the mattes of a torch model on every picture, N,H,W float32 in 0..1."""
    predict = torch_predictor(model)
    indices: Sequence[int] = range(len(data))
    return np.concatenate(
        [predict(data.inputs(i))[..., 0] for i in track(indices, title, len(data))]
    )


@contextmanager
def work_folder(out: Path, *parts: object) -> Iterator[Path]:
    """Give a folder for unfinished work, the same one for the same `parts`; removed when done.

    What raises or is killed leaves it behind, for the same command to go on from.
    """
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    folder = out / f".unfinished-{key}"
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def save_weights(folder: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state dict as safetensors."""
    # through memory: safetensors' own writer hides the reason when a disk is full
    contiguous = {key: value.contiguous() for key, value in state.items()}
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(contiguous))


def fill_float(
    folder: Path, weights: Mapping[str, Tensor], log: Path, data: EvaluationSet, alphas: F32
) -> None:
    """Write what lies in the folder of a float artefact.

    Parameters
    ----------
    log:
        Of its training; need not be there.
    data, alphas:
        The validation set, and the network's mattes of it.
    """
    save_weights(folder, weights)
    if log.exists():
        shutil.copyfile(log, folder / TRAINING_LOG)
    np.savez_compressed(
        folder / GOLDEN,
        pixels=data.pixels[:GOLDEN_IMAGES],
        alphas=alphas[:GOLDEN_IMAGES],
        truths=data.alphas[:GOLDEN_IMAGES],
    )
    np.savez_compressed(folder / MATTES, alphas=alphas[:GOLDEN_IMAGES])


def keep_golden(folder: Path, source: Artifact, predict: Predict) -> None:
    """Hand the golden pictures of `source` down, with what a file or a model makes of them.

    They are those that the float model was first tried on, whatever set this stage scores on.

    Parameters
    ----------
    predict:
        1,H,W,C float32 in 0..1 to 1,H,W,1.
    """
    shutil.copyfile(source.golden, folder / GOLDEN)
    with np.load(source.golden) as golden:
        inputs = golden["pixels"].astype(np.float32) * PIXEL_SCALE
    mattes = [predict(inputs[n : n + 1])[..., 0] for n in range(len(inputs))]
    np.savez_compressed(folder / MATTES, alphas=np.concatenate(mattes))


def torch_input(data: EvaluationSet, index: int) -> Tensor:
    """Return input `index` as 1,C,H,W float32 in 0..1."""
    pixels = torch.from_numpy(data.pixels[index : index + 1]).permute(0, 3, 1, 2).contiguous()
    return pixels.float() * float(PIXEL_SCALE)


def score_reference(artifact: Artifact, data: EvaluationSet) -> dict[Region, Scores]:
    """Score the torch model of a float or quantized artefact on a set other than its own."""
    return score(predict_with(load_reference(artifact), data, artifact.manifest.name), data)
