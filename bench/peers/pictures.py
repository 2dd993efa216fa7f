"""Photographs to compare on, with their truth.

    FOLDER/image/    photographs
           alpha/    soft truth, or
           mask/     binary truth
           trimap/   optional; the name of this folder is an option

Files belong together by their stem. What cannot be used is named, never passed over in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgemat.data.folder import photographs_of, photographs_split
from edgemat.data.ignored import small_parts
from edgemat.data.listing import pictures
from edgemat.data.sample import DatasetPart
from edgemat.data.split import HELD_OUT_FILE, LEAST_TO_SPLIT, split_names
from edgemat.data.trimap import fixed_trimap
from edgemat.errors import ImageError, UsageError
from edgemat.images import (
    F32,
    U8,
    check_same_size,
    read_grey,
    read_image,
    read_trimap,
)

Truth = Literal["alpha", "mask"]
T = TypeVar("T")
BAND = 1 / 50
"""Half width of the band around the true edge, as a share of the picture's longer side."""
THRESHOLD = 0.5
"""Alpha from which on a pixel is the person."""


@dataclass(frozen=True)
class Photo:
    """The files of one photograph."""

    name: str
    image: Path
    truth: Path | None = None
    trimap: Path | None = None


@dataclass(frozen=True)
class PhotoSet:
    """Photographs of one folder.

    Attributes
    ----------
    name:
        The folder's own name.
    truth:
        Soft or binary; None for photographs that are only looked at.
    skipped:
        Name and reason of every picture that cannot be used.
    """

    name: str
    folder: Path
    truth: Truth | None
    part: DatasetPart
    photos: tuple[Photo, ...]
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Loaded:
    """One photograph in memory.

    Attributes
    ----------
    image:
        HxWx3 uint8.
    truth:
        HxW float32 in 0..1; None where there is none.
    trimap:
        As the user painted it, HxW uint8; None where there is none.
    band:
        Trimap whose unknown region errors are summed over: the user's, else made from the truth.
    ignored:
        HxW bool, where any alpha is right; None where none is given away.
    """

    photo: Photo
    image: U8
    truth: F32 | None
    trimap: U8 | None
    band: U8 | None
    ignored: NDArray[np.bool_] | None = None

    @property
    def anyone_counts(self) -> bool:
        """Whether there is anyone who is not ignored; of pictures without truth, who knows."""
        if self.ignored is None or self.truth is None:
            return True
        return bool(((self.truth >= THRESHOLD) & ~self.ignored).any())


def find_photos(
    folder: Path, *, part: DatasetPart = "all", limit: int | None = None, trimaps: str = "trimap"
) -> PhotoSet:
    """Return the photographs of a folder that have a truth.

    Parameters
    ----------
    part:
        "held-out" is a tenth of all that have a truth, as in training.
    limit:
        At most so many, evenly spaced by name.
    trimaps:
        Name of the folder with trimaps.

    Raises
    ------
    UsageError
        When there are no photographs, no truth, no pair, or nothing is left of a part.
    """
    images = pictures(folder / "image")
    if not images:
        raise UsageError(
            f"{folder} has no pictures in image/.",
            remedy="Put photographs into image/ and their truth into alpha/ or mask/.",
        )
    kind, truths = _find_truths(folder)
    painted = pictures(folder / trimaps)
    skipped = [(stem, f"has no {kind}") for stem in sorted(images.keys() - truths.keys())]
    skipped += [(stem, "has no photograph") for stem in sorted(truths.keys() - images.keys())]
    # The rule counts all truths, as training counts all alphas: a photograph that is missing
    # here must not move the others from one part to the other.
    split = split_names(truths, folder)
    if part == "held-out" and not split.held_out:
        raise UsageError(
            f"{folder} has too few pictures with a truth ({len(truths)}) to hold some out.",
            remedy=f"Give {LEAST_TO_SPLIT} or more, or take all.",
        )
    stems = [s for s in split.names(part) if s in images]
    if not stems:
        raise UsageError(
            f"{folder} has no photograph with a truth of its name in the part {part!r}.",
            remedy="Name them alike: image/anna.jpg, mask/anna.png.",
        )
    photos = tuple(Photo(s, images[s], truths[s], painted.get(s)) for s in spread(stems, limit))
    return PhotoSet(folder.resolve().name, folder, kind, part, photos, tuple(skipped))


def find_looks(folder: Path, *, part: DatasetPart = "all", limit: int | None = None) -> PhotoSet:
    """Return photographs without truth, from FOLDER/image or FOLDER itself.

    Raises
    ------
    UsageError
        When there are none.
    """
    images = photographs_of(folder)
    if not images:
        raise UsageError(f"{folder} has no pictures.", remedy="Name a folder of photographs.")
    stems = list(images)
    if part != "all":
        split = photographs_split(folder)
        if not split.held_out:
            raise UsageError(
                f"{folder} has no {HELD_OUT_FILE}: all of it may be trained on.",
                remedy=f"Write one, before training: edgemat data hold-out {folder}",
            )
        stems = list(split.names(part))
    photos = tuple(Photo(stem, images[stem]) for stem in spread(stems, limit))
    return PhotoSet(folder.resolve().name, folder, None, part, photos)


def percent(share: float) -> str:
    """Return a share of 0 to 1 as a percentage, in as many digits as it has: 0.025 is 2.5%."""
    return f"{100 * share:.6g}%"


def spread(names: list[T], limit: int | None) -> list[T]:
    """Return at most `limit` of them, evenly spaced, so that a short run sees all of a folder."""
    if limit is None or limit >= len(names):
        return names
    return [names[k * len(names) // limit] for k in range(limit)]


def load(photo: Photo, truth: Truth | None, *, ignore_below: float = 0.0) -> Loaded:
    """Read the files of one photograph.

    Parameters
    ----------
    ignore_below:
        Share of the picture below which a part of the truth does not count.

    Raises
    ------
    ImageError
        A file is damaged, or of another size than the photograph.
    """
    image = read_image(photo.image)
    if photo.truth is None:
        return Loaded(photo, image, None, None, None)
    alpha = read_grey(photo.truth)
    check_same_size(image, alpha, names=(str(photo.image), str(photo.truth)))
    if not alpha.any():
        raise ImageError(
            f"{photo.truth} is empty: any matte of nothing has a small error.",
            remedy="Leave that picture out.",
        )
    if truth == "mask":
        alpha = (alpha >= 0.5).astype(np.float32)
    trimap = None
    if photo.trimap is not None:
        trimap = read_trimap(photo.trimap)
        check_same_size(image, trimap, names=(str(photo.image), str(photo.trimap)))
    ignored = small_parts(alpha, ignore_below) if ignore_below else None
    band = trimap
    if band is None:
        band = edge_band(alpha if ignored is None else np.where(ignored, np.float32(0), alpha))
    return Loaded(photo, image, alpha, trimap, band, ignored)


def edge_band(truth: F32) -> U8:
    """Return a trimap, HxW uint8, whose unknown region is the BAND around the edge of `truth`.

    Parameters
    ----------
    truth:
        HxW float32 in 0..1.
    """
    return fixed_trimap(truth, dilation=max(1, round(BAND * max(truth.shape))))


def _find_truths(folder: Path) -> tuple[Truth, dict[str, Path]]:
    kinds: tuple[Truth, ...] = ("alpha", "mask")
    for kind in kinds:
        truths = pictures(folder / kind)
        if truths:
            return kind, truths
    raise UsageError(
        f"{folder} has photographs but no truth: no pictures in alpha/ or mask/.",
        remedy="Put soft alphas into alpha/ or binary masks into mask/, or only look at the "
        "photographs with --look.",
    )
