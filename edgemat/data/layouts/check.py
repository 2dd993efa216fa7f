"""Is a set of pictures complete: counts, sizes, missing partners, what its mattes are like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from edgemat.callbacks import Progress
from edgemat.data.folder import HELD_OUT, TRAIN, files_split
from edgemat.data.layouts.files import StoredFile, partnerless
from edgemat.data.layouts.pictures import PAIR_SETS
from edgemat.data.layouts.table import MATTE_SETS, DatasetLayout
from edgemat.data.small_pictures import read_small_pictures
from edgemat.errors import ImageError, UsageError, nearest
from edgemat.images import image_size, read_grey, read_rgba


@dataclass(frozen=True)
class Sizes:
    """Heights and widths of pictures, px: the smallest and largest side, and the median of both."""

    shortest: int
    longest: int
    median_height: int
    median_width: int

    @classmethod
    def of(cls, sizes: Sequence[tuple[int, int]]) -> Sizes:
        """Return what `sizes`, heights and widths, come to."""
        sides = np.array(sizes)
        height, width = np.median(sides, axis=0).astype(int).tolist()
        return cls(int(sides.min()), int(sides.max()), height, width)


@dataclass(frozen=True)
class AlphaStatistics:
    """Mean shares of the pixels of alpha mattes, 0..1."""

    opaque: float
    partial: float
    transparent: float


@dataclass(frozen=True)
class CheckedSet:
    """What was found in a folder.

    Attributes
    ----------
    counts, expected:
        Pictures of each part; what a complete set has, where that is known.
    alphas:
        None for a set without mattes.
    problems:
        A sentence each. A set without any can be trained and judged on.
    """

    name: str
    counts: dict[str, int]
    expected: dict[str, int]
    sizes: Sizes | None = None
    alphas: AlphaStatistics | None = None
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


SMALL_SETS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
SMALL_TREE = """
    train-images-idx3-ubyte, t10k-images-idx3-ubyte (or .gz)
    or one .npz with x_train and x_test, in a folder or named itself"""
SMALL_SIZES = {"train": 60_000, "test": 10_000}


def known_sets() -> dict[str, tuple[str, str]]:
    """Return title and folders of every set, by name."""
    sets = {name: (one.title, one.tree) for name, one in MATTE_SETS.items()}
    sets |= {name: (one.title, one.tree) for name, one in PAIR_SETS.items()}
    return sets | {name: (title, SMALL_TREE) for name, title in SMALL_SETS.items()}


def check_set(name: str, path: Path, *, progress: Progress | None = None) -> CheckedSet:
    """Look through a folder that is to be a known set.

    Parameters
    ----------
    name:
        One of :func:`known_sets`.
    path:
        The folder; of small pictures, also their .npz file.
    progress:
        Called with the numbers of mattes that are read, and of all.

    Raises
    ------
    UsageError
        For another name, a folder that is not there, or one that is laid out otherwise.
    """
    if name not in known_sets():
        raise UsageError(
            f"There is no set named {name!r}.", remedy=nearest(name, sorted(known_sets()))
        )
    if name in SMALL_SETS and path.is_file():
        return _check_small(name, path)
    if not path.is_dir():
        raise UsageError(f"There is no folder {path}.", remedy="Name the folder of the set.")
    if name in MATTE_SETS:
        return _check_mattes(cast(DatasetLayout, name), path, progress)
    return _check_small(name, path) if name in SMALL_SETS else _check_pairs(name, path)


def _check_small(name: str, path: Path) -> CheckedSet:
    read = read_small_pictures(path)
    counts = {"train": len(read.train), "test": len(read.test)}
    sizes = [(x.shape[1], x.shape[2]) for x in (read.train, read.test)]
    problems = _miscounted(counts, SMALL_SIZES)
    return CheckedSet(name, counts, dict(SMALL_SIZES), Sizes.of(sizes), problems=problems)


def _check_mattes(name: DatasetLayout, path: Path, progress: Progress | None) -> CheckedSet:
    entry = MATTE_SETS[name]
    files = entry.find(path)
    split = files_split(files, path)
    counts: dict[str, int] = {TRAIN: len(split.train), HELD_OUT: len(split.held_out)}
    problems = [f"{one} has no partner of the same name." for one in partnerless(files)]
    problems += _miscounted(counts, entry.sizes)
    shares, sizes = [], []
    contents: dict[str, str] = {}
    held_out = set(split.held_out)
    for number, (stem, file) in enumerate(files.alphas.items(), start=1):
        try:
            alpha = _alpha(file, is_cutout=not files.colours)
            partner = files.colours.get(stem)
            if partner is not None and (size := image_size(partner)) != alpha.shape:
                problems.append(
                    f"{stem}: the matte has {_px(alpha.shape)}, its colours {_px(size)}."
                )
        except ImageError as error:
            problems.append(error.message)
            continue
        sizes.append((alpha.shape[0], alpha.shape[1]))
        shares.append(_shares(alpha))
        if shares[-1][2] == 1:
            problems.append(f"{stem}: no pixel is foreground.")
        # a foreground that is in both parts under two names
        digest = hashlib.sha256(alpha.tobytes()).hexdigest()
        twin = contents.setdefault(digest, stem)
        if (twin in held_out) != (stem in held_out):
            problems.append(f"{twin} and {stem} are one matte, in both parts.")
        if progress is not None:
            progress(number, len(files.alphas))
    mean = np.mean(shares, axis=0).tolist() if shares else None
    return CheckedSet(
        name,
        counts,
        dict(entry.sizes),
        Sizes.of(sizes) if sizes else None,
        AlphaStatistics(*mean) if mean else None,
        problems,
    )


def _check_pairs(name: str, path: Path) -> CheckedSet:
    entry = PAIR_SETS[name]
    found = entry.find(path)
    counts = {part: len(pairs) for part, pairs in found.items()}
    problems, sizes = _miscounted(counts, entry.sizes), []
    for pairs in found.values():
        for stem, (image, truth) in pairs.items():
            try:
                size = image_size(image)
                if truth is not None and image_size(truth) != size:
                    problems.append(f"{stem}: picture and truth differ in size.")
            except ImageError as error:
                problems.append(error.message)
                continue
            sizes.append(size)
    shared = (
        set.intersection(*(set(pairs) for pairs in found.values())) if len(found) > 1 else set()
    )
    problems += [f"{stem} is in both parts." for stem in sorted(shared)]
    return CheckedSet(
        name, counts, dict(entry.sizes), Sizes.of(sizes) if sizes else None, problems=problems
    )


def _miscounted(counts: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    return [
        f"{part} has {counts.get(part, 0):,} pictures; the complete set has {wanted:,}."
        for part, wanted in expected.items()
        if counts.get(part, 0) != wanted
    ]


def _alpha(file: StoredFile, *, is_cutout: bool) -> np.ndarray[Any, np.dtype[np.float32]]:
    if not is_cutout:
        return read_grey(file)
    alpha = read_rgba(file)[1]
    if alpha is None:
        raise ImageError(f"{file} has no alpha channel.", remedy="A cut-out is an RGBA picture.")
    return alpha


def _shares(alpha: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[float, float, float]:
    opaque, transparent = float((alpha >= 1).mean()), float((alpha <= 0).mean())
    return opaque, 1 - opaque - transparent, transparent


def _px(size: Iterable[int]) -> str:
    height, width = size
    return f"{width} x {height} px"
