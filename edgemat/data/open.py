"""Open what a recipe calls its data."""

from __future__ import annotations

from edgemat.data.drawn.source import ALL_KINDS, OBJECT_KINDS, PORTRAIT_KINDS, ProceduralSource
from edgemat.data.folder import FolderSource
from edgemat.data.mix import (
    Backgrounds,
    Empty,
    Mix,
    MixedBackgrounds,
    Photographs,
    Surroundings,
)
from edgemat.data.sample import MatteSource
from edgemat.data.sections import (
    BackgroundSection,
    DataSection,
    SourceSection,
    opened_part,
    source_path,
)
from edgemat.errors import UsageError

KINDS = {"all": ALL_KINDS, "portrait": PORTRAIT_KINDS, "objects": OBJECT_KINDS}


def open_data(data: DataSection, *, seed: int, size: tuple[int, int]) -> MatteSource:
    """Return the source of mattes that a recipe describes: for training, unless it says otherwise.

    Parameters
    ----------
    size:
        Height and width of procedural pictures; others have their own.

    Raises
    ------
    UsageError
        A folder is not laid out as :mod:`edgemat.data.folder` says, or the source is "empty" and
        there are no backgrounds.
    """
    if not data.mix and not data.backgrounds:
        if data.source == "empty":
            raise UsageError(
                'The source "empty" shows backgrounds alone, and none are given.',
                remedy="Name another source, or in a recipe write for example "
                'backgrounds = [{ source = "procedural" }].',
            )
        return _open_mattes(data, seed=seed, size=size)
    sections = data.backgrounds or (BackgroundSection(source="procedural"),)
    backgrounds = MixedBackgrounds(
        [(_open_background(one, seed=seed, size=size), one.weight) for one in sections], seed=seed
    )
    parts: list[tuple[MatteSource, float]] = []
    for one in data.mix or (data,):
        if one.source == "empty":
            parts.append((Empty(backgrounds), one.weight))
        else:
            parts.append((_open_mattes(one, seed=seed, size=size), one.weight))
    return Mix(parts, backgrounds, seed=seed)


def _open_mattes(section: SourceSection, *, seed: int, size: tuple[int, int]) -> MatteSource:
    if section.source == "procedural":
        return ProceduralSource(seed, size=size, kinds=KINDS[section.kinds])
    return FolderSource(
        source_path(section.source),
        seed=seed,
        size=size,
        use=section.use,
        part=opened_part(section.part),
        ignore_below=section.ignore_below,
        layout=section.layout,
    )


def _open_background(
    section: BackgroundSection, *, seed: int, size: tuple[int, int]
) -> Backgrounds:
    if section.source == "procedural":
        return ProceduralSource(seed, size=size)
    path = source_path(section.source)
    if not section.surroundings:
        return Photographs(path, part=opened_part(section.part))
    return Surroundings(
        FolderSource(path, seed=seed, size=size, use="image", part=opened_part(section.part))
    )
