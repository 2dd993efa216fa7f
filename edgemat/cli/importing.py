"""`edgemat import`: released weights become an artefact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.artifacts.vocabulary import Fit
from edgemat.cli.common import DataOption, ImagesOption, OutputOption, show_artifacts
from edgemat.terminal import AsJson


def import_(
    checkpoint: Annotated[
        Path, typer.Argument(help="File that others have released: .pth, .pt, .safetensors, ...")
    ],
    family: Annotated[
        str | None,
        typer.Option("--as", help="Whose network it is; by default known by its tensors."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the artefact; by default the architecture's.")
    ] = None,
    size: Annotated[
        tuple[int, int] | None, typer.Option(help="Height and width that files of it take, px.")
    ] = None,
    fit: Annotated[
        Fit | None, typer.Option(help="How pictures are brought to it; by default as in its paper.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="What its makers say of use.")] = None,
    data_notice: Annotated[
        str | None, typer.Option(help="What its makers say it was trained on.")
    ] = None,
    data: DataOption = None,
    images: ImagesOption = 16,
    output: OutputOption = None,
    as_json: AsJson = False,
) -> None:
    """Make a float artefact of a network that its authors released; nothing in the file is run."""
    from edgemat.workflow.api.importing import import_checkpoint

    made = import_checkpoint(
        checkpoint,
        family=family,
        name=name,
        size=size,
        fit=fit,
        licence=licence,
        data_notice=data_notice,
        data=data,
        images=images,
        output=output,
    )
    show_artifacts([made], as_json)
