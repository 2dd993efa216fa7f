"""Quantization: from a float artefact to a quantized one."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.artifacts.artifact import (
    QUANT,
    QUANTIZED_SUFFIX,
    TRAINING_LOG,
    Artifact,
    Calibration,
)
from edgemat.artifacts.draft import draft_child, write_artifact
from edgemat.artifacts.weights import load_deploy
from edgemat.convert.parity import compare
from edgemat.data.sections import DataSection
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.progress import progress_bar
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.scoring.validation import CALIBRATION_SEED, calibration_set
from edgemat.workflow.stages.common import (
    WEIGHTS,
    keep_golden,
    keep_program,
    save_weights,
    torch_input,
)

if TYPE_CHECKING:
    from edgemat.quantize.ptq import Quantized


def quantize_stage(
    source: Artifact,
    data: DataSection,
    validation: EvaluationSet,
    *,
    count: int,
    out: Path,
    keep_float: Collection[str] = (),
    keep_w8a16: Collection[str] = (),
) -> Artifact:
    """Quantize a float artefact to int8 by NNCF's post-training quantization.

    Parameters
    ----------
    keep_float, keep_w8a16:
        Names of blocks that stay in float, or of which only the weights become int8; see
        :mod:`edgemat.quantize.blocks`.

    Raises
    ------
    UsageError
        For a name that is no block, or that is in both.
    """
    from edgemat.quantize.blocks import check_blocks, find_blocks, keep
    from edgemat.quantize.ptq import Quantized

    example = torch_input(validation, 0)
    if keep_float or keep_w8a16:
        check_blocks(load_deploy(source), example, in_float=keep_float, w8a16=keep_w8a16)
    quantized, calibration = post_training(source, data, count)
    if keep_float or keep_w8a16:
        deploy, spec = quantized.deploy, quantized.spec
        blocks = find_blocks(deploy, spec, example)
        spec = keep(spec, blocks, in_float=keep_float, w8a16=keep_w8a16)
        quantized = Quantized(deploy, spec)
    return write_quantized(quantized, source, source, validation, out, calibration=calibration)


def post_training(source: Artifact, data: DataSection, count: int) -> tuple[Quantized, Calibration]:
    """Quantize a float artefact with `count` pictures; returns also what they were."""
    from edgemat.quantize.ptq import distinct, quantize_ptq

    manifest = source.manifest
    seed = CALIBRATION_SEED + (manifest.seed or 0)
    pictures = calibration_set(
        data,
        task=manifest.matting_task,
        size=(manifest.feeding.height, manifest.feeding.width),
        count=count,
        seed=seed,
    )
    inputs = [torch_input(pictures, index) for index in range(count)]
    with progress_bar(f"{manifest.name}: quantizing with NNCF"):
        quantized = quantize_ptq(load_deploy(source), inputs)
    return quantized, Calibration(count=distinct(inputs), seed=seed, sha256=pictures.sha256)


def read_shipped(source: Artifact, file: Artifact, validation: EvaluationSet) -> Quantized:
    """Return the quantized network that a shipped int8 .tflite was made of.

    Its grids lie beside the file, its weights and corrected biases are read back from it.

    Parameters
    ----------
    source:
        The float artefact at the root of both.
    """
    from edgemat.convert.read_back import read_back
    from edgemat.quantize.spec import QuantSpec

    spec = QuantSpec.load(file.path / QUANT)
    return read_back(load_deploy(source), spec, file.payload, torch_input(validation, 0))


def quantize_as_shipped(
    source: Artifact, file: Artifact, validation: EvaluationSet, *, out: Path
) -> Artifact:
    """Write the quantized artefact that a shipped int8 .tflite was made of."""
    made = read_shipped(source, file, validation)
    calibration = file.manifest.calibration
    return write_quantized(made, source, source, validation, out, calibration=calibration)


def write_quantized(
    made: Quantized,
    source: Artifact,
    parent: Artifact,
    validation: EvaluationSet,
    out: Path,
    *,
    calibration: Calibration | None,
    suffix: str = QUANTIZED_SUFFIX,
    log: Path | None = None,
) -> Artifact:
    """Score the frozen model of what was made against the float model, and write the artefact."""
    from edgemat.quantize.frozen import freeze

    name = source.manifest.name
    frozen = freeze(made.deploy, made.spec)
    predict = torch_predictor(frozen)
    alphas = predict_all(predict, validation, f"{name}: scoring the frozen model")
    float_predict = torch_predictor(load_deploy(source))
    references = predict_all(float_predict, validation, f"{name}: scoring float")

    def fill(folder: Path) -> None:
        save_weights(folder, made.deploy.state_dict())
        keep_program(folder, source)
        made.spec.save(folder / QUANT)
        keep_golden(folder, source, predict)
        if log is not None:
            shutil.copyfile(log, folder / TRAINING_LOG)

    draft = replace(
        draft_child(parent),
        name=name + suffix,
        kind="quantized",
        payload=WEIGHTS,
        calibration=calibration,
        scores=score(alphas, validation),
        validation=validation.validation,
        agreements=(compare(alphas, references, reference="float", runtime="torch"),),
    )
    return write_artifact(out, fill, draft)
