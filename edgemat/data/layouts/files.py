"""What every layout of a set of mattes comes down to: files by the name of the matte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgemat.errors import UsageError
from edgemat.images import PackedFile

StoredFile = Path | PackedFile
"""Where a picture of a set lies: in a file of its own, or in an archive."""


@dataclass(frozen=True)
class MatteFiles:
    """The files of a set of mattes.

    Attributes
    ----------
    alphas:
        Name to alpha matte, or to an RGBA cut-out where there are no `colours`.
    colours:
        Name to the foreground's colours, or to the photograph.
    has_layers:
        Whether `colours` are of foregrounds, to be put over backgrounds.
    trimaps:
        Name to a trimap that a person drew; not all names need one.
    backgrounds:
        That come with the set.
    held_out:
        Names of the set's own test part; None for a set that is split by edgemat's rule.
    """

    alphas: Mapping[str, StoredFile]
    colours: Mapping[str, StoredFile] = field(default_factory=dict)
    has_layers: bool = True
    trimaps: Mapping[str, StoredFile] = field(default_factory=dict)
    backgrounds: tuple[StoredFile, ...] = ()
    held_out: frozenset[str] | None = None


def require_partners(files: MatteFiles, path: Path) -> None:
    """Check that every alpha has colours, and all else an alpha.

    Raises
    ------
    UsageError
        With the first that are alone.
    """
    alone = partnerless(files)
    if alone:
        shown = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        raise UsageError(
            f"In {path} some pictures have no partner of the same name: {shown}.",
            remedy="Every alpha needs a foreground or image of the same name, and every "
            "foreground, image or trimap an alpha.",
        )


def partnerless(files: MatteFiles) -> list[str]:
    """Return the names that one kind of picture alone has, sorted."""
    alone = files.trimaps.keys() - files.alphas.keys()
    if files.colours:
        alone |= files.alphas.keys() ^ files.colours.keys()
    return sorted(alone)
