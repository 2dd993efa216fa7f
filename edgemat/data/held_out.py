"""The parts of a recipe's data: what is trained on, and what judges, never share a foreground."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from edgemat.data.folder import folder_split
from edgemat.data.layouts.table import DatasetLayout
from edgemat.data.sample import DatasetPart
from edgemat.data.sections import (
    AUTO,
    BackgroundSection,
    DataSection,
    SourceSection,
    opened_part,
    source_path,
)
from edgemat.data.split import Split

AnySection = SourceSection | BackgroundSection


def for_training(data: DataSection) -> DataSection:
    """Return a section in which nothing is taken that validation holds out."""
    return _with_parts(data, lambda one: opened_part(one.part))


def for_validation(data: DataSection, *, trained_on: DataSection) -> DataSection:
    """Return a section in which, unless it says otherwise, nothing is taken that is trained on.

    Parameters
    ----------
    trained_on:
        Folders that are not in it are taken whole. May be `data` itself, for pictures of the same
        kind.
    """
    trained = {path for path, *_ in _folders(trained_on)}
    same = data == trained_on

    def part(one: AnySection) -> DatasetPart:
        if one.part == AUTO:
            return "held-out" if trained & set(_paths(one)) else "all"
        return "held-out" if same and one.part == "train" else one.part

    return _with_parts(data, part)


def splits(data: DataSection) -> dict[str, Split]:
    """Return how each folder of mattes in `data` is split, by as much of its path as tells it."""
    folders = {path: layout for path, layout, _ in _folders(data)}
    return {
        _name_among(path, folders): folder_split(path, layout) for path, layout in folders.items()
    }


def shares_foregrounds(data: DataSection, *, trained_on: DataSection) -> bool:
    """Whether a matte of `data` is in `trained_on`, too: both as they are opened."""
    trained = set(_mattes(for_training(trained_on)))
    return not trained.isdisjoint(_mattes(data))


def _name_among(path: Path, folders: Collection[Path]) -> str:
    """Return the shortest end of a path that no other folder has, "mine" or "b/mine"."""
    parts = path.parts
    for count in range(1, len(parts)):
        if sum(other.parts[-count:] == parts[-count:] for other in folders) == 1:
            return "/".join(parts[-count:])
    return str(path)


def _mattes(data: DataSection) -> Iterator[tuple[Path, str]]:
    for path, layout, part in _folders(data):
        yield from ((path, name) for name in folder_split(path, layout).names(part))


def _folders(data: DataSection) -> Iterator[tuple[Path, DatasetLayout, DatasetPart]]:
    for one in data.mix or (data,):
        for path in _paths(one):
            yield path, one.layout, opened_part(one.part)


def _paths(one: AnySection) -> Iterator[Path]:
    yield from (source_path(str(path)).resolve() for path in one.paths())


def _with_parts(data: DataSection, part: Callable[[AnySection], DatasetPart]) -> DataSection:
    def chosen(one: AnySection) -> dict[str, DatasetPart]:
        return {"part": part(one)}

    return data.model_copy(
        update={
            **chosen(data),
            "mix": tuple(one.model_copy(update=chosen(one)) for one in data.mix),
            "backgrounds": tuple(one.model_copy(update=chosen(one)) for one in data.backgrounds),
        }
    )
