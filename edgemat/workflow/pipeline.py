"""`edgemat run RECIPE`: every stage once, cached by content, and a report at the end.

    runs/NAME/artifacts/   what the stages made
              stages/      KEY.json: what a stage with these inputs ended in
              work/        checkpoints of a training that is not finished
              runs.sqlite  all measurements
              report.html

A stage whose result is there is not run again (see cache.py); a killed run resumes where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import find_artifact
from edgemat.convert.backends import find_target
from edgemat.files import sha256_file
from edgemat.recipe.load import load_recipe
from edgemat.recipe.schema import ModelSection, Recipe
from edgemat.recipe.sections import PruneSection
from edgemat.report.data import ModelRun
from edgemat.workflow.cache import Stages, identity_of
from edgemat.workflow.stages.judging import judge_files, measure_files


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    report: Path
    artifacts: tuple[Path, ...]
    gates: tuple[Any, ...]
    did_nothing: bool

    @property
    def failed(self) -> list[Any]:
        return [row for row in self.gates if not row.verdict.passed]


def run_recipe(path: Path, *, folder: Path | None = None, device: str = "auto") -> RunResult:
    """Run all stages of a recipe and write the report.

    Parameters
    ----------
    folder:
        Where everything goes; ``runs/NAME`` by default.
    device:
        Of training: "auto", "cpu", "cuda", "mps", ...

    Raises
    ------
    EdgematError
        Whatever a stage raises. What was finished before stays.
    """
    recipe = load_recipe(path)
    stages = Stages(folder or Path("runs") / recipe.name)
    models = [_run_model(section, recipe, stages, device) for section in recipe.models]
    benches = measure_files(models, recipe, stages)
    gates = tuple(row for model in models for row in judge_files(model, recipe))
    photo = _photo(models, recipe, stages)
    report = _report(path, recipe, models, benches, gates, photo, stages)
    artifacts = tuple(a.path for m in models for a in m.artifacts)
    return RunResult(report, artifacts, gates, did_nothing=not stages.ran)


def train_recipe(path: Path, *, folder: Path | None = None, device: str = "auto") -> list[Artifact]:
    """Run the training stage of every model of a recipe; returns the float artefacts."""
    recipe = load_recipe(path)
    stages = Stages(folder or Path("runs") / recipe.name)
    return [
        _train(section, recipe, _LazyValidation(section, recipe), stages, device)
        for section in recipe.models
    ]


def _train(
    section: ModelSection,
    recipe: Recipe,
    validation: _LazyValidation,
    stages: Stages,
    device: str,
) -> Artifact:
    inputs = {
        "section": section.model_dump(exclude={"prune", "quantize", "targets", "parity"}),
        "recipe": recipe.model_dump(include={"seed", "threads", "licence"}),
        "data_notice": recipe.data_notice,
        "validation": recipe.verify.images,
        "files": _named_files(section),
    }

    def make(work: Path) -> dict[str, Any]:
        from edgemat.workflow.stages.training import train_stage

        return _name(
            train_stage(
                section, recipe, validation(), work=work, out=stages.artifacts, device=device
            )
        )

    return stages.open(stages.run("train", f"{section.name}: train", inputs, make))


def _named_files(section: ModelSection) -> dict[str, str]:
    """Return the identities of the user's files that a model's section names."""
    wanted = {*section.folders(), section.train.init}
    named = {name: Path(name) for name in wanted if name and Path(name).exists()}
    if section.train.start is not None:
        named[section.train.start] = find_artifact(section.train.start)
    return {name: identity_of(named[name]) for name in sorted(named)}


def _run_model(section: ModelSection, recipe: Recipe, stages: Stages, device: str) -> ModelRun:
    name = section.name
    validation = _LazyValidation(section, recipe)
    model = ModelRun(section, _train(section, recipe, validation, stages, device))
    if section.prune is not None:
        model.pruned = _prune(model, section.prune, recipe, validation, stages, device)
    parent = {"parent": model.float_model.manifest.identity, "validation": recipe.verify.images}
    if any(_is_quantized(target) for target in section.targets):
        count = section.quantize.calibration

        def make_quantized(_: Path) -> dict[str, Any]:
            from edgemat.workflow.stages.quantizing import quantize_stage

            return _name(
                quantize_stage(
                    model.float_model,
                    section.data,
                    validation(),
                    count=count,
                    out=stages.artifacts,
                    keep_float=section.quantize.keep_float,
                    keep_w8a16=section.quantize.keep_w8a16,
                )
            )

        inputs = parent | {"calibration": count, "data": section.data.model_dump()}
        inputs["keep_float"] = section.quantize.keep_float
        inputs["keep_w8a16"] = section.quantize.keep_w8a16
        inputs |= {"files": _named_files(section)}
        model.quantized = stages.open(
            stages.run("quantize", f"{name}: quantize (NNCF)", inputs, make_quantized)
        )
        if section.quantize.mode == "qat":
            model.qat = _train_quantized(model, recipe, validation, inputs, stages, device)
    for target in section.targets:
        source = (model.qat or model.quantized) if _is_quantized(target) else model.float_model
        assert source is not None
        _convert(model, target, source, validation, recipe, stages)
    return model


def _prune(
    model: ModelRun,
    settings: PruneSection,
    recipe: Recipe,
    validation: _LazyValidation,
    stages: Stages,
    device: str,
) -> Artifact:
    section = model.section

    def make(work: Path) -> dict[str, Any]:
        from edgemat.workflow.stages.pruning import prune_stage

        return _name(
            prune_stage(
                model.trained,
                section.data,
                validation(),
                settings,
                work=work,
                out=stages.artifacts,
                seed=recipe.seed,
                device=device,
            )
        )

    inputs = {
        "parent": model.trained.manifest.identity,
        "settings": settings.model_dump(),
        "recipe": recipe.model_dump(include={"seed", "threads"}),
        "data": section.data.model_dump(),
        "validation": recipe.verify.images,
        "files": _named_files(section),
    }
    return stages.open(stages.run("prune", f"{section.name}: prune", inputs, make))


def _train_quantized(
    model: ModelRun,
    recipe: Recipe,
    validation: _LazyValidation,
    inputs: dict[str, Any],
    stages: Stages,
    device: str,
) -> Artifact:
    """Train the quantized model on (QAT), from what post-training quantization made."""
    section, start = model.section, model.quantized
    assert start is not None

    def make(work: Path) -> dict[str, Any]:
        from edgemat.workflow.stages.quantizing import qat_stage

        return _name(
            qat_stage(
                model.float_model,
                start,
                section.data,
                validation(),
                section.quantize.qat,
                work=work,
                out=stages.artifacts,
                seed=recipe.seed,
                device=device,
            )
        )

    inputs = inputs | {
        "quantized": start.manifest.identity,
        "settings": section.quantize.qat.model_dump(),
        "recipe": recipe.model_dump(include={"seed", "threads"}),
    }
    return stages.open(stages.run("qat", f"{section.name}: train quantized", inputs, make))


def _convert(
    model: ModelRun,
    target: str,
    source: Artifact,
    validation: _LazyValidation,
    recipe: Recipe,
    stages: Stages,
) -> None:
    def make(_: Path) -> dict[str, Any]:
        from edgemat.workflow.stages.converting import convert_stage

        artifact, verified = convert_stage(source, target, validation(), out=stages.artifacts)
        result = _name(artifact)
        return result | {"layers": [table.to_json() for table in verified.layers]}

    inputs = {
        "parent": source.manifest.identity,
        "target": target,
        "validation": recipe.verify.images,
    }
    title = f"{model.section.name}: convert and verify {target}"
    result = stages.run("convert", title, inputs, make)
    model.stage_results[target] = result
    model.files.append(stages.open(result))


class _LazyValidation:
    """The validation set, drawn once and only if a stage asks for it."""

    def __init__(self, section: ModelSection, recipe: Recipe) -> None:
        self._section, self._recipe = section, recipe

    @cache  # noqa: B019 - lives as long as the run
    def __call__(self) -> Any:
        import torch

        from edgemat.models import model_info
        from edgemat.scoring.validation import VALIDATION_SEED, evaluation_set

        # every stage runs with the recipe's threads: sums depend on how they are split
        torch.set_num_threads(self._recipe.threads)
        return evaluation_set(
            self._section.validation or self._section.data,
            task=model_info(self._section.architecture).task,
            size=self._section.input_size,
            count=self._recipe.verify.images,
            seed=VALIDATION_SEED + self._recipe.seed,
        )


def _photo(models: list[ModelRun], recipe: Recipe, stages: Stages) -> dict[str, Any] | None:
    """Cut a real photograph out with the portrait model's int8 TFLite file."""
    portrait = next((m for m in models if m.float_model.manifest.task == "portrait"), None)
    file = portrait.file("tflite-int8") if portrait else None
    if file is None:
        return None

    def make(_: Path) -> dict[str, Any]:
        from edgemat.report.photo import ALBUM, PICTURES, make_album, make_pictures

        make_pictures(recipe.photo, file, stages.folder)
        files = list(PICTURES)
        if recipe.album is not None:
            make_album(Path(recipe.album), file, stages.folder)
            files.append(ALBUM)
        return {"files": files, "model": file.path.name}

    inputs = {"photo": _photo_identity(recipe.photo), "file": file.manifest.payload_sha256}
    if recipe.album is not None:
        inputs["album"] = identity_of(Path(recipe.album))
    return stages.run("photo", "cut out the photograph", inputs, make)


def _photo_identity(photo: str) -> str:
    path = Path(photo)
    return sha256_file(path) if path.is_file() else photo


def _report(
    path: Path,
    recipe: Recipe,
    models: list[ModelRun],
    benches: list[dict[str, Any]],
    gates: tuple[Any, ...],
    photo: dict[str, Any] | None,
    stages: Stages,
) -> Path:
    report = stages.folder / "report.html"

    def make(_: Path) -> dict[str, Any]:
        from edgemat.bench.result import Result
        from edgemat.report.collect import collect_report
        from edgemat.report.write import write_report

        results = [Result.model_validate(row) for row in benches]
        data = collect_report(path, recipe, models, results, gates, photo, stages.folder)
        write_report(data, report)
        return {"files": [report.name]}

    inputs = {
        "artifacts": [a.manifest.identity for m in models for a in m.artifacts],
        "measured": [row["recorded_at"] for row in benches],
        "gates": [row.verdict.to_json() for row in gates],
        "recipe": sha256_file(path),
        "photo": photo,
    }
    stages.run("report", "report", inputs, make)
    return report


def _name(artifact: Artifact) -> dict[str, Any]:
    return {"artifact": artifact.path.name}


def _is_quantized(target: str) -> bool:
    return find_target(target).quantized
