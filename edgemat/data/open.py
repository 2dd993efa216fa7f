"""Open what a recipe calls a source of mattes."""

from __future__ import annotations

from pathlib import Path

from edgemat.data.folder import FolderSource
from edgemat.data.procedural import ALL_KINDS, OBJECT_KINDS, PORTRAIT_KINDS, ProceduralSource
from edgemat.data.sample import MatteSource
from edgemat.errors import UsageError, nearest

KINDS = {"all": ALL_KINDS, "portrait": PORTRAIT_KINDS, "objects": OBJECT_KINDS}


def open_source(
    source: str, *, seed: int, size: tuple[int, int], kinds: str = "all"
) -> MatteSource:
    """Return the source called "procedural", or a folder of the user's.

    Parameters
    ----------
    size:
        Height and width of procedural pictures; a folder's have their own.
    kinds:
        One of :data:`KINDS`; which procedural pictures to draw.

    Raises
    ------
    UsageError
        There are no such kinds, or the folder is not laid out as :mod:`edgemat.data.folder` says.
    """
    if kinds not in KINDS:
        raise UsageError(
            f"There are no kinds of matte named {kinds!r}.", remedy=nearest(kinds, KINDS)
        )
    if source == "procedural":
        return ProceduralSource(seed, size=size, kinds=KINDS[kinds])
    return FolderSource(Path(source), seed=seed, size=size)
