"""Several sources of mattes and of backgrounds as one, each with its share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgemat.data.folder import (
    FolderSource,
    photographs_of,
    photographs_split,
)
from edgemat.data.listing import pictures
from edgemat.data.sample import DatasetPart, Matte, MatteSource, rng_for
from edgemat.errors import UsageError
from edgemat.images import U8, read_background, resize

T = TypeVar("T")

# Keys of the random streams; see `rng_for`.
_CHOICE, _BACKGROUND_CHOICE = 10, 11
# No training crop needs a larger background.
BACKGROUND_SIDE = 800
# How far outside of the person's bounding box a background must at least reach, px.
MIN_SURROUNDINGS = 48


class Backgrounds(Protocol):
    """A place backgrounds come from; a pure function of the index."""

    def background(self, index: int) -> U8:
        """Return an HxWx3 uint8 RGB background of any size."""


class MixedBackgrounds:
    """Endless backgrounds from several sources.

    Parameters
    ----------
    parts:
        At least one source, each with its share; shares need not add up to 1.
    """

    def __init__(self, parts: Sequence[tuple[Backgrounds, float]], *, seed: int) -> None:
        self.seed = seed
        self._parts, self._shares = _split(parts)

    def background(self, index: int) -> U8:
        """Return a background of a random source."""
        rng = rng_for(self.seed, index, _BACKGROUND_CHOICE)
        chosen = int(rng.choice(len(self._parts), p=self._shares))
        return self._parts[chosen].background(int(rng.integers(1 << 30)))


class Mix:
    """Endless mattes from several sources.

    Parameters
    ----------
    parts:
        At least one source, each with its share; shares need not add up to 1.
    backgrounds:
        What all of them are put over.
    """

    count: int | None = None

    def __init__(
        self,
        parts: Sequence[tuple[MatteSource, float]],
        backgrounds: Backgrounds,
        *,
        seed: int,
    ) -> None:
        self.seed = seed
        self._parts, self._shares = _split(parts)
        self._backgrounds = backgrounds

    def __getitem__(self, index: int) -> Matte:
        """Return a matte of a random source."""
        rng = rng_for(self.seed, index, _CHOICE)
        source = self._parts[int(rng.choice(len(self._parts), p=self._shares))]
        count = source.count
        return source[index if count is None else int(rng.integers(count))]

    def background(self, index: int) -> U8:
        """Return background `index`, whatever matte it is for."""
        return self._backgrounds.background(index)


class Photographs:
    """Backgrounds that are whole pictures of a folder, or of its image/.

    Parameters
    ----------
    part:
        Counts where the folder comes with a held-out.txt: pictures without anyone that a model is
        judged by. Others are not split: a background is no foreground.
    """

    def __init__(self, path: Path, *, part: DatasetPart = "all") -> None:
        if pictures(path / "alpha") or pictures(path / "mask"):
            raise UsageError(
                f"{path} has people in its pictures, which are to be backgrounds.",
                remedy="Write surroundings = true, or name photographs without anyone.",
            )
        found = photographs_of(path)
        if not found:
            raise UsageError(
                f"{path} has no pictures for backgrounds.", remedy="Put photographs there."
            )
        self._files = [found[name] for name in photographs_split(path).names(part)]
        self._cache: dict[int, U8] = {}

    def background(self, index: int) -> U8:
        """Return picture `index`, in turns, at most BACKGROUND_SIDE px on its longer side."""
        number = index % len(self._files)
        if number not in self._cache:
            picture = read_background(self._files[number])
            scale = min(1.0, BACKGROUND_SIDE / max(picture.shape[:2]))
            size = (round(picture.shape[0] * scale), round(picture.shape[1] * scale))
            self._cache[number] = resize(picture, size, method="bilinear")
        return self._cache[number]


class Surroundings:
    """Backgrounds cut from photographs of people, beside the person."""

    def __init__(self, source: FolderSource) -> None:
        self._windows = source
        assert source.count is not None
        self._count = source.count

    def background(self, index: int) -> U8:
        """Return the widest free strip of a photograph; the next one's where there is none."""
        for number in range(index, index + self._count):
            matte = self._windows[number % self._count]
            free = _free_window(matte.alpha)
            if free is not None:
                return matte.colours[free]
        raise UsageError(
            f"No photograph of {self._windows.path} has room beside the person.",
            remedy='Leave use = "surroundings" out for this folder.',
        )


class Empty:
    """Pictures without a person: backgrounds, with an empty matte."""

    count: int | None = None

    def __init__(self, backgrounds: Backgrounds) -> None:
        self._backgrounds = backgrounds

    def __getitem__(self, index: int) -> Matte:
        """Return a background as a photograph whose alpha is 0."""
        image = self._backgrounds.background(index)
        return Matte(np.zeros(image.shape[:2], np.uint8), image=image)

    def background(self, index: int) -> U8:
        """Return the same picture."""
        return self._backgrounds.background(index)


def _split(weighted: Sequence[tuple[T, float]]) -> tuple[list[T], NDArray[np.float64]]:
    shares = np.array([share for _, share in weighted], np.float64)
    return [item for item, _ in weighted], shares / shares.sum()


def _free_window(alpha: U8) -> tuple[slice, slice] | None:
    """Return the largest strip left, right or above of everything that is not background."""
    rows, columns = np.nonzero(alpha)
    height, width = alpha.shape
    if not len(rows):
        return slice(0, height), slice(0, width)
    whole = slice(0, height)
    strips = (
        (whole, slice(0, int(columns.min()))),
        (whole, slice(int(columns.max()) + 1, width)),
        (slice(0, int(rows.min())), slice(0, width)),
    )
    sides = [(s[0].stop - s[0].start, s[1].stop - s[1].start) for s in strips]
    usable = [n for n in range(3) if min(sides[n]) >= MIN_SURROUNDINGS]
    if not usable:
        return None
    return strips[max(usable, key=lambda n: sides[n][0] * sides[n][1])]
