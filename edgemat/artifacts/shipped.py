"""The models that edgemat brings with it, by name.

They are artefacts like any other, in ``edgemat/weights``: a float network and its int8 TFLite file.
The recipes that made them are in ``recipes/weights``, their model cards in ``docs/models``.
"""

from __future__ import annotations

import glob
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.errors import UsageError, nearest
from edgemat.files import explained, shorten

SHELF = Path(__file__).parents[1] / "weights"
SHIPPED_TARGET = "tflite-int8"
"""Of the mobile files among them."""

ArtifactLike = Artifact | Path | str
"""An artefact that is open, or what :func:`find_artifact` takes."""


def shipped_models() -> list[str]:
    """Return the names of the models that edgemat brings."""
    names = (path.name.split("@")[0] for path in SHELF.glob("*@*"))
    return sorted(name for name in names if not name.endswith(f"-{SHIPPED_TARGET}"))


def find_artifact(named: str | Path, *, target: str | None = None) -> Path:
    """Return the artefact that a name or a path means.

    Parameters
    ----------
    named:
        Folder of an artefact, with or without its @HASH (then the newest of that name), or the
        name of a shipped model, such as "portrait", or of its file, "portrait-tflite-int8".
    target:
        What a shipped model's name means: None for the float network, or "tflite-int8" for its
        file. A name that says it already, or has a @HASH, means what it says.

    Raises
    ------
    UsageError
        When it is neither; the nearest names are offered.
    """
    path = Path(named)
    try:
        if path.exists():
            return path
    except OSError as error:
        raise explained(error) from error
    name, _, content = path.name.partition("@")
    if target is not None and not content and not name.endswith(f"-{target}"):
        name = f"{name}-{target}"
    wanted = f"{glob.escape(name)}@{glob.escape(content) or '*'}"
    for shelf in (path.parent,) if path.parent != Path() else (path.parent, SHELF):
        found = sorted(shelf.glob(wanted), key=lambda p: p.stat().st_mtime)
        if found:
            return found[-1]
    raise UsageError(
        f"There is no artefact {shorten(named)}, and edgemat brings no model of that name.",
        remedy=nearest(str(named), shipped_models()),
    )


def default_model(*, needs_trimap: bool) -> Path:
    """Return the shipped int8 file for a photograph with, or without, a trimap."""
    return find_artifact("trimap" if needs_trimap else "portrait", target=SHIPPED_TARGET)


def file_beside(network: Artifact) -> Artifact | None:
    """Return the int8 file that ships beside a float network; None for one that does not ship."""
    if network.path.parent != SHELF or network.manifest.kind != "float":
        return None
    return open_artifact(network.manifest.name, target=SHIPPED_TARGET)


def open_mobile(named: ArtifactLike) -> Artifact:
    """Open what :func:`open_artifact` opens, for a command that a float network has no place in.

    The name of a shipped model means its int8 file there; its folder means the network itself.
    """
    opened = open_artifact(named)
    by_name = not isinstance(named, Artifact) and str(named) == opened.manifest.name
    return (file_beside(opened) if by_name else None) or opened


def open_artifact(named: ArtifactLike, *, target: str | None = None) -> Artifact:
    """Open what :func:`find_artifact` finds; its hash is compared with its manifest's.

    An artefact that is open already is returned as it is.
    """
    return named if isinstance(named, Artifact) else Artifact(find_artifact(named, target=target))
