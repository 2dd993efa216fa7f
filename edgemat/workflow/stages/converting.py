"""Conversion: from an artefact to one mobile file, which is run and compared with its model."""

from __future__ import annotations

import copy
import shutil
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor, nn

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
from edgemat.images import F32
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.progress import progress_bar
from edgemat.quantize.reference import load_reference
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.workflow.stages.common import keep_golden

if TYPE_CHECKING:
    from edgemat.convert.backend import FloatCost
    from edgemat.workflow.step import StepRecord

# A float32 file that is nearer to its network than this needs no reason for the rest.
ROUNDING_DB = 100.0


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
    root: nn.Module | None = None,
) -> Verified:
    """Run a mobile file on the validation set and compare it with the model it was made from.

    Parameters
    ----------
    model:
        What :func:`edgemat.quantize.reference.load_reference` returns for that model.
    reference:
        What `model` is; by default what files for `target` are made from.
    root:
        The float model, where a frozen one's file is to be compared with that as well.
    """
    reference = reference or target.reference
    title = f"{target.name}: running the reference"
    backend = find_backend(target.runtime)
    has_grids = target.quantized and reference == "frozen"
    references: dict[Literal["float", "frozen"], F32] = {}
    if root is not None:
        references["float"] = predict_all(torch_predictor(root), validation, title)
    with backend.arithmetic() if has_grids else nullcontext():
        references[reference] = predict_all(torch_predictor(model), validation, title)
    agreements: list[Agreement] = []
    first = None
    for runtime, predict in backend.predictors(path).items():
        alphas = predict_all(predict, validation, f"{target.name}: {runtime}")
        agreements += [
            compare(alphas, expected, reference=name, runtime=runtime)
            for name, expected in references.items()
        ]
        first = alphas if first is None else first
    assert first is not None
    if target.precision == "fp32" and any(one.psnr_db < ROUNDING_DB for one in agreements):
        own = own_rounding(model, validation, references[reference])
        agreements = [one.model_copy(update={"rounding_db": own}) for one in agreements]
    if not has_grids:
        return Verified(tuple(agreements), score(first, validation))
    with progress_bar(f"{target.name}: tensor by tensor"):
        runs = run_both(path, backend, model, validation.inputs(0))
    layers = compare_layers(runs)
    proof = prove(path, backend, runs, layers[0])
    return Verified(tuple(agreements), score(first, validation), tuple(layers), proof)


def own_rounding(model: nn.Module, validation: EvaluationSet, mattes: F32) -> float | None:
    """Return the PSNR of a model's `mattes` in float32 against its own in float64.

    Max-unpooling puts a value where the maximum was, and of two that are as good as equal rounding
    decides: there a network is as far from itself as from its file. None where one computes in
    float32 by its own word (casts of an adopted one).
    """
    exact = copy.deepcopy(model).double()

    def compute(x: Tensor) -> Tensor:
        alpha: Tensor = exact(x.double())
        return alpha.float()

    try:
        exact_mattes = predict_all(torch_predictor(compute), validation, "float64")
    except RuntimeError as error:
        if not any(word in str(error) for word in ("dtype", "scalar type")):
            raise
        return None
    return compare(mattes, exact_mattes, reference="float", runtime="torch").psnr_db
