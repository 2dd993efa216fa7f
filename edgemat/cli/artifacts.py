"""Commands that take an artefact: export, quantize, convert, verify, gate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import (
    ArtifactPath,
    DataOption,
    FileImagesOption,
    OutputOption,
    show_artifacts,
)
from edgemat.errors import GateFailed, UsageError
from edgemat.terminal import AsJson, out, print_json


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
            "--to",
            help="Folder for the app's files, or a demo app: android_demo, ios_demo; one called "
            "web becomes a page for any phone's browser.",
        ),
    ] = Path("exported"),
    int8: Annotated[bool, typer.Option("--int8", help="int8 (the default).")] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help="float16.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="float32.")] = False,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="One runtime's files alone, such as coreai; by default of each that "
            "edgemat[deploy] brings.",
        ),
    ] = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Write the files that an app takes, verified, from a float model: one for each runtime.

    ios_demo gets int8 and float16 unless one is asked for.
    """
    from edgemat.convert.backend import Precision
    from edgemat.workflow.api.mobile import export as export_model

    options: dict[Precision, bool] = {"int8": int8, "fp16": fp16, "fp32": fp32}
    chosen = [name for name, on in options.items() if on]
    if len(chosen) > 1:
        raise UsageError(
            "--" + " and --".join(chosen) + " exclude each other.", remedy="Give one of them."
        )
    precision = chosen[0] if chosen else None
    written = export_model(artifact, output, precision=precision, runtime=runtime, data=data)
    if as_json:
        print_json([str(path) for path in written])
    else:
        for path in written:
            tables.show_path(out, path)


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
    from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact
    from edgemat.files import write_text

    # a network and its file have one card
    model = find_artifact(model).name.partition("@")[0].removesuffix(f"-{SHIPPED_TARGET}")
    text = make_card(model, read_measured(measured, model))
    if output is None:
        out.print(text, markup=False, soft_wrap=True)
    else:
        write_text(output, text)
        tables.show_path(out, output)


def convert(
    artifact: ArtifactPath,
    target: Annotated[list[str], typer.Option(help="Such as tflite-int8; can be repeated.")],
    data: DataOption = None,
    images: FileImagesOption = None,
    output: OutputOption = None,
    as_json: AsJson = False,
) -> None:
    """Convert an artefact to mobile files, run each, and write down how well it agrees."""
    from edgemat.workflow.api.mobile import convert_all

    made = convert_all(artifact, target, data=data, images=images, output=output)
    show_artifacts(made, as_json)
    for file in made:
        if not as_json and file.manifest.int8_proof is not None:
            tables.show_proof(out, file.manifest.int8_proof)


def verify(
    artifact: ArtifactPath,
    data: DataOption = None,
    images: FileImagesOption = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="int8: compare tensor by tensor, in LSB.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a mobile file and compare it with the model that it was made from.

    With --layers, exit status 1 when the median difference of a layer exceeds 1 LSB.
    """
    from edgemat.artifacts.shipped import open_mobile
    from edgemat.workflow.api.mobile import verify as verify_artifact

    verified = verify_artifact(artifact, data=data, images=images, layers=layers)
    if as_json:
        found = [agreement.model_dump() for agreement in verified.agreements]
        tensors = {"layers": [table.to_json() for table in verified.layers]} if layers else {}
        proof = verified.proof and verified.proof.model_dump()
        costs = [cost.to_json() for cost in verified.float_costs]
        print_json({"agreements": found, "int8_proof": proof, "float_costs": costs} | tensors)
    else:
        shown = verified.agreements[0].images
        title = f"{open_mobile(artifact).path.name}, {shown} composites"
        tables.show_verified(out, title, verified)
        for table in verified.layers:
            tables.show_layers(out, table)
    for table in verified.layers[:1]:  # the runtime that apps use
        if (first := table.first_above(1.0)) is not None:
            raise GateFailed(
                f"{table.runtime}: {first.layer} is the first layer whose median difference "
                f"exceeds 1 LSB ({first.median_lsb:g}).",
                remedy="Look at what comes before it: a grid that does not fit, an operator lost.",
            )
