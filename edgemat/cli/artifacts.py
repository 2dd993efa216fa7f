"""Commands that take an artefact: export, evaluate, quantize, convert, verify, gate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import (
    ArtifactPath,
    DataOption,
    ImagesOption,
    Output,
    open_with_validation,
    show_artifacts,
)
from edgemat.convert.backend import Precision
from edgemat.convert.backends import all_targets, targets_in
from edgemat.errors import GateFailed, UsageError
from edgemat.terminal import AsJson, out, print_json


def _names(precision: Precision) -> str:
    """Return the files that an export of a precision makes."""
    return ", ".join(target.name for target in targets_in(precision))


def export(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of an artefact, NAME@HASH, or a shipped model's name; none puts the "
            "shipped int8 models into a demo app."
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--to", help="Folder for the app's files, or a demo app: android_demo, ios_demo."
        ),
    ] = Path("exported"),
    int8: Annotated[
        bool, typer.Option("--int8", help=f"int8 (the default): {_names('int8')}.")
    ] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help=f"float16: {_names('fp16')}.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help=f"float32: {_names('fp32')}.")] = False,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Write the files that an app takes, verified, from a float model: one for each runtime.

    ios_demo gets int8 and float16 unless one is asked for.
    """
    from edgemat.workflow.app_assets import put_shipped

    options = {"int8": int8, "fp16": fp16, "fp32": fp32}
    chosen = [name for name, on in options.items() if on]
    if len(chosen) > 1:
        raise UsageError(
            "--" + " and --".join(chosen) + " exclude each other.", remedy="Give one of them."
        )
    if artifact is not None:
        written = _export(artifact, output, chosen, data)
    elif chosen in ([], ["int8"]):
        written = put_shipped(output)
    else:
        raise UsageError(
            f"--{chosen[0]} is of which model?", remedy=f"edgemat export portrait --{chosen[0]}"
        )
    if as_json:
        print_json([str(path) for path in written])
    else:
        for path in written:
            tables.show_path(out, path)


def _export(named: Path, output: Path, chosen: list[str], data: str | None) -> list[Path]:
    from edgemat.artifacts.shipped import open_shipped
    from edgemat.scoring.validation import default_data
    from edgemat.workflow.app_assets import find_app
    from edgemat.workflow.export import PRECISIONS
    from edgemat.workflow.export import export as export_model

    opened = open_shipped(named)
    section = default_data(opened.manifest.task, data)
    app = find_app(output)
    if app is not None and opened.manifest.kind == "float":
        chosen = chosen or list(app.precisions)
    written: dict[Path, None] = {}  # the app's manifest is written each time, and named once
    for name in chosen or ["int8"]:
        (precision,) = (known for known in PRECISIONS if known == name)
        written |= dict.fromkeys(export_model(opened, output, precision=precision, data=section))
    return list(written)


def card(
    model: Annotated[str, typer.Argument(help="Name of a shipped model.")],
    measured: Annotated[
        Path, typer.Option(help="Folder with quality.json, bias-MODEL.json, peers-MODEL.json.")
    ] = Path("docs/models"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Markdown file; by default printed.")
    ] = None,
) -> None:
    """Write a shipped model's card: purpose, data, limits, scores, latency, bias."""
    from edgemat.artifacts.card import make_card, read_measured
    from edgemat.files import write_text

    text = make_card(model, read_measured(measured, model))
    if output is None:
        out.print(text, markup=False, soft_wrap=True)
    else:
        write_text(output, text)
        tables.show_path(out, output)


def evaluate(
    artifact: ArtifactPath,
    data: DataOption = None,
    images: ImagesOption = 16,
    as_json: AsJson = False,
) -> None:
    """Score an artefact against the ground truth."""
    from edgemat.convert.backends import find_backend
    from edgemat.matting.torch_predictor import torch_predictor
    from edgemat.quantize.reference import load_reference
    from edgemat.scoring.evaluate import predict_all, score

    opened = open_with_validation(artifact, data, images)
    manifest = opened.artifact.manifest
    if manifest.is_mobile:
        files = find_backend(manifest.kind).predictors(opened.artifact.payload)
        predict = next(iter(files.values()))
    else:
        predict = torch_predictor(load_reference(opened.artifact))
    scores = score(predict_all(predict, opened.validation), opened.validation)
    if as_json:
        print_json({region: value.model_dump() for region, value in scores.items()})
    else:
        tables.show_scores(out, opened.title, scores)


def convert(
    artifact: ArtifactPath,
    target: Annotated[list[str], typer.Option(help=", ".join(all_targets()) + ".")],
    data: DataOption = None,
    images: ImagesOption = 16,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Convert an artefact to mobile files, run each, and write down how well it agrees."""
    from edgemat.convert.backends import find_target
    from edgemat.workflow.stages.converting import convert_stage

    for name in target:
        find_target(name)
    opened = open_with_validation(artifact, data, images)
    shelf = opened.shelf(output)
    made = [
        convert_stage(opened.artifact, name, opened.validation, out=shelf)[0] for name in target
    ]
    show_artifacts(made, as_json)


def verify(
    artifact: ArtifactPath,
    data: DataOption = None,
    images: ImagesOption = 16,
    layers: Annotated[
        bool, typer.Option("--layers", help="int8: compare tensor by tensor, in LSB.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a mobile file and compare it with the model that it was made from.

    With --layers, exit status 1 when the median difference of a layer exceeds 1 LSB.
    """
    from edgemat.artifacts.lineage import find_parent
    from edgemat.convert.backends import BACKENDS, find_target
    from edgemat.quantize.reference import load_reference
    from edgemat.workflow.stages.converting import verify_file

    opened = open_with_validation(artifact, data, images)
    file = opened.artifact
    if file.manifest.target is None:
        raise UsageError(
            f"{file.path.name} is no mobile file.",
            remedy=f"Give a {' or '.join(backend.runtime for backend in BACKENDS)} artefact.",
        )
    target = find_target(file.manifest.target)
    if layers and not target.quantized:
        raise UsageError(
            f"{file.path.name} is not quantized: its tensors have no grids to compare on.",
            remedy="Give an int8 file, or leave out --layers.",
        )
    model = load_reference(find_parent(file))
    verified = verify_file(file.payload, target, model, opened.validation)
    compared = verified.layers if layers else ()
    if as_json:
        found = [agreement.model_dump() for agreement in verified.agreements]
        tensors = {"layers": [table.to_json() for table in compared]} if layers else {}
        print_json({"agreements": found} | tensors)
    else:
        tables.show_verified(out, opened.title, verified)
        for table in compared:
            tables.show_layers(out, table)
    for table in compared[:1]:  # the runtime that apps use
        if (first := table.first_above(1.0)) is not None:
            raise GateFailed(
                f"{table.runtime}: {first.layer} is the first layer whose median difference "
                f"exceeds 1 LSB ({first.median_lsb:g}).",
                remedy="Look at what comes before it: a grid that does not fit, an operator lost.",
            )
