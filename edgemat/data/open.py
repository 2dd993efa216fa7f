"""Open what a recipe calls its data."""

from __future__ import annotations

from pathlib import Path

from edgemat.data.folder import FolderSource
from edgemat.data.mix import Backgrounds, Empty, Mix, Photographs, Surroundings
from edgemat.data.procedural import ALL_KINDS, OBJECT_KINDS, PORTRAIT_KINDS, ProceduralSource
from edgemat.data.sample import MatteSource
from edgemat.errors import UsageError, nearest
from edgemat.recipe import BackgroundSection, DataSection, SourceSection

KINDS = {"all": ALL_KINDS, "portrait": PORTRAIT_KINDS, "objects": OBJECT_KINDS}
PEOPLE = Path(__file__).with_name("people")


def open_data(data: DataSection, *, seed: int, size: tuple[int, int]) -> MatteSource:
    """Return the source of mattes that a recipe describes.

    Parameters
    ----------
    size:
        Height and width of procedural pictures; others have their own.

    Raises
    ------
    UsageError
        There are no such kinds, or a folder is not laid out as :mod:`edgemat.data.folder` says.
    """
    backgrounds = [
        (_open_background(section, seed=seed, size=size), section.weight)
        for section in data.backgrounds
    ]
    if not data.mix and not backgrounds:
        return _open_source(data, [], seed=seed, size=size)
    if not backgrounds:
        backgrounds = [(ProceduralSource(seed, size=size), 1.0)]
    parts = [
        (_open_source(section, backgrounds, seed=seed, size=size), section.weight)
        for section in data.mix or (data,)
    ]
    return Mix(parts, backgrounds, seed=seed)


def source_path(name: str) -> Path:
    """Return the folder that a source's name means: "people" is the set that edgemat brings."""
    return PEOPLE if name == "people" else Path(name)


def _open_source(
    section: SourceSection,
    backgrounds: list[tuple[Backgrounds, float]],
    *,
    seed: int,
    size: tuple[int, int],
) -> MatteSource:
    if section.kinds not in KINDS:
        raise UsageError(
            f"There are no kinds of matte named {section.kinds!r}.",
            remedy=nearest(section.kinds, KINDS),
        )
    if section.source == "procedural":
        return ProceduralSource(seed, size=size, kinds=KINDS[section.kinds])
    if section.source == "empty":
        return Empty(backgrounds, seed=seed)
    return FolderSource(
        source_path(section.source), seed=seed, size=size, use=section.use, part=section.part
    )


def _open_background(
    section: BackgroundSection, *, seed: int, size: tuple[int, int]
) -> Backgrounds:
    if section.source == "procedural":
        return ProceduralSource(seed, size=size)
    path = source_path(section.source)
    if not section.surroundings:
        return Photographs(path)
    return Surroundings(FolderSource(path, seed=seed, size=size, use="image", part=section.part))
