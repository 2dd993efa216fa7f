"""Shared by the commands: options, and how artefacts are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemat.cli import tables
from edgemat.errors import UsageError
from edgemat.terminal import out, print_json

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact

ArtifactPath = Annotated[
    Path, typer.Argument(help="Folder of an artefact, NAME@HASH, or a shipped model's name.")
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder for results; by default beside.")
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", help='"people", "procedural" or a folder; by default the task\'s.'),
]
RayOption = Annotated[
    str | None,
    typer.Option("--ray", help="Ray cluster that does it: local, auto or HOST:PORT."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, mps, ...")]
BackgroundsOption = Annotated[
    Path | None, typer.Option(help="Photographs; drawn textures by default.")
]
ImagesOption = Annotated[int, typer.Option("--images", min=1, help="Validation composites.")]
FileImagesOption = Annotated[
    int | None,
    typer.Option(
        "--images", min=1, help="Validation composites; 16 by default, fewer for slow runtimes."
    ),
]


def finite_numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of an option such as R,G,B; none where one is no finite number."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()


def rgb_numbers(option: str, text: str) -> tuple[float, float, float]:
    """Return the three numbers of an option that has one for each colour.

    Raises
    ------
    UsageError
        For anything else.
    """
    numbers = finite_numbers(text)
    if len(numbers) != 3:
        raise UsageError(
            f"{option} {text!r} is not one number for each of R, G, B.",
            remedy=f"Write for example {option} 0.485,0.456,0.406.",
        )
    red, green, blue = numbers
    return red, green, blue


def show_artifacts(artifacts: Sequence[Artifact], as_json: bool) -> None:
    """Print where artefacts are, or their manifests."""
    if as_json:
        print_json([a.manifest.model_dump(mode="json") | {"path": str(a.path)} for a in artifacts])
        return
    for artifact in artifacts:
        tables.show_path(out, artifact.path)


def extras_of(models: Iterable[str | Path]) -> set[str]:
    """Return the extras that scoring the models takes: artefacts, .tflite files, or methods."""
    from edgemat.artifacts.shipped import open_artifact
    from edgemat.matting.classical import METHODS

    extras = {"evaluate"}
    for model in models:
        if str(model) in METHODS:
            extras.add("classical")
        elif Path(model).suffix != ".tflite" and open_artifact(model).manifest.kind == "float":
            extras.add("train")
    return extras
