"""Conversion: from an artefact to one mobile file, which is run and compared with its model."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from edgemat.artifacts.artifact import (
    QUANT,
    Agreement,
    Artifact,
    Feeding,
    Int8Proof,
    Manifest,
    MattingErrors,
)
from edgemat.artifacts.draft import draft_child, write_artifact
from edgemat.artifacts.vocabulary import Region
from edgemat.convert.backend import Target
from edgemat.convert.backends import find_backend, find_target
from edgemat.convert.layer_parity import LayerTable, compare_layers
from edgemat.convert.pairing import run_both
from edgemat.convert.parity import compare
from edgemat.convert.proof import prove
from edgemat.errors import EdgematWarning, UsageError
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.progress import progress_bar
from edgemat.quantize.reference import load_reference
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.workflow.stages.common import keep_golden

if TYPE_CHECKING:
    from edgemat.convert.backend import FloatCost
    from edgemat.workflow.step import StepRecord


@dataclass(frozen=True)
class Verified:
    """The findings of running a file.

    Attributes
    ----------
    layers:
        For int8 files, tensor by tensor against the frozen model.
    proof:
        What is int8 in the file, where it was compared with its frozen model.
    float_costs:
        Where it was asked for: what operators in float take, on this machine.
    """

    agreements: tuple[Agreement, ...]
    scores: dict[Region, MattingErrors]
    layers: tuple[LayerTable, ...] = ()
    proof: Int8Proof | None = None
    float_costs: tuple[FloatCost, ...] = ()


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
    backend = find_backend(target.runtime)
    manifest = source.manifest
    if manifest.kind != target.source:
        raise UsageError(
            f"{target.name} is made from a {target.source} artefact, {source.path.name} is "
            f"{manifest.kind}.",
            remedy="Quantize the float artefact first."
            if target.quantized
            else "Give the float artefact.",
        )
    model = load_reference(source)
    feeding = manifest.feeding.model_copy(update={"layout": backend.layout})
    card = _card(manifest, target, feeding)
    scratch = out / f".converting-{manifest.name}-{target.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        path = scratch / backend.payload
        with progress_bar(f"{manifest.name}: converting to {target.name}"):
            backend.convert(model, path, target=target, source=manifest, card=card)
        hazards = backend.hazards(path)
        for hazard in hazards:
            warnings.warn(f"{manifest.model}-{target.name}: {hazard}", EdgematWarning, stacklevel=2)
        verified = verify_file(path, target, model, validation)

        def fill(folder: Path) -> None:
            keep_golden(folder, source, next(iter(backend.predictors(path).values())))
            path.rename(folder / backend.payload)
            if target.quantized:
                shutil.copyfile(source.quant, folder / QUANT)

        draft = replace(
            draft_child(source),
            name=f"{manifest.model}-{target.name}",
            kind=backend.runtime,
            target=target.name,
            payload=backend.payload,
            feeding=feeding,
            calibration=manifest.calibration,
            scores=verified.scores,
            validation=validation.validation,
            agreements=verified.agreements,
            int8_proof=verified.proof,
            hazards=hazards,
            made_with=backend.tools,
        )
        artifact = write_artifact(out, fill, draft)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return artifact, verified


def convert_and_list_layers(
    source: Artifact, target_name: str, validation: EvaluationSet, *, out: Path
) -> StepRecord:
    """Convert an artefact as :func:`convert_stage` does; return its name and the layers' tables."""
    artifact, verified = convert_stage(source, target_name, validation, out=out)
    return {
        "artifact": artifact.path.name,
        "layers": [table.to_json() for table in verified.layers],
    }


def _card(source: Manifest, target: Target, feeding: Feeding) -> dict[str, Any]:
    """Return what a file that is made from `source` says of itself."""
    card = {
        "name": source.name,
        "target": target.name,
        "architecture": source.architecture,
        "task": source.task,
        "feeding": feeding.model_dump(),
        "parent": source.payload_sha256,
        "licence": source.licence,
        "data_notice": source.data_notice,
        "demonstration": source.demonstration,
    }
    return card if source.card is None else card | {"card": source.card.model_dump()}


def verify_file(
    path: Path,
    target: Target,
    model: nn.Module,
    validation: EvaluationSet,
    *,
    reference: Literal["float", "frozen"] | None = None,
) -> Verified:
    """Run a mobile file on the validation set and compare it with the model it was made from.

    Parameters
    ----------
    model:
        What :func:`edgemat.quantize.reference.load_reference` returns for that model.
    reference:
        What `model` is; by default what files for `target` are made from.
    """
    reference = reference or target.reference
    title = f"{target.name}: running the reference"
    references = predict_all(torch_predictor(model), validation, title)
    backend = find_backend(target.runtime)
    agreements, first = [], None
    for runtime, predict in backend.predictors(path).items():
        alphas = predict_all(predict, validation, f"{target.name}: {runtime}")
        agreements.append(compare(alphas, references, reference=reference, runtime=runtime))
        first = alphas if first is None else first
    assert first is not None
    has_grids = target.quantized and reference == "frozen"
    if not has_grids:
        return Verified(tuple(agreements), score(first, validation))
    with progress_bar(f"{target.name}: tensor by tensor"):
        runs = run_both(path, backend, model, validation.inputs(0))
    layers, proof = compare_layers(runs), prove(path, backend, runs)
    return Verified(tuple(agreements), score(first, validation), tuple(layers), proof)
