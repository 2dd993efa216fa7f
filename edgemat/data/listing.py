"""The pictures of a folder, by their stems."""

from __future__ import annotations

from pathlib import Path

from edgemat.errors import UsageError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
CUTOUT_SUFFIXES = {".png", ".webp"}


def pictures(folder: Path, suffixes: set[str] = SUFFIXES) -> dict[str, Path]:
    """Return the pictures of a folder by stem, sorted; empty where there is no folder.

    Raises
    ------
    UsageError
        When two pictures have the same stem.
    """
    if not folder.is_dir():
        return {}
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        # Hidden files are no pictures: macOS leaves "._cat.png" beside "cat.png".
        if file.suffix.lower() not in suffixes or file.name.startswith("."):
            continue
        if file.stem in files:
            raise UsageError(
                f"{folder} has both {files[file.stem].name} and {file.name}.",
                remedy="Keep one of the two, or give them different names.",
            )
        files[file.stem] = file
    return files
