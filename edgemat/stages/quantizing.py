"""Quantization: from a float artefact to a quantized one."""

from __future__ import annotations

import shutil
from pathlib import Path

from convert.parity import compare
from edgemat.artifact import (
    GOLDEN,
    QUANT,
    QUANTIZED_SUFFIX,
    Artifact,
    Calibration,
    write_artifact,
)
from edgemat.evaluate import EvaluationSet, score
from edgemat.loading import load_deploy
from edgemat.progress import progress_bar
from edgemat.recipe import DataSection
from edgemat.stages.common import (
    WEIGHTS,
    inherited,
    predict_with,
    save_mattes,
    save_weights,
    torch_input,
)
from edgemat.validation import CALIBRATION_SEED, evaluation_set_for


def quantize_stage(
    source: Artifact, data: DataSection, validation: EvaluationSet, *, count: int, out: Path
) -> Artifact:
    """Quantize a float artefact to int8 by NNCF's post-training quantization."""
    from quantize.frozen import freeze
    from quantize.ptq import quantize_ptq

    manifest = source.manifest
    seed = CALIBRATION_SEED + (manifest.seed or 0)
    calibration = evaluation_set_for(manifest, data, count=count, seed=seed)
    inputs = [torch_input(calibration, index) for index in range(count)]
    deploy = load_deploy(source)
    with progress_bar(f"{manifest.name}: quantizing with NNCF"):
        quantized = quantize_ptq(deploy, inputs)
    frozen = freeze(quantized.deploy, quantized.spec)
    alphas = predict_with(frozen, validation, f"{manifest.name}: scoring the frozen model")
    references = predict_with(deploy, validation, f"{manifest.name}: scoring float")

    def fill(folder: Path) -> None:
        save_weights(folder, quantized.deploy.state_dict())
        quantized.spec.save(folder / QUANT)
        shutil.copyfile(source.golden, folder / GOLDEN)
        save_mattes(folder, alphas)

    return write_artifact(
        out,
        fill,
        payload=WEIGHTS,
        **inherited(source) | {"name": manifest.name + QUANTIZED_SUFFIX},
        kind="quantized",
        feeding=manifest.feeding,
        calibration=Calibration(count=count, seed=seed, sha256=calibration.sha256),
        scores=score(alphas, validation),
        agreements=(compare(alphas, references, reference="float", runtime="torch"),),
    )
