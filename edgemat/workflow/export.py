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
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.convert.backend import Precision
from edgemat.convert.backends import suffix_of, targets_in
from edgemat.data.sections import DataSection
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import atomic_path, explain_os_errors, move_into_place, write_json
from edgemat.scoring.validation import evaluation_set_for
from edgemat.workflow.app_assets import find_app, put_into_app, require_fit

PRECISIONS: tuple[Precision, ...] = ("int8", "fp16", "fp32")
CALIBRATION, VERIFICATION = 48, 8  # pictures


def export(
    source: Artifact, output: Path, *, precision: Precision, data: DataSection
) -> list[Path]:
    """Quantize (for int8), convert and verify a float artefact; write what an app needs.

    Parameters
    ----------
    source:
        A float artefact; for a demo app's folder also one that the app runs as it is.
    data:
        Pictures to calibrate int8 on, and to verify all files on.

    Returns
    -------
    list of Path
        Everything that was written.

    Raises
    ------
    ArtifactError
        When `source` is of another kind, or fed in a way that the demo app has not.
    UsageError
        When a demo app has no use for that precision.
    """
    app = find_app(output)
    manifest = source.manifest
    if app is not None and manifest.kind == app.kind:
        return put_into_app([source], app, output)
    if manifest.kind != "float":
        raise ArtifactError(
            f"{source.path.name} is {manifest.kind}; an export starts from the float model.",
            remedy="Give the artefact that training wrote, or a shipped model's name.",
        )
    if app is not None:
        require_fit(source, app, output)
    from edgemat.workflow.stages.converting import convert_stage
    from edgemat.workflow.stages.quantizing import quantize_stage

    validation = evaluation_set_for(manifest, data, count=VERIFICATION)
    with explain_os_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with tempfile.TemporaryDirectory(dir=output, prefix=".exporting-") as scratch:
        shelf = Path(scratch)
        parent = source
        if precision == "int8":
            parent = quantize_stage(source, data, validation, count=CALIBRATION, out=shelf)
        files: dict[str, object] = {}
        targets = targets_in(precision)
        if app is not None:
            fitting = [target for target in targets if target.runtime == app.kind]
            if not fitting:
                raise UsageError(
                    f"There is no {app.kind} file of {precision} for {output.name}.",
                    remedy="Give " + " or ".join(f"--{name}" for name in app.precisions) + ".",
                )
            converted = [
                convert_stage(parent, target.name, validation, out=shelf)[0] for target in fitting
            ]
            return put_into_app(converted, app, output)
        for target in targets:
            made, _ = convert_stage(parent, target.name, validation, out=shelf)
            path = output / f"{manifest.name}-{precision}{suffix_of(target.runtime)}"
            move_into_place(made.payload, path)
            files[path.name] = made.manifest.model_dump(mode="json")
            written.append(path)
        golden = output / f"{manifest.name}-golden.npz"
        with atomic_path(golden) as temporary:
            shutil.copyfile(source.golden, temporary)
    card = output / f"{manifest.name}.json"
    write_json(card, {"model": manifest.name, "golden": golden.name, "files": files})
    return [*written, golden, card]
