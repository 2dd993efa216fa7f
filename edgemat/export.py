"""From a trained model to the files that an app takes: `edgemat export portrait --int8`.

OUTPUT/portrait-int8.tflite      for Android
       portrait-int8.mlpackage   for iOS
       portrait.json             how to feed them, what they scored, what was proved of them
       portrait-golden.npz       inputs and mattes, to check an app's own code against

Where OUTPUT is an app's folder, such as ``ios_demo``, the app says what it takes: see
:mod:`edgemat.app_folder`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from convert.target import find_target
from edgemat.app_folder import MANIFEST, AppFolder, AppModel
from edgemat.artifact import Artifact
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import atomic_path, explain_os_errors, move_into_place, write_json
from edgemat.recipe_sections import DataSection
from edgemat.validation import evaluation_set_for

Precision = Literal["int8", "fp16", "fp32"]
TARGETS: dict[Precision, tuple[str, ...]] = {
    "int8": ("tflite-int8", "coreml-w8a8"),
    "fp16": ("tflite-fp16", "coreml-fp16"),
    "fp32": ("tflite-fp32",),
}
CALIBRATION, VERIFICATION = 48, 8  # pictures


def export(
    source: Artifact, output: Path, *, precision: Precision, data: DataSection
) -> list[Path]:
    """Quantize (for int8), convert and verify a float artefact; write what an app needs.

    Parameters
    ----------
    source:
        A float artefact.
    data:
        Pictures to calibrate int8 on, and to verify all files on.

    Returns
    -------
    list of Path
        Everything that was written.

    Raises
    ------
    ArtifactError
        When `source` is not a float artefact.
    """
    from edgemat.stages.converting import convert_stage
    from edgemat.stages.quantizing import quantize_stage

    manifest = source.manifest
    _check_float(source)
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
        for target in TARGETS[precision]:
            made, _ = convert_stage(parent, target, validation, out=shelf)
            suffix = Path(find_target(target).payload).suffix
            path = output / f"{manifest.name}-{precision}{suffix}"
            move_into_place(made.payload, path)
            files[path.name] = made.manifest.model_dump(mode="json")
            written.append(path)
        golden = output / f"{manifest.name}-golden.npz"
        with atomic_path(golden) as temporary:
            shutil.copyfile(source.golden, temporary)
    card = output / f"{manifest.name}.json"
    write_json(card, {"model": manifest.name, "golden": golden.name, "files": files})
    return [*written, golden, card]


def export_to_app(
    source: Artifact, app: AppFolder, *, precisions: Sequence[Precision], data: DataSection
) -> list[Path]:
    """Write the files of a float artefact that an app takes into its folder of models.

    Parameters
    ----------
    precisions:
        Of the files that the app takes, those wanted; none means all.
    data:
        Pictures to calibrate int8 on, and to verify all files on.

    Returns
    -------
    list of Path
        Everything that was written.

    Raises
    ------
    ArtifactError
        When `source` is not a float artefact.
    UsageError
        When the app takes no file of those precisions.
    """
    from edgemat.stages.converting import convert_stage
    from edgemat.stages.quantizing import quantize_stage

    _check_float(source)
    targets = [t for t in app.targets if not precisions or t.precision in precisions]
    if not targets:
        raise UsageError(
            f"The app takes no {' or '.join(precisions)} file.",
            remedy="It takes " + ", ".join(target.name for target in app.targets) + ".",
        )
    validation = evaluation_set_for(source.manifest, data, count=VERIFICATION)
    with explain_os_errors(app.models):
        app.models.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with tempfile.TemporaryDirectory(dir=app.models, prefix=".exporting-") as scratch:
        shelf = Path(scratch)
        quantized = None
        for target in targets:
            if target.quantized and quantized is None:
                quantized = quantize_stage(source, data, validation, count=CALIBRATION, out=shelf)
            parent = quantized if target.quantized and quantized is not None else source
            made, verified = convert_stage(parent, target.name, validation, out=shelf)
            name = f"{source.manifest.name}-{target.precision}"
            path = app.models / f"{name}{Path(target.payload).suffix}"
            move_into_place(made.payload, path)
            golden = app.write_golden(name, validation.pixels[0], verified.alphas[0])
            app.add(AppModel.describe(name, path.name, golden, made.manifest))
            written += [path, app.models / golden.pixels, app.models / golden.alpha]
    return [*written, app.models / MANIFEST]


def _check_float(source: Artifact) -> None:
    if source.manifest.kind != "float":
        raise ArtifactError(
            f"{source.path.name} is {source.manifest.kind}; an export starts from the float "
            "model.",
            remedy="Give the artefact that training wrote, or a shipped model's name.",
        )
