"""Shared by the functions: an artefact by whatever name, and the pictures it is tried on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHELF, ArtifactLike, open_artifact
from edgemat.artifacts.vocabulary import FITS, Fit
from edgemat.errors import UsageError

if TYPE_CHECKING:
    from edgemat.data.sections import DataSection
    from edgemat.scoring.evaluate import EvaluationSet

    DataLike = DataSection | Path | str | None
    """Pictures: "people", "procedural", a folder, a section of a recipe; None: the task's own."""


class Opened(NamedTuple):
    """An artefact with the data that it is calibrated on and the pictures it is tried on."""

    artifact: Artifact
    data: DataSection
    validation: EvaluationSet

    def shelf(self, output: Path | str | None) -> Path:
        """Return the folder for what is made: `output`, else beside the artefact.

        What is made of a shipped model goes into the current folder, not into the package.
        """
        if output is not None:
            return Path(output)
        beside = self.artifact.path.parent
        return Path() if beside == SHELF else beside


def require_fit(fit: Fit | None) -> None:
    """Raise a UsageError unless `fit` is None or one of the ways to feed a picture."""
    if fit is not None and fit not in FITS:
        raise UsageError(
            f"fit {fit!r} is no way to feed a picture.", remedy=f"Give one of {', '.join(FITS)}."
        )


def open_with_validation(named: ArtifactLike, data: DataLike, images: int) -> Opened:
    """Open an artefact, or a shipped model, with validation composites of its size."""
    from edgemat.scoring.validation import evaluation_set_for

    artifact = open_artifact(named)
    section = pictures_for(artifact, data)
    return Opened(artifact, section, evaluation_set_for(artifact.manifest, section, count=images))


def pictures_for(artifact: Artifact, data: DataLike) -> DataSection:
    """Return what a user means by `data`; unless told otherwise, pictures of the model's task."""
    return section_for(artifact.manifest.matting_task, data)


def section_for(task: str, data: DataLike) -> DataSection:
    """Return :func:`pictures_for` a model of a task."""
    from edgemat.data.sections import DataSection
    from edgemat.scoring.validation import default_data

    if isinstance(data, DataSection):
        return data
    return default_data(task, None if data is None else str(data))
