"""What the commands share: options, and how an artefact and its pictures are opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from edgemat.cli import tables
from edgemat.terminal import out, print_json

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.data.sections import DataSection
    from edgemat.scoring.evaluate import EvaluationSet

ArtifactPath = Annotated[
    Path, typer.Argument(help="Folder of an artefact, NAME@HASH, or a shipped model's name.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder for results; by default beside.")
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", help='"people", "procedural" or a folder; by default the task\'s.'),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, mps, ...")]
BackgroundsOption = Annotated[
    Path | None, typer.Option(help="Photographs; drawn textures by default.")
]
ImagesOption = Annotated[int, typer.Option("--images", min=1, help="Validation composites.")]


class Opened(NamedTuple):
    """An artefact with the data that it is calibrated on and the pictures it is tried on."""

    artifact: Artifact
    data: DataSection
    validation: EvaluationSet

    def shelf(self, output: Path | None) -> Path:
        """Return the folder for what is made: `output`, else beside the artefact.

        What is made of a shipped model goes into the current folder, not into the package.
        """
        from edgemat.artifacts.shipped import SHELF

        beside = self.artifact.path.parent
        return output or (Path() if beside == SHELF else beside)

    @property
    def title(self) -> str:
        return f"{self.artifact.path.name}, {len(self.validation)} composites"


def open_with_validation(named: Path, data: str | None, images: int) -> Opened:
    """Open an artefact, or a shipped model, with validation composites of its size."""
    from edgemat.artifacts.shipped import open_shipped
    from edgemat.scoring.validation import default_data, evaluation_set_for

    artifact = open_shipped(named)
    manifest = artifact.manifest
    section = default_data(manifest.task, data)
    validation = evaluation_set_for(artifact.manifest, section, count=images)
    return Opened(artifact, section, validation)


def show_artifacts(artifacts: list[Artifact], as_json: bool) -> None:
    """Print where artefacts are, or their manifests."""
    if as_json:
        print_json([a.manifest.model_dump(mode="json") | {"path": str(a.path)} for a in artifacts])
        return
    for artifact in artifacts:
        tables.show_path(out, artifact.path)
