"""Importing: from a released checkpoint to a float artefact, as training makes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from edgemat.artifacts.artifact import Artifact, Cost, Origin
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.artifacts.feeding import MAX_SIDE, Feeding
from edgemat.artifacts.vocabulary import Fit, NetworkTask
from edgemat.data.sections import DataSection
from edgemat.errors import UsageError
from edgemat.files import sha256_file
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models import ModelInfo, model_info
from edgemat.models.count import count, count_parameters
from edgemat.models.deploy import to_deploy
from edgemat.models.network import MattingNetwork
from edgemat.models.released.load import Released
from edgemat.scoring.evaluate import predict_all, score
from edgemat.scoring.validation import VALIDATION_SEED, evaluation_set
from edgemat.workflow.stages.common import WEIGHTS, fill_float, save_weights


@dataclass(frozen=True)
class Wanted:
    """What a user says of an import; None for what the family has.

    Attributes
    ----------
    name:
        Of the artefact; by default the architecture's.
    size:
        Height and width that files made of it take.
    fit:
        How pictures of any size are brought to it.
    """

    name: str | None = None
    size: tuple[int, int] | None = None
    fit: Fit | None = None
    licence: str | None = None
    data_notice: str | None = None


def import_stage(
    released: Released,
    path: Path,
    wanted: Wanted,
    *,
    data: DataSection | None,
    images: int,
    out: Path,
) -> Artifact:
    """Write the float artefact of a released network.

    One that mattes is scored on validation composites, and keeps golden pictures, as a trained one
    does; of any other, the weights are all that there is.

    Parameters
    ----------
    path:
        The checkpoint that it was read from.
    data:
        Pictures to score on; None for a network that mattes nothing.
    """
    network, info = released.network, model_info(released.member.architecture)
    size = _size(released, info, wanted)
    draft = _draft(path, released, info, wanted, size)
    weights = network.state_dict()
    if not isinstance(network, MattingNetwork):
        return write_artifact(out, lambda folder: save_weights(folder, weights), draft)
    assert data is not None
    validation = evaluation_set(data, task=info.task, size=size, count=images, seed=VALIDATION_SEED)
    alphas = predict_all(torch_predictor(to_deploy(network)), validation, f"{info.name}: scoring")
    if not np.isfinite(alphas).all():
        raise UsageError(
            f"{path} gives mattes that are not finite, as {info.name}.",
            remedy="Give a checkpoint from before its training came apart.",
        )
    scores = score(alphas, validation)
    return write_artifact(
        out,
        lambda folder: fill_float(folder, weights, None, validation, alphas),
        replace(draft, scores=scores, validation=validation.validation),
    )


def _draft(
    path: Path, released: Released, info: ModelInfo, wanted: Wanted, size: tuple[int, int]
) -> Draft:
    """Return what the artefact says of itself, before any picture is matted."""
    network = released.network
    task = next(task for task in get_args(NetworkTask) if task == info.task)
    channels = info.in_channels
    return Draft(
        payload=WEIGHTS,
        name=wanted.name or info.name,
        kind="float",
        architecture=info.name,
        config=dict(released.member.config),
        task=task,
        feeding=Feeding.of(
            channels,
            size,
            layout="NCHW",
            stride=info.stride,
            fit=wanted.fit or released.family.fit,
        ),
        parent=None,
        cost=Cost(parameters=count_parameters(network), macs=count(network, (channels, *size))),
        origin=Origin(
            file=path.name,
            sha256=sha256_file(path),
            bytes=path.stat().st_size,
            family=released.family.name,
            mean=released.mean,
            deviation=released.deviation,
        ),
        demonstration=False,
        licence=wanted.licence or "not stated: ask who made the weights",
        data_notice=wanted.data_notice
        or f"Imported from {path.name}, {released.family.title}. What it was trained on, and who "
        "may use it for what, is to be asked of those who made it.",
    )


def _size(released: Released, info: ModelInfo, wanted: Wanted) -> tuple[int, int]:
    """Return height and width of the input; refuse what the network cannot take."""
    size, stride = wanted.size or released.family.size, info.stride
    for side in size:
        if side % stride or not 0 < side <= MAX_SIDE:
            below = max(side // stride * stride, stride)
            raise UsageError(
                f"{info.name} takes multiples of {stride} px up to {MAX_SIDE:,}, not {side}.",
                remedy=f"Give for example --size {below} {below}.",
            )
    if wanted.fit is not None and not info.is_matting:
        raise UsageError(
            f"{info.name} does {info.task} and mattes nothing, so that no picture is fed to it.",
            remedy="Leave out --fit.",
        )
    if wanted.fit == "letterbox" and info.in_channels == 4:
        raise UsageError(
            f"{info.name} takes a trimap, and a letterbox is for networks without one.",
            remedy="Give --fit resize, pad or tiles.",
        )
    return size
