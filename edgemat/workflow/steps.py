"""The steps of a run, each with its stage's function and the arguments of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHIPPED_TARGET
from edgemat.bench.devices.transports import find_transport
from edgemat.bench.protocol import Protocol
from edgemat.bench.result import Result
from edgemat.recipe.schema import BenchSection, Recipe
from edgemat.recipe.sections import PruneSection
from edgemat.report.data import CutOut, GateRow, ModelRun
from edgemat.workflow.stages.converting import convert_and_list_layers
from edgemat.workflow.stages.measuring import measure_stage
from edgemat.workflow.stages.photo import photo_stage
from edgemat.workflow.stages.pruning import prune_stage
from edgemat.workflow.stages.qat import qat_stage
from edgemat.workflow.stages.quantizing import quantize_stage
from edgemat.workflow.stages.reporting import report_stage
from edgemat.workflow.step import Destination, Step
from edgemat.workflow.training import ANY_DEVICE, MADE, TRAINED, TrainingSteps


class ModelSteps(TrainingSteps):
    """The steps of one model, all of them."""

    def prune(self, source: Artifact, settings: PruneSection) -> Step:
        """Prune the trained network."""
        call = partial(
            prune_stage,
            source,
            self.section.data,
            settings=settings,
            seed=self.recipe.seed,
            device=self.device,
        )
        return self.step("prune", "prune", call, TRAINED, unkeyed=ANY_DEVICE)

    def quantize(self, source: Artifact) -> Step:
        """Quantize a float artefact after training."""
        settings = self.section.quantize
        call = partial(
            quantize_stage,
            source,
            self.section.data,
            count=settings.calibration,
            keep_float=settings.keep_float,
            keep_w8a16=settings.keep_w8a16,
        )
        return self.step("quantize", "quantize (NNCF)", call, MADE)

    def train_quantized(self, source: Artifact, quantized: Artifact) -> Step:
        """Train what post-training quantization made on (QAT); `source` is its float parent."""
        call = partial(
            qat_stage,
            source,
            quantized,
            self.section.data,
            settings=self.section.quantize.qat,
            seed=self.recipe.seed,
            device=self.device,
        )
        return self.step("qat", "train quantized", call, TRAINED, unkeyed=ANY_DEVICE)

    def convert(self, source: Artifact, target: str) -> Step:
        """Convert an artefact to one mobile file, and verify it."""
        call = partial(convert_and_list_layers, source, target)
        return self.step("convert", f"convert and verify {target}", call, MADE)


def measure_step(model: ModelRun, device: str, settings: BenchSection) -> Step | None:
    """Measure the files of a model that a device takes against each other; None without any."""
    transport = find_transport(device)
    taken = [file for file in model.files if file.manifest.kind == transport.runtime]
    files = {file.path.name.split("@")[0]: file for file in taken}
    if not files:
        return None
    protocol = Protocol(
        warmup_runs=settings.warmup_runs,
        warmup_seconds=settings.warmup_seconds,
        runs=settings.runs,
        seconds=settings.seconds,
    )
    call = partial(
        measure_stage,
        files,
        device,
        delegate=transport.default_delegate,
        threads=settings.threads,
        protocol=protocol,
    )
    title = f"{model.section.name}: measure on {device}"
    return Step("bench", title, call, destinations={"folder": Destination.FOLDER})


def photo_step(models: Sequence[ModelRun], recipe: Recipe) -> Step | None:
    """Cut a real photograph out with the portrait model's int8 TFLite file; None without one."""
    portraits = (m for m in models if m.float_model.manifest.task == "portrait")
    portrait = next(portraits, None)
    file = portrait.file(SHIPPED_TARGET) if portrait else None
    if file is None:
        return None
    photo = Path(recipe.photo) if Path(recipe.photo).is_file() else recipe.photo
    album = None if recipe.album is None else Path(recipe.album)
    call = partial(photo_stage, photo, album, file)
    return Step(
        "photo", "cut out the photograph", call, destinations={"folder": Destination.FOLDER}
    )


def report_step(
    path: Path,
    recipe: Recipe,
    models: Sequence[ModelRun],
    benches: Sequence[Result],
    gates: Sequence[GateRow],
    photo: CutOut | None,
    folder: Path,
) -> Step:
    """Write the report; `folder` is where the pictures of `photo` are."""
    manifests = [artifact.manifest for model in models for artifact in model.artifacts]
    pictures = [] if photo is None else [folder / name for name in photo.files]
    return Step(
        "report",
        "report",
        partial(report_stage, path, recipe, models, benches, gates, photo),
        destinations={"folder": Destination.FOLDER},
        reads=(manifests, pictures),
    )
