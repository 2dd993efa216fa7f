"""Regions of hair: smooth masks over the vertices of the base mesh, fixed once for all people.

All shapes are drawn on the unmorphed base mesh, in its own units (decimetres from the centre of
the head, x to the person's left, y up, z forward); targets carry them to every person.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tools.render_people.assets import METRES, Array, base_mesh, group_vertices

CENTRE = (0.0, 7.55, 0.35)
# Lower border of the hair: height over the angle from the face's middle (degrees).
HAIRLINE = (
    (0, 8.04),
    (25, 8.02),
    (42, 7.86),
    (55, 7.66),
    (66, 7.30),
    (78, 7.32),
    (88, 7.46),
    (100, 7.42),
    (112, 7.05),
    (130, 6.72),
    (150, 6.58),
    (180, 6.55),
)


def _file_units() -> Array:
    vertices = base_mesh().vertices / METRES
    return np.stack([vertices[:, 0], vertices[:, 2], -vertices[:, 1]], axis=1)


def _step(value: Array, low: float, high: float) -> Array:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    part = np.clip((value - low) / (high - low), 0, 1)
    smooth: Array = part * part * (3 - 2 * part)
    return smooth


@cache
def is_body() -> Array:
    """Return 1 on the skin's own vertices, 0 on helpers."""
    mask = np.zeros(len(base_mesh().vertices))
    mask[group_vertices("body")] = 1
    return mask


def _outer_skin() -> Array:
    """Return 0 inside the mouth, the nostrils and the eye sockets, and on the ears."""
    points = _file_units()
    inside = (abs(points[:, 0]) < 0.5) & (points[:, 2] < 1.05) & (points[:, 2] > 0.2)
    inside &= (points[:, 1] > 6.3) & (points[:, 1] < 7.5)
    ears = (abs(points[:, 0]) > 0.74) & (points[:, 1] < 7.42) & (points[:, 1] > 6.7)
    ears &= (points[:, 2] > -0.15) & (points[:, 2] < 0.62)
    return is_body() * ~inside * ~ears


@cache
def scalp() -> Array:
    """Return 1 where the hair of the head grows."""
    x, y, z = (_file_units() - CENTRE).T
    angle = np.degrees(np.arctan2(abs(x), z))
    places, heights = np.transpose(HAIRLINE)
    line = np.interp(angle, places, heights)
    height = y + CENTRE[1]
    share: Array = _step(height - line, -0.05, 0.07) * _outer_skin() * (height > 6.4)
    return share


@cache
def beard() -> Array:
    """Return 1 where a full beard and a moustache grow."""
    x, y, z = _file_units().T
    side = abs(x)
    # The upper border falls from the sideburns to the corners of the mouth.
    upper = np.interp(side, (0.0, 0.28, 0.45, 0.62, 0.8), (6.55, 6.55, 6.66, 6.9, 7.35))
    cheeks = _step(upper - y, -0.02, 0.1) * _step(y, 5.98, 6.12) * _step(z, 0.5, 0.7)
    lip = _step(6.84 - y, 0.0, 0.04) * _step(y, 6.68, 6.72) * _step(0.36 - side, 0.0, 0.08)
    both = np.maximum(cheeks, lip * _step(z, 1.2, 1.35))
    share: Array = both * _outer_skin()
    return share


@cache
def moustache() -> Array:
    """Return 1 on the upper lip's hair."""
    x, y, _ = _file_units().T
    share: Array = beard() * (y > 6.66) * (abs(x) < 0.4)
    return share


@cache
def chin() -> Array:
    """Return 1 on the chin."""
    x, _, _ = _file_units().T
    return np.asarray(beard() * _step(0.42 - abs(x), 0.0, 0.12))


@cache
def blush() -> Array:
    """Return 1 on nose tip, cheeks and ears, where skin is redder."""
    points = _file_units()
    found = np.zeros(len(points))
    for middle, width in (
        ((0, 6.98, 1.75), 0.16),
        ((0.5, 6.95, 1.25), 0.24),
        ((0.85, 7.1, 0.2), 0.2),
    ):
        for sign in (-1, 1):
            gap = points - np.asarray(middle) * [sign, 1, 1]
            found = np.maximum(found, np.exp(-(gap**2).sum(axis=1) / (2 * width**2)))
    return found * is_body()
