"""Gather what a run left behind into the report's input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edgemat.artifacts.artifact import TRAINING_LOG, Artifact, Manifest
from edgemat.artifacts.golden import read_mattes, read_pixels, read_truths
from edgemat.bench.devices.host import HOST, host_circumstances
from edgemat.bench.result import Result
from edgemat.convert.backends import BACKENDS
from edgemat.doctor import INT8_DOT_PRODUCT, INT8_SAYS_NOTHING, cpu_has_int8_dot_product
from edgemat.images import PIXEL_SCALE, read_grey, read_image, read_rgba
from edgemat.recipe.schema import Recipe
from edgemat.report.data import (
    CutOut,
    FileReport,
    GateRow,
    MatteSample,
    ModelReport,
    ModelRun,
    PhotoReport,
    ReportData,
)
from edgemat.report.photo import ALBUM, ALPHA, BACKGROUND, BLUR, CUTOUT, PHOTO
from edgemat.scoring.evaluate import keep_known

ASTRONAUT = "Eileen Collins, NASA, public domain; from scikit-image"


def collect_report(
    recipe_path: Path,
    recipe: Recipe,
    models: Sequence[ModelRun],
    benches: Sequence[Result],
    gates: Sequence[GateRow],
    photo: CutOut | None,
    folder: Path,
) -> ReportData:
    """Return everything that the report of a run tells."""
    here = host_circumstances()
    return ReportData(
        recipe_name=recipe.name,
        recipe_text=recipe_path.read_text(encoding="utf-8"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        circumstances={
            "Processor": here.soc,
            INT8_DOT_PRODUCT: "found" if cpu_has_int8_dot_product() else INT8_SAYS_NOTHING,
            "Cores": here.cores,
            "System": f"{here.os}, {here.abi}",
            "Virtual machine": {True: "yes", False: "no", None: "not known"}[here.virtualised],
            "Threads in training": recipe.threads,
            "Seed": recipe.seed,
            "Validation composites": recipe.verify.images,
        },
        demonstrations=tuple(m.section.name for m in models if m.section.demonstration),
        models=tuple(_model(model) for model in models),
        benches=tuple(benches),
        gates=tuple(gates),
        photo=None if photo is None else _photo(folder, photo, recipe.photo),
        skipped=(
            *unchecked([file.manifest for model in models for file in model.files]),
            *_unmeasured(benches),
        ),
        int8_is_slow_here=not cpu_has_int8_dot_product(),
    )


def unchecked(files: Sequence[Manifest]) -> tuple[str, ...]:
    """Return what no machine here could check of mobile files, and what is known of phones."""
    made = {file.kind for file in files}
    return (
        *(backend.caveat for backend in BACKENDS if backend.caveat and backend.runtime in made),
        *(f"{file.name}: {hazard}" for file in files for hazard in file.hazards),
    )


def _unmeasured(benches: Sequence[Result]) -> tuple[str, ...]:
    """Return the sentence that must stand where no phone or board was measured."""
    if any(bench.circumstances.transport != HOST.word for bench in benches):
        return ()
    return ("No phone was measured: latencies are those of this host.",)


def _model(model: ModelRun) -> ModelReport:
    artifacts = model.artifacts
    log = (model.trained.path / TRAINING_LOG).read_text().splitlines()
    return ModelReport(
        name=model.section.name,
        task=model.float_model.manifest.task,
        architecture=model.section.architecture,
        files=tuple(
            FileReport(a.manifest, model.layers.get(a.manifest.target or "", ())) for a in artifacts
        ),
        training_log=tuple(json.loads(line) for line in log),
        samples=tuple(_samples(model.float_model, artifacts)),
    )


def _samples(float_model: Artifact, artifacts: Sequence[Artifact]) -> list[MatteSample]:
    pixels, truths = read_pixels(float_model), read_truths(float_model)
    mattes = {artifact.manifest.name: read_mattes(artifact) for artifact in artifacts}
    samples = []
    count = min(len(pixels), len(truths), *(len(own) for own in mattes.values()))
    for i in range(count):
        trimap = pixels[i][..., 3] if pixels.shape[-1] == 4 else None
        own_mattes = {name: alphas[i] for name, alphas in mattes.items()}
        if trimap is not None:  # an app overwrites what the trimap knows
            own_mattes = {name: keep_known(a, trimap) for name, a in own_mattes.items()}
        samples.append(MatteSample(pixels[i][..., :3], truths[i], own_mattes, trimap))
    return samples


def _photo(folder: Path, made: CutOut, photo: str) -> PhotoReport:
    cutout, alpha = read_rgba(folder / CUTOUT)
    assert alpha is not None
    opacity = np.rint(alpha / PIXEL_SCALE).astype(np.uint8)[..., None]
    return PhotoReport(
        image=read_image(folder / PHOTO),
        alpha=read_grey(folder / ALPHA),
        cutout=np.concatenate([cutout, opacity], axis=2),
        replaced=read_image(folder / BACKGROUND),
        blurred=read_image(folder / BLUR),
        model=made.model,
        credit=ASTRONAUT if photo == "astronaut" else Path(photo).name,
        album=read_image(folder / ALBUM) if ALBUM in made.files else None,
    )
