"""Conversion: from an artefact to one mobile file, which is run and held against its model."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from edgemat.artifacts.artifact import (
    QUANT,
    Agreement,
    Artifact,
    Feeding,
    MattingErrors,
    write_artifact,
)
from edgemat.artifacts.vocabulary import Region
from edgemat.convert.layers import LayerTable, compare_layers
from edgemat.convert.parity import compare, file_predictors
from edgemat.convert.proof import prove_int8
from edgemat.convert.target import Target, find_target
from edgemat.convert.tflite import convert_tflite
from edgemat.errors import UsageError
from edgemat.images import PIXEL_SCALE
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.deploy import DeployForm, prepare_for_float16
from edgemat.progress import progress_bar
from edgemat.quantize.reference import load_reference
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.workflow.stages.common import inherited, keep_golden


@dataclass(frozen=True)
class Verified:
    """What running a file showed.

    Attributes
    ----------
    layers:
        For int8 TFLite files, tensor by tensor against the frozen model.
    """

    agreements: tuple[Agreement, ...]
    scores: dict[Region, MattingErrors]
    layers: tuple[LayerTable, ...] = ()


def convert_stage(
    source: Artifact, target_name: str, validation: EvaluationSet, *, out: Path
) -> tuple[Artifact, Verified]:
    """Convert an artefact to one mobile file, run the file, and write down what was found.

    Parameters
    ----------
    source:
        Float artefact for float targets, quantized artefact for int8.
    """
    target = find_target(target_name)
    manifest = source.manifest
    expected = "quantized" if target.quantized else "float"
    if manifest.kind != expected:
        raise UsageError(
            f"{target.name} is made from a {expected} artefact, {source.path.name} is "
            f"{manifest.kind}.",
            remedy="Quantize the float artefact first."
            if target.quantized
            else "Give the float artefact.",
        )
    model = load_reference(source)
    height, width, channels = (
        manifest.feeding.height,
        manifest.feeding.width,
        manifest.feeding.channels,
    )
    card = {
        "name": manifest.name,
        "target": target.name,
        "architecture": manifest.architecture,
        "task": manifest.task,
        "feeding": _feeding(source, target).model_dump(),
        "parent": manifest.payload_sha256,
        "licence": manifest.licence,
        "data_notice": manifest.data_notice,
        "demonstration": manifest.demonstration,
    } | ({} if manifest.card is None else {"card": manifest.card.model_dump()})
    scratch = out / f".converting-{manifest.name}-{target.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        path = scratch / target.payload
        with progress_bar(f"{manifest.name}: converting to {target.name}"):
            if target.runtime == "tflite":
                shape = (channels, height, width)
                convert_tflite(model, path, target=target, shape=shape, metadata=card)
            else:
                _convert_coreml(model, path, target, source, card)
        verified = verify_file(path, target, model, validation)
        proof = None
        if target.quantized:
            from edgemat.quantize.spec import QuantSpec

            proof = prove_int8(path, target=target, spec=QuantSpec.load(source.quant))

        def fill(folder: Path) -> None:
            keep_golden(folder, source, next(iter(file_predictors(path, target).values())))
            path.rename(folder / target.payload)
            if target.quantized:
                shutil.copyfile(source.quant, folder / QUANT)

        artifact = write_artifact(
            out,
            fill,
            payload=target.payload,
            **inherited(source) | {"name": f"{manifest.model}-{target.name}"},
            kind=target.runtime,
            target=target.name,
            feeding=_feeding(source, target),
            calibration=manifest.calibration,
            scores=verified.scores,
            agreements=verified.agreements,
            int8_proof=proof,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return artifact, verified


def verify_file(
    path: Path, target: Target, model: nn.Module, validation: EvaluationSet
) -> Verified:
    """Run a mobile file on the validation set and compare it with the model it was made from.

    Parameters
    ----------
    model:
        What :func:`edgemat.quantize.reference.load_reference` returns for that model.
    """
    title = f"{target.name}: running the reference"
    references = predict_all(torch_predictor(model), validation, title)
    agreements, first = [], None
    for runtime, predict in file_predictors(path, target).items():
        alphas = predict_all(predict, validation, f"{target.name}: {runtime}")
        agreements.append(compare(alphas, references, reference=target.reference, runtime=runtime))
        first = alphas if first is None else first
    assert first is not None
    layers = compare_layers(path, target, model, validation) if target.quantized else []
    return Verified(tuple(agreements), score(first, validation), tuple(layers))


def _convert_coreml(
    model: nn.Module, path: Path, target: Target, source: Artifact, card: dict[str, Any]
) -> None:
    import json

    from edgemat.convert.coreml import convert_coreml

    feeding = source.manifest.feeding
    precision: Literal["fp32", "fp16"] = "fp16" if target.precision == "fp16" else "fp32"
    pixel_scale = float(PIXEL_SCALE)
    if isinstance(model, DeployForm) and precision == "fp16":
        model, pixel_scale = prepare_for_float16(model, pixel_scale), 1.0
    convert_coreml(
        model,
        path,
        height=feeding.height,
        width=feeding.width,
        channels=feeding.channels,
        precision=precision,
        quantized=target.quantized,
        metadata={"edgemat": json.dumps(card, sort_keys=True)},
        licence=source.manifest.licence,
        author="edgemat",
        pixel_scale=pixel_scale,
        description=f"{source.manifest.name}: alpha matting, {source.manifest.data_notice}",
    )


def _feeding(source: Artifact, target: Target) -> Feeding:
    layout = "NHWC" if target.runtime == "tflite" else "image"
    return source.manifest.feeding.model_copy(update={"layout": layout})
