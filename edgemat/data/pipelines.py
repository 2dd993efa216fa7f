"""The augmentation pipelines of the thesis: of DIM and IndexNet, of GCA, and of photographs.

=============  ==============================================================  ================
pipeline       a view of a matte                                               thesis
=============  ==============================================================  ================
indexnet       crop of 1, 1.5 or 2 times the size around an unknown pixel,     section 3.6.1
               scaled; mirrored; trimap dilated by 1 to 19 px
gca            two foregrounds merged half the time, 640 px a quarter of the   sections 4.6, 5.5
               time, affine, crop around an unknown pixel, trimap dilated by
               1 to 29 px, the foreground's colours jittered
photographs    crop anywhere, scaled, turned, mirrored                         section 6.5.2
=============  ==============================================================  ================

Where the text gives no figure, they are those of the code that it names: GCA's as A2U's authors
published it. "photographs" has none: scales of 0.75 to 1.5, 15 degrees, are edgemat's. All but the
first look at the picture once, through one affine map, instead of turning all of it first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from edgemat.data.augment import CROP_FACTORS
from edgemat.data.composite import merge
from edgemat.data.sample import Matte
from edgemat.data.trimap import fixed_trimap
from edgemat.data.warp import Window, affine
from edgemat.images import F32, U8, resize, to_float, to_uint8

ENLARGED = 500 / 320  # what a picture smaller than the crop is scaled to
INDEXNET_DILATION, GCA_DILATION = 19, 29
MERGED, RESIZED = 0.5, 0.25  # shares
RESIZED_SIDE = 640
MAX_DEGREES, MAX_SHEAR, LEAST_SCALE, MOST_SCALE = 30.0, 10.0, 0.8, 1.25
UNTURNED_BELOW = 1024  # px of the longer side
MAX_HUE = 40  # of 360 degrees
PHOTO_SCALE, PHOTO_DEGREES = (0.75, 1.5), 15.0


def indexnet_view(matte: Matte, size: int, rng: np.random.Generator) -> Matte:
    """Return a square view with its trimap, as DIM and IndexNet were trained."""
    shorter = min(matte.alpha.shape)
    if shorter < size:
        matte = _scaled(matte, size * ENLARGED / shorter)
        shorter = min(matte.alpha.shape)
    sides = [round(size * factor) for factor in CROP_FACTORS]
    side = int(rng.choice([s for s in sides if s <= shorter]))
    dilation = int(rng.integers(1, INDEXNET_DILATION + 1))
    centre = _unknown_pixel(matte, dilation, rng)
    top, left = (
        int(np.clip(middle - side // 2, 0, length - side))
        for middle, length in zip(centre, matte.alpha.shape, strict=True)
    )
    mirrored = rng.random() < 0.5
    # the dilation reaches in from outside of the crop
    around = [slice(max(0, start - dilation), start + side + dilation) for start in (top, left)]
    wide = _cut(matte, *around)
    trimap = wide.trimap
    if trimap is None:
        trimap = fixed_trimap(to_float(wide.alpha), dilation=dilation)
    inner = [
        slice(s - a.start, s - a.start + side) for s, a in zip((top, left), around, strict=True)
    ]
    cut = _cut(replace(wide, trimap=trimap), *inner)
    return _map(
        cut,
        lambda plane, nearest: resize(
            plane[:, ::-1] if mirrored else plane,
            (size, size),
            method="nearest" if nearest else "bicubic",
        ),
    )


def gca_view(matte: Matte, other: Matte | None, size: int, rng: np.random.Generator) -> Matte:
    """Return a square view with its trimap, as GCA, A2U and RMat were trained.

    Parameters
    ----------
    other:
        A second foreground, that is merged behind; None for none.
    """
    if other is not None and matte.foreground is not None and other.foreground is not None:
        matte = _merged(matte, other)
    if rng.random() < RESIZED:
        matte = _map(
            matte,
            lambda plane, nearest: resize(
                plane, (RESIZED_SIDE, RESIZED_SIDE), method="nearest" if nearest else "bilinear"
            ),
        )
    turns = max(matte.alpha.shape) >= UNTURNED_BELOW
    mirrored = rng.random() < 0.5, rng.random() < 0.5
    matrix = affine(
        degrees=float(rng.uniform(-MAX_DEGREES, MAX_DEGREES)) if turns else 0.0,
        scale=(
            float(rng.uniform(LEAST_SCALE, MOST_SCALE)),
            float(rng.uniform(LEAST_SCALE, MOST_SCALE)),
        ),
        shear=float(rng.uniform(-MAX_SHEAR, MAX_SHEAR)),
        mirrored=(mirrored[0] != (rng.random() < 0.5), mirrored[1]),
    )
    shorter = min(matte.alpha.shape)
    if shorter < size:  # enlarged, as far as the crop needs
        matrix = matrix * (shorter / size)
    inside, outside = (int(rng.integers(1, GCA_DILATION + 1)) for _ in range(2))
    margin = max(inside, outside)
    window = Window(_partial_pixel(matte.alpha, rng), matrix, size + 2 * margin)
    view = window.view(matte)
    if view.trimap is None:
        alpha = to_float(view.alpha)
        near, far = (fixed_trimap(alpha, dilation=reach) for reach in (inside, outside))
        view = replace(view, trimap=np.where(alpha >= 1, near, far).astype(np.uint8))
    return _cut(view, slice(margin, margin + size), slice(margin, margin + size))


def photograph_view(matte: Matte, size: int, rng: np.random.Generator) -> Matte:
    """Return a square crop of a photograph: anywhere, scaled, turned, mirrored."""
    scale = float(rng.uniform(*PHOTO_SCALE))
    matrix = affine(
        degrees=float(rng.uniform(-PHOTO_DEGREES, PHOTO_DEGREES)),
        scale=(scale, scale),
        shear=0.0,
        mirrored=(rng.random() < 0.5, False),
    )
    reach = size / scale / 2
    centre = tuple(
        float(rng.uniform(min(reach, length / 2), max(length - reach, length / 2)))
        for length in matte.alpha.shape
    )
    window = Window((centre[0], centre[1]), matrix, size)
    alpha = window.sample(matte.alpha)  # who is cut off by the frame goes on beyond it
    return replace(window.view(matte), alpha=alpha)


def jitter_foreground(foreground: F32, alpha: F32, rng: np.random.Generator) -> F32:
    """Turn the hue, and shift saturation and value, by how far their mean lies from bright."""
    hsv = np.array(Image.fromarray(to_uint8(foreground)).convert("HSV")).astype(np.float32)
    turn = rng.uniform(-MAX_HUE, MAX_HUE) / 360 * 255
    hsv[..., 0] = (hsv[..., 0] + turn) % 256
    shown = alpha > 0
    for channel in (1, 2):
        mean = float(hsv[..., channel][shown].mean()) / 255 if shown.any() else 0.5
        shift = rng.uniform(-1, 1) * (1.1 - mean) / 10 * 255
        hsv[..., channel] = np.clip(hsv[..., channel] + shift, 0, 255)
    return to_float(np.array(Image.fromarray(hsv.astype(np.uint8), "HSV").convert("RGB")))


def _merged(front: Matte, behind: Matte) -> Matte:
    height, width = front.alpha.shape
    planes = [
        (to_float(one.colours), to_float(one.alpha))
        for one in (front, _map(behind, lambda plane, _: resize(plane, (height, width))))
    ]
    colours, alpha = merge(planes[0], planes[1])
    return Matte(to_uint8(alpha), foreground=to_uint8(colours))


def _unknown_pixel(matte: Matte, dilation: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return a pixel of the trimap's unknown region: a partial one, moved by up to `dilation`."""
    row, column = _partial_pixel(matte.alpha, rng)
    distance, angle = dilation * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
    return round(row + distance * math.sin(angle)), round(column + distance * math.cos(angle))


def _partial_pixel(alpha: U8, rng: np.random.Generator) -> tuple[float, float]:
    rows, columns = np.nonzero((alpha > 0) & (alpha < 255))
    if not len(rows):
        return alpha.shape[0] / 2, alpha.shape[1] / 2
    pick = int(rng.integers(len(rows)))
    return float(rows[pick]), float(columns[pick])


def _scaled(matte: Matte, factor: float) -> Matte:
    height, width = (math.ceil(side * factor) for side in matte.alpha.shape)
    return _map(
        matte,
        lambda plane, nearest: resize(
            plane, (height, width), method="nearest" if nearest else "bicubic"
        ),
    )


def _cut(matte: Matte, rows: slice, columns: slice) -> Matte:
    return _map(matte, lambda plane, _: plane[rows, columns])


def _map(matte: Matte, change: Callable[[U8, bool], U8]) -> Matte:
    """Return the matte with every plane changed; the second argument says: a trimap."""
    return replace(
        matte,
        alpha=change(matte.alpha, False),
        foreground=None if matte.foreground is None else change(matte.foreground, False),
        image=None if matte.image is None else change(matte.image, False),
        trimap=None if matte.trimap is None else change(matte.trimap, True),
    )
