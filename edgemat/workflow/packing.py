"""`edgemat data pack`: all that a recipe reads, small enough to be carried to another machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from pydantic import BaseModel

from edgemat.callbacks import Progress
from edgemat.data.pack import PackedPicture, pack_mattes, pack_photographs
from edgemat.data.sample import Use
from edgemat.data.sections import BackgroundSection, SourceSection
from edgemat.data.split import HELD_OUT_FILE
from edgemat.errors import UsageError
from edgemat.files import atomic_path, explain_os_errors
from edgemat.recipe.schema import Recipe
from edgemat.section import Section

PACKAGE = Path(__file__).parents[1]


@dataclass
class _Reads:
    """What a recipe reads: folders of mattes, of photographs, and what is copied as it is."""

    mattes: dict[Path, set[Use]] = field(default_factory=dict)
    photographs: set[Path] = field(default_factory=set)
    others: set[Path] = field(default_factory=set)


def pack_recipe(
    recipe: Recipe, output: Path, *, side: int, progress: Progress | None = None
) -> tuple[int, int]:
    """Write what a recipe reads into a folder, at the same relative paths: there it can be trained.

    Held-out parts stay held out. Networks that it starts from are copied; what edgemat brings is
    not.

    Parameters
    ----------
    output:
        A folder that does not exist yet.
    side:
        Longer side that no picture exceeds, px.
    progress:
        Called with the pictures that are written, and their number.

    Returns
    -------
    tuple
        The pictures, and the bytes of all files.

    Raises
    ------
    UsageError
        For an `output` that is there, a path that is not below this folder, or a set in another
        layout than edgemat's own.
    DiskError
        It cannot be written.
    """
    if output.exists():
        raise UsageError(f"{output} is there already.", remedy="Name a new folder.")
    reads = _reads(recipe)
    with explain_os_errors(output), atomic_path(output, directory=True) as folder:
        pictures = _pictures(reads, folder)
        for done, picture in enumerate(pictures, start=1):
            picture.target.parent.mkdir(parents=True, exist_ok=True)
            picture.target.write_bytes(picture.encoded(side))
            if progress is not None:
                progress(done, len(pictures))
        for path in (*reads.mattes, *reads.photographs):
            if (path / HELD_OUT_FILE).is_file():
                shutil.copyfile(path / HELD_OUT_FILE, folder / path / HELD_OUT_FILE)
        for path in reads.others:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, folder / path)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return len(pictures), size


def _pictures(reads: _Reads, folder: Path) -> list[PackedPicture]:
    """Return all pictures, each once: those of mattes may be an album as well."""
    mattes = (pack_mattes(path, folder / path, uses) for path, uses in reads.mattes.items())
    photographs = (pack_photographs(path, folder / path) for path in sorted(reads.photographs))
    return list({one.target: one for one in chain(*mattes, *photographs)}.values())


def _reads(recipe: Recipe) -> _Reads:
    reads = _Reads()
    for section in _sections(recipe):
        for path in section.paths():
            if path.is_absolute() and path.is_relative_to(PACKAGE):
                continue
            _require_below(path)
            if isinstance(section, SourceSection):
                _require_own_layout(section)
                reads.mattes.setdefault(path, set()).add(section.use)
            elif isinstance(section, BackgroundSection) and section.surroundings:
                reads.mattes.setdefault(path, set()).add("image")
            elif isinstance(section, BackgroundSection):
                reads.photographs.add(path)
            else:
                reads.others.add(path)
    if recipe.album is not None:
        _require_below(Path(recipe.album))
        reads.photographs.add(Path(recipe.album))
    if recipe.photo != "astronaut":
        _require_below(Path(recipe.photo))
        reads.others.add(Path(recipe.photo))
    return reads


def _sections(value: object) -> Iterator[Section]:
    """Yield a section and all of its parts."""
    if isinstance(value, Section):
        yield value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _sections(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _sections(item)


def _require_below(path: Path) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(
            f"{path} does not lie below this folder: packed, the recipe would not find it.",
            remedy="Write it relative to this folder, for example data/NAME (a link will do).",
        )


def _require_own_layout(section: SourceSection) -> None:
    if section.layout != "own":
        raise UsageError(
            f"{section.source} has the layout {section.layout}: only edgemat's own is packed.",
            remedy="Carry it as it is, or as shards: edgemat data shard.",
        )
