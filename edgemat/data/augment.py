"""Random crop, scale and flip of a matte, before compositing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgemat.data.sample import Matte
from edgemat.images import U8, Method, T, resize

# IndexNet crops 320, 480 or 640 px and resizes to 320 (thesis section 3.6.1).
CROP_FACTORS = (1.0, 1.5, 2.0)


def augment(matte: Matte, *, size: tuple[int, int], rng: np.random.Generator) -> Matte:
    """Return a random view of `matte` with `size` (height, width) pixels.

    The crop is 1, 1.5 or 2 times as large, where the picture allows, and lies around a random
    pixel of partial alpha, so that training sees edges; half of the views are mirrored.
    """
    top, left, height, width = _window(matte.alpha, size, rng)
    mirrored = rng.random() < 0.5

    def view(plane: NDArray[T], method: Method = "bicubic") -> NDArray[T]:
        cut = plane[top : top + height, left : left + width]
        return resize(cut[:, ::-1] if mirrored else cut, size, method=method)

    return Matte(
        alpha=view(matte.alpha),
        foreground=None if matte.foreground is None else view(matte.foreground),
        image=None if matte.image is None else view(matte.image),
        trimap=None if matte.trimap is None else view(matte.trimap, "nearest"),
    )


def fit(matte: Matte, size: tuple[int, int]) -> Matte:
    """Return the whole matte scaled to `size` (height, width)."""
    return Matte(
        alpha=resize(matte.alpha, size),
        foreground=None if matte.foreground is None else resize(matte.foreground, size),
        image=None if matte.image is None else resize(matte.image, size),
        trimap=None if matte.trimap is None else resize(matte.trimap, size, method="nearest"),
    )


def cover(picture: U8, *, size: tuple[int, int], rng: np.random.Generator | None = None) -> U8:
    """Return `picture` scaled to cover `size` and cropped, at random or (without rng) centred."""
    height, width = size
    scale = max(height / picture.shape[0], width / picture.shape[1])
    scaled = (
        max(height, round(picture.shape[0] * scale)),
        max(width, round(picture.shape[1] * scale)),
    )
    picture = resize(picture, scaled)
    spare = (scaled[0] - height, scaled[1] - width)
    if rng is None:
        top, left = spare[0] // 2, spare[1] // 2
    else:
        top, left = (int(rng.integers(0, s + 1)) for s in spare)
    return picture[top : top + height, left : left + width]


def _window(
    alpha: U8, size: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Return top, left, height and width of a crop in the ratio of `size`."""
    factor = float(rng.choice(CROP_FACTORS))
    largest = min(alpha.shape[0] / size[0], alpha.shape[1] / size[1])
    factor = min(factor, largest)
    height = max(1, min(alpha.shape[0], round(size[0] * factor)))
    width = max(1, min(alpha.shape[1], round(size[1] * factor)))
    rows, columns = np.nonzero((alpha > 0) & (alpha < 255))
    if len(rows):
        pick = int(rng.integers(len(rows)))
        centre = (int(rows[pick]), int(columns[pick]))
    else:
        centre = (alpha.shape[0] // 2, alpha.shape[1] // 2)
    top = int(np.clip(centre[0] - height // 2, 0, alpha.shape[0] - height))
    left = int(np.clip(centre[1] - width // 2, 0, alpha.shape[1] - width))
    return top, left, height, width
