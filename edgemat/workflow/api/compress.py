"""Smaller and faster: quantize, prune, and which block int8 hurts."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.artifacts.shipped import ArtifactLike
from edgemat.doctor import needs
from edgemat.workflow.api.opening import open_with_validation

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.artifacts.vocabulary import ErrorName, Importance, PruningCost, QuantizationMode
    from edgemat.workflow.api.opening import DataLike
    from edgemat.workflow.stages.sensitivity import Sensitivity


def quantize(
    artifact: ArtifactLike,
    *,
    mode: QuantizationMode = "ptq",
    data: DataLike = None,
    calibration: int = 64,
    steps: int = 200,
    batch: int = 4,
    size: int = 288,
    learning_rate: float = 1e-5,
    keep_float: Collection[str] = (),
    keep_w8a16: Collection[str] = (),
    device: str = "auto",
    images: int = 16,
    output: Path | str | None = None,
) -> Artifact:
    """Quantize a float artefact to int8 with NNCF; "qat" then trains weights and ranges on.

    >>> import edgemat
    >>> quantized = edgemat.quantize("portrait", calibration=8, images=2)
    >>> quantized.manifest.kind, quantized.manifest.calibration.count
    ('quantized', 8)

    Parameters
    ----------
    artifact:
        An open artefact, its folder, NAME@HASH, or a shipped model's name.
    mode:
        "ptq", post-training; or "qat", quantization-aware training from there on, with the float
        model as the teacher. A killed one resumes from its checkpoint when called again.
    data:
        "people", "procedural", a folder or a section of a recipe; by default the task's pictures.
    calibration:
        Pictures that the ranges are collected on.
    steps, batch, size, learning_rate:
        Of "qat": training steps, pictures in a step, side of the crops in px, relative rate.
    keep_float, keep_w8a16:
        Blocks that stay in float, or of which only the weights become int8; :func:`sensitivity`
        names them.
    device:
        Of training: "auto", "cpu", "cuda", "mps", ...
    images:
        Validation composites that the result is scored on.
    output:
        Folder for the result; by default beside the artefact, for shipped models the current one.

    Raises
    ------
    UsageError
        For a name that is no artefact or no block, or a setting that is impossible.
    ArtifactError
        When the artefact is damaged, or not a float one.
    MissingToolError
        When torch or NNCF is not installed.
    """
    return quantize_in_steps(
        artifact,
        mode=mode,
        data=data,
        calibration=calibration,
        steps=steps,
        batch=batch,
        size=size,
        learning_rate=learning_rate,
        keep_float=keep_float,
        keep_w8a16=keep_w8a16,
        device=device,
        images=images,
        output=output,
    )[-1]


@needs("deploy")
def quantize_in_steps(
    artifact: ArtifactLike,
    *,
    mode: QuantizationMode,
    data: DataLike,
    calibration: int,
    steps: int,
    batch: int,
    size: int,
    learning_rate: float,
    keep_float: Collection[str],
    keep_w8a16: Collection[str],
    device: str,
    images: int,
    output: Path | str | None,
) -> list[Artifact]:
    """Return all that :func:`quantize` makes: the post-training artefact, and that of "qat"."""
    from edgemat.recipe.sections import QatSection
    from edgemat.workflow.stages.common import work_folder
    from edgemat.workflow.stages.qat import qat_stage
    from edgemat.workflow.stages.quantizing import quantize_stage

    settings = QatSection(steps=steps, batch=batch, size=size, learning_rate=learning_rate)
    opened = open_with_validation(artifact, data, images)
    source, pictures, validation = opened
    shelf = opened.shelf(output)
    start = quantize_stage(
        source,
        pictures,
        validation,
        count=calibration,
        out=shelf,
        keep_float=keep_float,
        keep_w8a16=keep_w8a16,
    )
    if mode == "ptq":
        return [start]
    with work_folder(shelf, start.manifest.identity, settings, pictures) as work:
        trained = qat_stage(
            source,
            start,
            pictures,
            validation,
            settings,
            work=work,
            out=shelf,
            seed=source.manifest.seed or 0,
            device=device,
        )
    return [start, trained]


@needs("train")
def prune(
    artifact: ArtifactLike,
    *,
    keep: float = 0.5,
    cost: PruningCost = "macs",
    milliseconds: float | None = None,
    importance: Importance = "taylor",
    unstructured: bool = False,
    rounds: int = 2,
    data: DataLike = None,
    steps: int = 250,
    batch: int = 8,
    size: int = 192,
    learning_rate: float = 5e-4,
    device: str = "auto",
    images: int = 16,
    output: Path | str | None = None,
) -> Artifact:
    """Take channels out of a float artefact and train what is left, with the whole as teacher.

    >>> import edgemat
    >>> pruned = edgemat.prune("portrait", keep=0.6, rounds=1, steps=1, batch=2, size=64, images=2)
    >>> pruned.manifest.cost.macs < pruned.manifest.pruning.macs_before
    True

    Parameters
    ----------
    artifact, data, device, images, output:
        As for :func:`quantize`.
    keep:
        Share of the cost that stays; where `unstructured`, share of the weights that stay.
    cost:
        "macs", multiply-accumulates, or "host", int8 convolutions' milliseconds on this machine.
    milliseconds:
        In place of `keep`: what the int8 convolutions may take on this machine.
    importance:
        What tells how much a channel matters.
    unstructured:
        Single weights become 0 instead, by NNCF: a smaller download, no less time.
    rounds:
        Of pruning, then training.
    steps, batch, size, learning_rate:
        Of the training in a round: steps, pictures in a step, side of the crops in px, the rate.

    Raises
    ------
    UsageError
        For a name that is no artefact, or a setting that is impossible.
    ArtifactError
        When the artefact is damaged, or not a float one.
    MissingToolError
        When torch or, where `unstructured`, NNCF is not installed.
    """
    from edgemat.recipe.sections import PruneSection, RecoverSection
    from edgemat.workflow.stages.common import work_folder
    from edgemat.workflow.stages.pruning import prune_stage
    from edgemat.workflow.stages.sparsity import sparsify_stage

    tune = RecoverSection(steps=steps, batch=batch, size=size, learning_rate=learning_rate)
    settings = PruneSection(
        keep=keep if milliseconds is None else None,
        milliseconds=milliseconds,
        cost=cost if milliseconds is None else "host",
        importance=importance,
        rounds=rounds,
        tune=tune,
    )
    opened = open_with_validation(artifact, data, images)
    source, pictures, validation = opened
    shelf, seed = opened.shelf(output), source.manifest.seed or 0
    if unstructured:
        parts = (source.manifest.identity, "unstructured", keep, tune, pictures)
        with work_folder(shelf, *parts) as work:
            return sparsify_stage(
                source,
                pictures,
                validation,
                tune,
                zeros=1 - keep,
                work=work,
                out=shelf,
                seed=seed,
                device=device,
            )
    with work_folder(shelf, source.manifest.identity, settings, pictures) as work:
        return prune_stage(
            source,
            pictures,
            validation,
            settings,
            work=work,
            out=shelf,
            seed=seed,
            device=device,
        )


@needs("deploy")
def sensitivity(
    artifact: ArtifactLike,
    *,
    by: ErrorName = "sad",
    keep_under: str | None = None,
    data: DataLike = None,
    calibration: int = 64,
    images: int = 16,
    output: Path | str | None = None,
) -> Sensitivity:
    """Quantize one block at a time, and rank the blocks by the error that they cost.

    >>> import edgemat
    >>> found = edgemat.sensitivity("portrait", calibration=8, images=1)
    >>> "segment" in [row.block for row in found.blocks]
    True

    Parameters
    ----------
    artifact, data, calibration, images, output:
        As for :func:`quantize`.
    by:
        The error to rank by.
    keep_under:
        A bound against the float model, such as "SAD+2%": the worst blocks then stay in float
        until it holds, and the artefact made so is part of the answer.

    Raises
    ------
    UsageError
        For a bound that is none, or that not even the float model meets.
    MissingToolError
        When torch or NNCF is not installed.
    """
    from edgemat.scoring.bounds import parse_named_bound
    from edgemat.workflow.stages.sensitivity import sensitivity_stage

    bound = None if keep_under is None else parse_named_bound(keep_under)
    opened = open_with_validation(artifact, data, images)
    return sensitivity_stage(
        *opened, count=calibration, by=by, bound=bound, out=opened.shelf(output)
    )
