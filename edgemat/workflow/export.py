"""From a trained model to the files that an app takes: `edgemat export portrait --int8`.

OUTPUT/portrait-int8.tflite      for Android, and so on: one file for each runtime
       portrait-int8.mlpackage   for iOS
       portrait.json             how to feed them, what they scored, what was proved of them
       portrait-golden.npz       inputs and mattes, to check an app's own code against

Where OUTPUT is a demo app's folder, the files go to its assets instead: see app_assets.py.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.convert.backend import Precision, Target
from edgemat.convert.backends import find_backend, suffix_of, targets_in
from edgemat.data.sections import DataSection
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import atomic_path, explain_os_errors, move_into_place, write_json
from edgemat.scoring.evaluate import EvaluationSet
from edgemat.scoring.validation import evaluation_set_for
from edgemat.workflow.app_assets import App, find_app, put_into_app

PRECISIONS: tuple[Precision, ...] = ("int8", "fp16", "fp32")
CALIBRATION, VERIFICATION = 48, 8  # pictures


def export(
    source: Artifact,
    output: Path,
    *,
    precision: Precision,
    data: DataSection,
    runtime: str | None = None,
    as_shipped: Artifact | None = None,
) -> list[Path]:
    """Quantize (for int8), convert and verify a float artefact; write what an app needs.

    Parameters
    ----------
    source:
        A float artefact; for a demo app's folder also one that the app runs as it is.
    data:
        Pictures to calibrate int8 on, and to verify all files on.
    runtime:
        Of the only file to write; by default one for each that needs no extra of its own.
    as_shipped:
        The int8 .tflite that ships beside `source`. Of int8 it is given out as it is, and the other
        files have its grids, weights and biases: nothing is quantized again.

    Returns
    -------
    list of Path
        Everything that was written.

    Raises
    ------
    ArtifactError
        When `source` is of another kind.
    UsageError
        When a demo app has no use for that precision or runtime, or the runtime none for it.
    """
    app = find_app(output)
    manifest = source.manifest
    if app is not None and manifest.kind in app.kinds:
        return put_into_app([source], app, output)
    if manifest.kind != "float":
        raise ArtifactError(
            f"{source.path.name} is {manifest.kind}; an export starts from the float model.",
            remedy="Give the artefact that training wrote, or a shipped model's name.",
        )
    if app is not None and runtime is None:
        runtime = app.kinds[0]
    targets = targets_in(precision, runtime)
    if not targets or (app is not None and runtime not in app.kinds):
        raise UsageError(
            f"There is no {runtime} file of {precision} for {output.name}.",
            remedy=f"Give {_choices(app)}.",
        )
    count = VERIFICATION if runtime is None else min(VERIFICATION, find_backend(runtime).pictures)
    validation = evaluation_set_for(manifest, data, count=count)
    with explain_os_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with tempfile.TemporaryDirectory(dir=output, prefix=".exporting-") as scratch:
        shelf = Path(scratch)
        converted = _convert(source, targets, as_shipped, data, validation, shelf)
        if app is not None:
            return put_into_app(converted, app, output)
        files: dict[str, object] = {}
        for target, made in zip(targets, converted, strict=True):
            path = output / f"{manifest.name}-{precision}{suffix_of(target.runtime)}"
            _put(made, path)
            files[path.name] = made.manifest.model_dump(mode="json")
            written.append(path)
        golden = output / f"{manifest.name}-golden.npz"
        with atomic_path(golden) as temporary:
            shutil.copyfile(source.golden, temporary)
    card = output / f"{manifest.name}.json"
    write_json(card, {"model": manifest.name, "golden": golden.name, "files": files})
    return [*written, golden, card]


def _convert(
    source: Artifact,
    targets: Sequence[Target],
    as_shipped: Artifact | None,
    data: DataSection,
    validation: EvaluationSet,
    shelf: Path,
) -> list[Artifact]:
    """Return an artefact for each target; what ships is none to make again."""
    from edgemat.workflow.stages.converting import convert_stage
    from edgemat.workflow.stages.quantizing import quantize_as_shipped, quantize_stage

    ready = {} if as_shipped is None else {as_shipped.manifest.target: as_shipped}
    parent = source
    if any(target.quantized and target.name not in ready for target in targets):
        if as_shipped is None:
            parent = quantize_stage(source, data, validation, count=CALIBRATION, out=shelf)
        else:
            parent = quantize_as_shipped(source, as_shipped, validation, out=shelf)
    return [
        ready.get(target.name) or convert_stage(parent, target.name, validation, out=shelf)[0]
        for target in targets
    ]


def _put(made: Artifact, path: Path) -> None:
    """Write an artefact's file to a path, whole; a copy, as shipped ones stay where they are."""
    if made.payload.is_dir():
        move_into_place(made.payload, path)
        return
    with atomic_path(path) as temporary:
        shutil.copyfile(made.payload, temporary)


def _choices(app: App | None) -> str:
    """Return what can be asked for."""
    if app is None:
        return "another precision, or no --format"
    precisions = " or ".join(f"--{name}" for name in app.precisions)
    return f"{precisions}, and --format {' or '.join(app.kinds)}"
