"""The photograph that a run cuts out at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.artifacts.artifact import Artifact
from edgemat.report.photo import ALBUM, PICTURES, make_album, make_pictures

if TYPE_CHECKING:
    from edgemat.workflow.step import StepRecord


def photo_stage(
    photo: str | Path, album: Path | None, file: Artifact, *, folder: Path
) -> StepRecord:
    """Cut a photograph out with a mobile file, and those of an album if there is one.

    Parameters
    ----------
    photo:
        "astronaut", or a file.
    album:
        A folder of photographs.
    folder:
        Where the pictures go.
    """
    make_pictures(photo, file, folder)
    files = list(PICTURES)
    if album is not None:
        make_album(album, file, folder)
        files.append(ALBUM)
    return {"files": files, "model": file.path.name}
