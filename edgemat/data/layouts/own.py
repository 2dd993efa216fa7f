"""The layout that edgemat invites: folders whose files have the same names, or cut-outs."""

from __future__ import annotations

from pathlib import Path

from edgemat.data.layouts.files import MatteFiles
from edgemat.data.listing import CUTOUT_SUFFIXES, pictures
from edgemat.data.sample import Use
from edgemat.errors import UsageError


def find_own(path: Path, use: Use = "auto") -> MatteFiles:
    """Return the mattes of a folder; :mod:`edgemat.data.folder` shows the layout.

    Raises
    ------
    UsageError
        When there are none, or no colours of the kind that `use` asks for.
    """
    alphas = pictures(path / "alpha")
    trimaps = pictures(path / "trimap")
    backgrounds = tuple(pictures(path / "background").values())
    if alphas:
        colours, has_layers = _find_colours(path, use)
        return MatteFiles(alphas, colours, has_layers, trimaps, backgrounds)
    cutouts = pictures(path, CUTOUT_SUFFIXES)
    if not cutouts:
        raise UsageError(
            f"{path} has no pictures in alpha/, and no RGBA cut-outs.",
            remedy="Put alpha mattes into alpha/ and their colours into foreground/ or image/.",
        )
    return MatteFiles(cutouts, trimaps=trimaps, backgrounds=backgrounds)


def _find_colours(path: Path, use: Use) -> tuple[dict[str, Path], bool]:
    for name, has_layers in (("foreground", True), ("fg", True), ("image", False)):
        if use != "auto" and (use == "foreground") != has_layers:
            continue
        found = pictures(path / name)
        if found:
            return found, has_layers
    wanted = "foreground/ nor image/" if use == "auto" else f"{use}/"
    raise UsageError(
        f"{path} has {'neither' if use == 'auto' else 'no'} {wanted} with pictures.",
        remedy="Put the colours there, with the same names as the alphas.",
    )
