"""Sensitivity: which block int8 hurts, and the fewest blocks in float that keep a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from edgemat.artifacts.artifact import Artifact, MattingErrors
from edgemat.artifacts.vocabulary import ErrorName
from edgemat.data.sections import DataSection
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.progress import progress_bar
from edgemat.quantize.blocks import find_blocks
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.sensitivity import BlockError, Kept, keep_under, rank_blocks
from edgemat.scoring.bounds import Bound, judge
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.workflow.stages.common import torch_input
from edgemat.workflow.stages.quantizing import post_training, write_quantized


@dataclass(frozen=True)
class Sensitivity:
    """The ranking of blocks, and what was made by it.

    Attributes
    ----------
    base:
        The float model's errors in the unknown region.
    blocks:
        Worst first.
    kept:
        Where a bound was given: what stays in float, and the artefact made of it.
    """

    base: MattingErrors
    blocks: tuple[BlockError, ...]
    kept: Kept | None = None
    artifact: Artifact | None = None

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "float": self.base.model_dump(),
            "blocks": [block.to_json() for block in self.blocks],
        }
        if self.kept is not None and self.artifact is not None:
            found["kept_in_float"] = list(self.kept.names)
            found["scores"] = self.kept.errors.model_dump()
            found["artifact"] = str(self.artifact.path)
        return found


def sensitivity_stage(
    source: Artifact,
    data: DataSection,
    validation: EvaluationSet,
    *,
    count: int,
    by: ErrorName = "sad",
    bound: Bound | None = None,
    out: Path,
) -> Sensitivity:
    """Quantize a float artefact one block at a time, and rank the blocks.

    Parameters
    ----------
    count:
        Calibration pictures.
    by:
        The error to rank by.
    bound:
        On an error of the int8 model against the float model's: the worst blocks then stay in float
        until it holds, and the quantized artefact is written into `out`.

    Raises
    ------
    UsageError
        When not even the float model meets the bound.
    """
    name = source.manifest.name
    quantized, calibration = post_training(source, data, count)
    example = torch_input(validation, 0)
    errors = _scorer(validation)
    base, ranking = rank_blocks(quantized, example, errors, by=by)
    if bound is None:
        return Sensitivity(base, tuple(ranking))
    accept = _acceptor(bound, base)
    with progress_bar(f"{name}: keeping blocks in float"):
        blocks = find_blocks(quantized.deploy, quantized.spec, example)
        kept = keep_under(quantized, blocks, ranking, errors, accept)
    mixed = Quantized(quantized.deploy, kept.spec)
    artifact = write_quantized(mixed, source, source, validation, out, calibration=calibration)
    return Sensitivity(base, tuple(ranking), kept, artifact)


def _scorer(validation: EvaluationSet) -> Callable[[nn.Module], MattingErrors]:
    done = 0

    def errors(model: nn.Module) -> MattingErrors:
        nonlocal done
        done += 1
        alphas = predict_all(torch_predictor(model), validation, f"scoring, model {done}")
        return score(alphas, validation)["unknown"]

    return errors


def _acceptor(bound: Bound, base: MattingErrors) -> Callable[[MattingErrors], bool]:
    reference = base.model_dump()
    return lambda found: all(
        verdict.passed for verdict in judge([bound], found.model_dump(), reference=reference)
    )
