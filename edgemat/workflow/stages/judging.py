"""Measuring a run's files on devices, and holding them against bounds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemat.artifacts.artifact import Artifact
from edgemat.convert.backends import find_target
from edgemat.recipe.schema import WHOLLY_INT8, BenchSection, Recipe
from edgemat.workflow.cache import Stages

if TYPE_CHECKING:
    from edgemat.report.data import ModelRun


def measure_files(models: list[ModelRun], recipe: Recipe, stages: Stages) -> list[dict[str, Any]]:
    """Measure float and int8 TFLite files of each model against each other, on every device."""
    settings = recipe.bench
    benches: list[dict[str, Any]] = []
    for model in models:
        files = {f.path.name.split("@")[0]: f for f in model.files if f.manifest.kind == "tflite"}
        if not files:
            continue

        for device in settings.devices:
            inputs = {
                "files": {name: file.manifest.payload_sha256 for name, file in files.items()},
                "settings": settings.model_dump(exclude={"devices"}),
                "device": device,
            }
            title = f"{model.section.name}: measure on {device}"
            make = partial(_measure, files, device, settings, stages.folder)
            benches += stages.run("bench", title, inputs, make)["results"]
    return benches


def _measure(
    files: Mapping[str, Artifact], device: str, settings: BenchSection, folder: Path, _: Path
) -> dict[str, Any]:
    """Measure files on one device, and keep the results in the run's history."""
    from edgemat.bench.devices.device import BenchModel, Request
    from edgemat.bench.devices.transports import open_device
    from edgemat.bench.protocol import Protocol
    from edgemat.bench.store import RunStore
    from edgemat.progress import share_bar
    from edgemat.terminal import err

    protocol = Protocol(
        warmup_runs=settings.warmup_runs,
        warmup_seconds=settings.warmup_seconds,
        runs=settings.runs,
        seconds=settings.seconds,
    )
    models = [BenchModel.open(file.path, name) for name, file in files.items()]
    request = Request(models, settings.threads, protocol=protocol)
    with share_bar(f"measuring on {device}") as show:
        results = open_device(device, say=err.print).measure(request, progress=show)
    store = RunStore(folder / "runs.sqlite")
    for result in results:
        store.append(result)
    return {"results": [result.to_json() for result in results]}


def judge_files(model: ModelRun, recipe: Recipe) -> list[Any]:
    """Hold every file against the bounds on agreement, and int8 files against the gate."""
    from edgemat.report.data import GateRow
    from edgemat.scoring.bounds import Bound, judge

    name, rows = model.section.name, []
    float_scores = model.trained.manifest.scores["unknown"].model_dump()
    for file in model.files:
        manifest, target = file.manifest, str(file.manifest.target)
        rules = dict(find_target(target).parity) | model.section.parity.get(target, {})
        # of a network that is int8 in parts, the proof says what is, and the gate does not judge it
        if not model.section.quantize.wholly_int8:
            rules = {name: rule for name, rule in rules.items() if name not in WHOLLY_INT8}
        bounds = [Bound(metric, rule) for metric, rule in rules.items()]
        for verdict in judge(bounds, _measured(file)):
            first = manifest.agreements[0]
            scope = f"{first.runtime}, against the {first.reference} model"
            rows.append(GateRow(name, target, verdict, scope))
        if manifest.int8_proof is not None:
            bounds = [Bound(metric, rule) for metric, rule in recipe.gate.items()]
            scores = manifest.scores["unknown"].model_dump()
            for verdict in judge(bounds, scores, reference=float_scores):
                scope = "unknown region, against the float model"
                rows.append(GateRow(name, target, verdict, scope))
    return rows


def _measured(file: Artifact) -> dict[str, float]:
    """Return the figures that bounds may name; agreement is that of the runtime apps use."""
    manifest = file.manifest
    first = manifest.agreements[0]
    figures = {
        "psnr_db": first.psnr_db,
        "max_abs": first.max_abs,
        "mean_abs": first.mean_abs,
    }
    proof = manifest.int8_proof
    if proof is not None:
        figures["int8_share"] = proof.int8_convolutions / proof.convolutions
        figures["float_islands"] = float(len(proof.float_islands))
        figures["scales_exact_share"] = proof.scales_exact / proof.scales
    return figures
