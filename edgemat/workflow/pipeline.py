"""`edgemat run RECIPE`: every stage once, cached by content, and a report at the end.

    runs/NAME/artifacts/   what the stages made
              stages/      KEY.json: what a step with these arguments ended in
              work/        checkpoints of a training that is not finished
              runs.sqlite  all measurements
              report.html

A step whose result is there is not run again (see step.py and cache.py); a killed run resumes where
it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.bench.result import Result
from edgemat.convert.backends import find_target
from edgemat.convert.layer_parity import LayerTable
from edgemat.errors import UsageError
from edgemat.recipe.load import load_recipe
from edgemat.recipe.schema import Recipe
from edgemat.report.data import CutOut, GateRow, ModelRun
from edgemat.training.processes import is_helper
from edgemat.workflow.cache import Cache
from edgemat.workflow.stages.judging import judge_files
from edgemat.workflow.stages.reporting import REPORT
from edgemat.workflow.steps import ModelSteps, measure_step, photo_step, report_step


@dataclass(frozen=True)
class RunResult:
    """The end of a run."""

    report: Path
    artifacts: tuple[Path, ...]
    gates: tuple[GateRow, ...]
    did_nothing: bool

    @property
    def failed(self) -> list[GateRow]:
        return [row for row in self.gates if not row.verdict.passed]


def run_recipe(
    path: Path, *, folder: Path | None = None, device: str = "auto", changes: Sequence[str] = ()
) -> RunResult:
    """Run all stages of a recipe and write the report.

    Parameters
    ----------
    folder:
        Where everything goes; ``runs/NAME`` by default.
    device:
        Of training: "auto", "cpu", "cuda", "mps", ...
    changes:
        Values of the recipe to set; see :func:`edgemat.toml.override`.

    Raises
    ------
    UsageError
        When another process is at work in the folder.
    EdgematError
        Whatever a stage raises. What was finished before stays.
    """
    recipe = load_recipe(path, changes)
    if is_helper():
        raise UsageError(
            "Several processes do one thing together: train.",
            remedy="Run `torchrun ... -m edgemat.cli train RECIPE`, then `edgemat run RECIPE`.",
        )
    with Cache(folder or Path("runs") / recipe.name) as cache:
        models = [_run_model(ModelSteps(one, recipe, device), cache) for one in recipe.models]
        benches = _measure(models, recipe, cache)
        gates = tuple(row for model in models for row in judge_files(model, recipe))
        photo = _cut_out(models, recipe, cache)
        cache.run(report_step(path, recipe, models, benches, gates, photo, cache.folder))
    artifacts = tuple(a.path for m in models for a in m.artifacts)
    return RunResult(cache.folder / REPORT, artifacts, gates, did_nothing=not cache.ran)


def _run_model(steps: ModelSteps, cache: Cache) -> ModelRun:
    """Train a model and make of it what its section asks for."""
    section = steps.section
    trained = cache.make(steps.train())
    pruned = None
    if section.prune is not None:
        pruned = cache.make(steps.prune(trained, section.prune))
    float_model = pruned or trained
    quantized = qat = None
    if any(find_target(target).quantized for target in section.targets):
        quantized = cache.make(steps.quantize(float_model))
        if section.quantize.mode == "qat":
            qat = cache.make(steps.train_quantized(float_model, quantized))
    files: list[Artifact] = []
    layers: dict[str, tuple[LayerTable, ...]] = {}
    for target in section.targets:
        source = (qat or quantized) if find_target(target).quantized else float_model
        assert source is not None
        record = cache.run(steps.convert(source, target))
        files.append(cache.open(record))
        layers[target] = tuple(LayerTable.from_json(table) for table in record["layers"])
    return ModelRun(section, trained, pruned, quantized, qat, tuple(files), layers)


def _measure(models: Sequence[ModelRun], recipe: Recipe, cache: Cache) -> list[Result]:
    """Return the measurements of every model's files on every device."""
    steps = (
        measure_step(model, device, recipe.bench)
        for model in models
        for device in recipe.bench.devices
    )
    rows = [row for step in steps if step for row in cache.run(step)["results"]]
    return [Result.model_validate(row) for row in rows]


def _cut_out(models: Sequence[ModelRun], recipe: Recipe, cache: Cache) -> CutOut | None:
    step = photo_step(models, recipe)
    if step is None:
        return None
    record = cache.run(step)
    return CutOut(tuple(record["files"]), record["model"])
