"""Mobile files: convert, verify, and export for an app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.artifacts.lineage import find_parent, float_ancestor, look_for_parent
from edgemat.artifacts.shipped import (
    SHIPPED_TARGET,
    ArtifactLike,
    file_beside,
    open_artifact,
    open_mobile,
)
from edgemat.doctor import needs
from edgemat.errors import UsageError
from edgemat.workflow.api.opening import open_with_validation, pictures_for

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.convert.backend import Precision, Target
    from edgemat.scoring.evaluate import EvaluationSet
    from edgemat.workflow.api.opening import DataLike
    from edgemat.workflow.stages.converting import Verified


def convert(
    artifact: ArtifactLike,
    target: str,
    *,
    data: DataLike = None,
    images: int | None = None,
    output: Path | str | None = None,
) -> Artifact:
    """Convert an artefact to a mobile file, run the file, and write down how well it agrees.

    >>> import edgemat
    >>> file = edgemat.convert("portrait", "tflite-fp16", images=2)
    >>> file.manifest.target, file.manifest.agreements[0].reference
    ('tflite-fp16', 'float')

    Parameters
    ----------
    artifact:
        A float artefact for float targets, a quantized one for int8: open, its folder, NAME@HASH,
        or a shipped model's name.
    target:
        Such as "tflite-int8"; ``edgemat.convert.backends`` lists them.
    data:
        "people", "procedural", a folder or a section of a recipe; by default the task's pictures.
    images:
        Validation composites that the file is run on; by default as many as its runtime has the
        speed for: 16, 2 for Core AI.
    output:
        Folder for the result; by default beside the artefact, for shipped models the current one.

    Raises
    ------
    UsageError
        For a name that is no artefact or no target, or an artefact of another kind.
    ConversionError
        When the converter cannot take the network, or took it wrongly.
    MissingToolError
        When the target's converter is not installed.
    """
    return convert_all(artifact, [target], data=data, images=images, output=output)[0]


@needs("deploy")
def convert_all(
    artifact: ArtifactLike,
    targets: Sequence[str],
    *,
    data: DataLike = None,
    images: int | None = None,
    output: Path | str | None = None,
) -> list[Artifact]:
    """Convert to several targets, tried on the first of the same pictures; see :func:`convert`."""
    from edgemat.convert.backends import find_backend, find_target
    from edgemat.workflow.stages.converting import convert_stage

    counts = [images or find_backend(find_target(name).runtime).pictures for name in targets]
    source = open_artifact(artifact)
    opened = {count: open_with_validation(source, data, count) for count in set(counts)}
    return [
        convert_stage(source, name, opened[count].validation, out=opened[count].shelf(output))[0]
        for name, count in zip(targets, counts, strict=True)
    ]


@needs("deploy")
def verify(
    artifact: ArtifactLike,
    *,
    data: DataLike = None,
    images: int | None = None,
    layers: bool = False,
) -> Verified:
    """Run a mobile file and compare it with the model that it was made from.

    >>> import edgemat
    >>> file = edgemat.convert("portrait", "tflite-fp32", images=2)
    >>> [agreement.runtime for agreement in edgemat.verify(file, images=2).agreements]
    ['LiteRT, XNNPACK', 'LiteRT, reference kernels']

    Parameters
    ----------
    artifact:
        An artefact of a mobile file, beside those that it was made from; a shipped model's name
        means its int8 file.
    data, images:
        As for :func:`convert`.
    layers:
        Also compare an int8 file with the frozen model tensor by tensor, in steps of its grids.

    Raises
    ------
    UsageError
        When the artefact is no mobile file, or `layers` are asked of one that is not quantized.
    ArtifactError
        When it is damaged, or what it was made from is not beside it. A shipped int8 file is
        compared with the float model, which ships, and with the frozen one as read back from it.
    MissingToolError
        When torch or the file's runtime is not installed.
    """
    from edgemat.convert.backends import BACKENDS, find_backend, find_target
    from edgemat.quantize.reference import load_reference
    from edgemat.workflow.stages.converting import verify_file

    file = open_mobile(artifact)
    _ = file.manifest.matting_task  # a network for something else has no files at all
    if file.manifest.target is None:
        raise UsageError(
            f"{file.path.name} is no mobile file.",
            remedy=f"Give a {' or '.join(backend.runtime for backend in BACKENDS)} artefact.",
        )
    target = find_target(file.manifest.target)
    count = images or find_backend(target.runtime).pictures
    validation = open_with_validation(file, data, count).validation
    if layers and not target.quantized:
        raise UsageError(
            f"{file.path.name} is not quantized: its tensors have no grids to compare on.",
            remedy="Give an int8 file, or leave out --layers.",
        )
    parent = look_for_parent(file)
    if parent is not None:
        verified = verify_file(file.payload, target, load_reference(parent), validation)
    else:
        verified = _verify_shipped(file, target, validation, layers=layers)
    if verified.proof is not None and verified.proof.float_islands:
        costs = find_backend(target.runtime).float_costs(file.payload)
        verified = replace(verified, float_costs=costs)
    return verified if layers else replace(verified, layers=())


def _verify_shipped(
    file: Artifact, target: Target, validation: EvaluationSet, *, layers: bool
) -> Verified:
    """Compare a file with the float model at its root, and with the frozen one that it holds."""
    from edgemat.convert.backends import find_target
    from edgemat.quantize.frozen import freeze
    from edgemat.quantize.reference import load_reference
    from edgemat.workflow.stages.converting import verify_file
    from edgemat.workflow.stages.quantizing import read_shipped

    root = float_ancestor(file)
    holds_frozen = target.quantized and target.runtime == find_target(SHIPPED_TARGET).runtime
    if layers and not holds_frozen:
        find_parent(file)  # of other runtimes' files nothing is read back: it says what is missing
    network = load_reference(root)
    if not holds_frozen:
        return verify_file(file.payload, target, network, validation, reference="float")
    made = read_shipped(root, file, validation)
    frozen = freeze(made.deploy, made.spec)
    return verify_file(file.payload, target, frozen, validation, root=network)


@needs("deploy")
def export(
    artifact: ArtifactLike | None,
    output: Path | str,
    *,
    precision: Precision | None = None,
    runtime: str | None = None,
    data: DataLike = None,
) -> list[Path]:
    """Write the files that an app takes, verified, from a float model: one for each runtime.

    >>> import edgemat
    >>> sorted(path.name for path in edgemat.export("portrait", "exported", precision="fp32"))
    ['portrait-fp32.tflite', 'portrait-golden.npz', 'portrait.json']

    Parameters
    ----------
    artifact:
        A float artefact: open, its folder, NAME@HASH, or a shipped model's name. None puts the
        shipped int8 models into a demo app, without torch.
    output:
        Folder for the app's files, or a demo app's: android_demo, ios_demo; or one that is called
        web, which becomes a page for any phone's browser. That takes a shipped model's int8 file
        as it ships, and brings the trimap network to refine with.
    precision:
        By default int8, for ios_demo int8 and float16.
    runtime:
        Of the only file to write, such as "coreai"; by default one for each runtime that needs no
        extra of its own, for a demo app the one that it prefers.
    data:
        Pictures to calibrate int8 on and to verify all files on; by default the task's. Without,
        a shipped model's int8 .tflite is given out as it ships, and other int8 files are made on
        its very grids.

    Returns
    -------
    list of Path
        Everything that was written.

    Raises
    ------
    UsageError
        For a name that is no artefact, a precision that a demo app has no use for, or a folder
        called web with something else in it.
    ArtifactError
        When the artefact is damaged or not a float one, or takes a trimap and is for the page.
    MissingToolError
        When NNCF or a converter is not installed, or npm gives no LiteRT.js for the page.
    """
    from edgemat.workflow.web_app import is_web_app

    output = Path(output)
    if is_web_app(output):
        return _export_page(artifact, output, precision, runtime, data)
    return _export_files(artifact, output, precision, runtime, data)


def _export_page(
    artifact: ArtifactLike | None,
    output: Path,
    precision: Precision | None,
    runtime: str | None,
    data: DataLike,
) -> list[Path]:
    """Export to a new page for browsers, and put that into the place of an earlier one."""
    from edgemat.workflow.app_assets import WEB, put_into_app
    from edgemat.workflow.web_app import require_page_can_feed, web_app

    opened = None
    if artifact is not None:
        opened = open_artifact(artifact)
        if precision in (None, "int8") and runtime is None and data is None:
            opened = file_beside(opened) or opened
        require_page_can_feed(opened)
    with web_app(output) as page:
        _export_files(opened, page, precision, runtime, data)
        if opened is not None:
            put_into_app([open_artifact("trimap", target=SHIPPED_TARGET)], WEB, page)
    return [output]


def _export_files(
    artifact: ArtifactLike | None,
    output: Path,
    precision: Precision | None,
    runtime: str | None,
    data: DataLike,
) -> list[Path]:
    from edgemat.workflow.app_assets import find_app, put_shipped

    if artifact is None:
        if precision not in (None, "int8") or runtime is not None:
            asked = f"--format {runtime}" if runtime is not None else f"--{precision}"
            raise UsageError(
                f"{asked} is of which model?", remedy=f"edgemat export portrait {asked}"
            )
        return put_shipped(output)
    from edgemat.workflow.export import PRECISIONS
    from edgemat.workflow.export import export as export_files

    opened = open_artifact(artifact)
    section = pictures_for(opened, data)
    as_shipped = file_beside(opened) if data is None else None
    app = find_app(output)
    wanted: Sequence[str] = (precision or "int8",)
    if app is not None and opened.manifest.kind == "float" and precision is None:
        wanted = app.precisions
    written: dict[Path, None] = {}  # the app's manifest is written each time, and named once
    for name in wanted:
        (known,) = (known for known in PRECISIONS if known == name)
        written |= dict.fromkeys(
            export_files(
                opened,
                output,
                precision=known,
                runtime=runtime,
                data=section,
                as_shipped=as_shipped,
            )
        )
    return list(written)
