"""The place of a person in the picture: random views for networks without a trimap.

A trimap network looks at edges (`edgemat.data.augment`); a portrait network must find the person,
so it sees whole pictures, near and far, anywhere in the frame, and cut off by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgemat.data.sample import Matte
from edgemat.images import U8, resize

MAX_TURN = 20.0  # degrees
# Share of views that keep the whole picture, as `edgemat.matte` shows it to the network.
WHOLE_SHARE = 0.4


class View(NamedTuple):
    """A person in a frame: colours HxWx3 uint8, alpha HxW uint8."""

    colours: U8
    alpha: U8


def view_photograph(matte: Matte, size: tuple[int, int], rng: np.random.Generator) -> View:
    """Return a view of a photograph: all of it or a crop, its edges continued, turned, mirrored.

    The picture lies in the frame as in deployment: scaled to fit, the rest filled by its edge.
    """
    rgba = np.dstack([matte.colours, matte.alpha])
    if rng.random() >= WHOLE_SHARE:
        rgba = _crop(rgba, rng)
    height, width = rgba.shape[:2]
    # With room to turn in: the frame is cut out of the middle of a larger canvas.
    turned = rng.random() < 0.3
    canvas = tuple(round(side * 1.3) if turned else side for side in size)
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    scale = min(size[0] / height, size[1] / (width * stretch))
    inner = (
        max(1, min(size[0], round(height * scale))),
        max(1, min(size[1], round(width * stretch * scale))),
    )
    small = resize(rgba, inner, method="bilinear")
    frame = _continued(small, (canvas[0], canvas[1]), _offset(inner, canvas, turned, rng))
    if turned:
        frame = _turn(frame, float(rng.uniform(-MAX_TURN, MAX_TURN)), size)
    if rng.random() < 0.5:
        frame = frame[:, ::-1]
    return View(frame[..., :3], frame[..., 3])


def place_cutout(matte: Matte, size: tuple[int, int], rng: np.random.Generator) -> View:
    """Return a cut-out placed in a frame of `size`, near or far, mirrored at random.

    Where the cut-out touches the edge of its own picture the body goes on unseen: that side is
    kept at, or beyond, the same side of the frame.
    """
    colours, alpha = matte.colours, matte.alpha
    if rng.random() < 0.5:
        colours, alpha = colours[:, ::-1], alpha[:, ::-1]
    seen = alpha > 127
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return View(resize(colours, size), np.zeros(size, np.uint8))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    # A margin keeps soft edges; a cut side has none.
    margin = max(2, (bottom - top) // 12)
    height, width = alpha.shape
    cut = {"bottom": bottom >= height - 1, "left": left <= 1, "right": right >= width - 1}
    turned = not any(cut.values()) and top > 1 and rng.random() < 0.3
    whole = slice(None), slice(None)
    part = (
        slice(max(0, top - margin), min(height, bottom + margin)),
        slice(max(0, left - margin), min(width, right + margin)),
    )
    taken = whole if turned else part
    rgba = np.dstack([colours[taken], alpha[taken]])
    if turned:
        rgba = _turn(rgba, float(rng.normal(0, 8)), rgba.shape[:2])[part]
    share = rng.uniform(0.25, 1.25) if rng.random() < 0.7 else rng.uniform(0.6, 0.95)
    scale = share * min(size[0] / rgba.shape[0], 1.6 * size[1] / rgba.shape[1])
    if cut["left"] and cut["right"]:
        scale = max(scale, size[1] / rgba.shape[1])
    inner = (max(4, round(rgba.shape[0] * scale)), max(4, round(rgba.shape[1] * scale)))
    small = resize(rgba, inner, method="bilinear")
    spare_y, spare_x = size[0] - inner[0], size[1] - inner[1]
    y = int(rng.integers(min(spare_y, 0) // 2, max(spare_y, 0) + 1))
    x = int(rng.integers(min(spare_x, -inner[1] // 4), max(spare_x, inner[1] // 4) + 1))
    if cut["bottom"]:
        y = max(y, spare_y)
    if cut["left"] and cut["right"]:
        x = spare_x // 2
    elif cut["left"]:
        x = min(x, 0)
    elif cut["right"]:
        x = max(x, spare_x)
    return View(*_pasted(small, size, (y, x)))


def _crop(rgba: U8, rng: np.random.Generator) -> U8:
    """Return a window anywhere in the picture, of 35 to 100 % of each side (16 px or more)."""
    height, width = rgba.shape[:2]
    share = rng.uniform(0.45, 1.0)
    stretch = np.exp(rng.uniform(-0.25, 0.25))
    rows = max(16, min(height, round(height * share * stretch)))
    columns = max(16, min(width, round(width * share / stretch)))
    top = int(rng.integers(0, height - rows + 1))
    left = int(rng.integers(0, width - columns + 1))
    return rgba[top : top + rows, left : left + columns]


def _offset(
    inner: tuple[int, int], canvas: tuple[int, ...], centred: bool, rng: np.random.Generator
) -> tuple[int, int]:
    spare = [max(0, c - i) for c, i in zip(canvas, inner, strict=True)]
    if centred or rng.random() < 0.6:
        return spare[0] // 2, spare[1] // 2
    return int(rng.integers(spare[0] + 1)), int(rng.integers(spare[1] + 1))


def _continued(small: U8, canvas: tuple[int, int], offset: tuple[int, int]) -> U8:
    """Return `small` on a canvas, its edge pixels repeated outwards."""
    (top, left), (height, width) = offset, small.shape[:2]
    pads = ((top, canvas[0] - height - top), (left, canvas[1] - width - left), (0, 0))
    return np.pad(small, pads, mode="edge")


def _turn(rgba: U8, degrees: float, size: tuple[int, ...]) -> U8:
    """Return the middle of `rgba`, turned; each plane for itself, so that colours stay whole."""
    height, width = size[0], size[1]
    top, left = (rgba.shape[0] - height) // 2, (rgba.shape[1] - width) // 2
    planes = []
    for plane in (rgba[..., :3], rgba[..., 3]):
        image = Image.fromarray(np.ascontiguousarray(plane))
        turned = np.array(image.rotate(degrees, Image.Resampling.BILINEAR))
        planes.append(turned[top : top + height, left : left + width])
    return np.dstack(planes)


def _pasted(small: U8, size: tuple[int, int], at: tuple[int, int]) -> tuple[U8, U8]:
    """Return colours and alpha of `small` in an empty frame, cut off at its borders."""
    colours = np.empty((*size, 3), np.uint8)
    colours[:] = small[..., :3].mean(axis=(0, 1)).astype(np.uint8)
    alpha: NDArray[np.uint8] = np.zeros(size, np.uint8)
    y, x = at
    rows = slice(max(0, y), min(size[0], y + small.shape[0]))
    columns = slice(max(0, x), min(size[1], x + small.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = small[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
        colours[rows, columns], alpha[rows, columns] = part[..., :3], part[..., 3]
    return colours, alpha
