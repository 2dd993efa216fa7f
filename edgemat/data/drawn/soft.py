"""Soft and solid matter: glass and veils, smoke, hard cut-outs, shapes out of focus or moving."""

from __future__ import annotations

import numpy as np

from edgemat.data.drawn.canvas import blur_colours, lens
from edgemat.data.drawn.draw import Floats, MaskPainter, Size, blob, gaussian, polygon_mask
from edgemat.data.drawn.hair import fur, yarn
from edgemat.data.drawn.meshes import net
from edgemat.data.drawn.plants import grass, leaves
from edgemat.data.drawn.textures import (
    clouds,
    direction_field,
    grained,
    noise,
    ramp,
    random_colour,
    surface,
    vary,
)
from edgemat.images import F32


def translucent(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Glass, a plastic bag or a veil: partial alpha over a whole area, with highlights."""
    centre = (size[1] * rng.uniform(0.25, 0.75), size[0] * rng.uniform(0.25, 0.75))
    radius = min(size) * rng.uniform(0.3, 0.55)
    shape = polygon_mask(size, blob(rng, centre, radius, roughness=0.25))
    style = rng.integers(3)
    if style == 0:
        return _glass(rng, shape, radius=radius)
    return _plastic(rng, shape) if style == 1 else _veil(rng, shape)


def smoke(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Smoke, fog, spray or flames: clouds without any edge, or with wisps."""
    density = noise(rng, size, cells=rng.uniform(2, 5), octaves=6)
    if rng.uniform() < 0.5:  # wisps: where the noise crosses its middle
        wisps = _float32(1 - np.abs(2 * noise(rng, size, cells=3) - 1)) ** 3
        density = density + np.float32(0.4) * (wisps - density)
    centre = (size[1] * rng.uniform(0.2, 0.8), size[0] * rng.uniform(0.2, 0.8))
    radius = min(size) * rng.uniform(0.3, 0.6)
    where = gaussian(polygon_mask(size, blob(rng, centre, radius)), radius * 0.3)
    thick = (density - rng.uniform(0.15, 0.4)) * rng.uniform(1.2, 3.5)
    alpha = np.clip(thick, 0, 1) * where
    if rng.uniform() < 0.25:
        fire = [(0.5, 0.05, 0.0), (0.95, 0.4, 0.05), (1.0, 0.85, 0.4)]
        colours = ramp(np.clip(density, 0, 1), [np.array(c, np.float32) for c in fire])
    else:
        tone = vary(rng, _grey(rng.uniform(0.1, 1.0)), amount=0.04)
        colours = clouds(rng, size, [tone * 0.75, tone, np.minimum(tone * 1.15 + 0.03, 1)])
    return colours, alpha.astype(np.float32)


def cutout(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Sharp silhouettes: lumps, polygons, bars and holes, or the coast of a noise."""
    colours = grained(rng, surface(rng, size))
    alpha = _coast(rng, size) if rng.uniform() < 0.3 else _assembly(rng, size)
    return lens(rng, colours, alpha)


def blurred(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Things out of focus or smeared by motion: ramps of some 3 to 40 pixels."""
    draw = rng.uniform()
    if draw < 0.55:
        colours, sharp = grained(rng, surface(rng, size)), _assembly(rng, size)
    else:
        colours, sharp = (leaves, grass, fur, net, yarn)[rng.integers(5)](rng, size)
    reach = 1.2 * (12 * min(size) / 384) ** rng.uniform()
    if rng.uniform() < 0.65:
        return blur_colours(colours, 0.7 * reach), gaussian(sharp, reach)
    return colours, _motion(sharp, angle=rng.uniform(0, np.pi), reach=2 * reach)


# --- parts -----------------------------------------------------------------------------------


def _glass(rng: np.random.Generator, shape: F32, *, radius: float) -> tuple[F32, F32]:
    """Clear inside, denser towards the rim, with glints."""
    size = (shape.shape[0], shape.shape[1])
    rim = np.clip(shape - gaussian(shape, radius * rng.uniform(0.04, 0.14)), 0, 1) * 1.6
    bands = np.clip(np.sin(direction_field(size, rng.uniform(-0.4, 0.4)) * 25) - 0.6, 0, 1)
    glints = gaussian(np.clip(8 * noise(rng, size, cells=6, octaves=2) - 6.4, 0, 1), 1.0)
    density = rng.uniform(0.05, 0.3) + rim + 0.7 * glints + rng.uniform(0, 0.7) * bands
    tint = vary(rng, np.array([0.75, 0.85, 0.88], np.float32), amount=0.15)
    light = np.clip(glints + bands + 0.3 * rim, 0, 1)
    return ramp(light, [tint * 0.8, tint, _grey(1.0)]), _float32(density * shape)


def _plastic(rng: np.random.Generator, shape: F32) -> tuple[F32, F32]:
    """A crumpled film: creases denser and lighter than the rest."""
    size = (shape.shape[0], shape.shape[1])
    folds = noise(rng, size, cells=rng.uniform(3, 9), octaves=4)
    creases = np.clip(1 - np.abs(2 * folds - 1) * rng.uniform(3, 8), 0, 1)
    density = rng.uniform(0.1, 0.55) + 0.25 * folds + rng.uniform(0.2, 0.6) * creases
    tint = random_colour(rng) if rng.uniform() < 0.4 else _grey(rng.uniform(0.5, 0.9))
    light = np.clip(0.5 * folds + creases, 0, 1)
    return ramp(light, [tint * 0.7, tint, _grey(1.0)]), _float32(density * shape)


def _veil(rng: np.random.Generator, shape: F32) -> tuple[F32, F32]:
    """Thin cloth in folds; where folds overlap, less shines through."""
    size = (shape.shape[0], shape.shape[1])
    warp = 6 * noise(rng, size, cells=3, octaves=2)
    folds = direction_field(size, rng.uniform(0, np.pi)) * rng.uniform(12, 60) + warp
    overlap = 0.5 + 0.5 * np.sin(folds)
    density = rng.uniform(0.15, 0.5) + rng.uniform(0.15, 0.6) * overlap ** rng.uniform(0.7, 3)
    colours = surface(rng, size) * (0.75 + 0.25 * overlap[..., None])
    return _float32(colours), _float32(density * shape)


def _assembly(rng: np.random.Generator, size: Size) -> F32:
    """Return the coverage of lumps, polygons, bars and the holes in them."""
    painter = MaskPainter(size)
    for k in range(int(rng.integers(2, 8))):
        centre = np.array([size[1], size[0]]) * rng.uniform(0.1, 0.9, 2)
        radius = min(size) * rng.uniform(0.15, 0.55) / (1 + 0.3 * k)
        inside = k == 0 or rng.uniform() < 0.7
        style = rng.integers(3)
        if style == 0:
            outline = blob(rng, (centre[0], centre[1]), radius, roughness=0.5)
            painter.polygon(outline, inside=inside)
        elif style == 1:
            turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 14))))
            reach = radius * rng.uniform(0.5, 1.1, (len(turns), 1))
            corners = np.stack([np.cos(turns), np.sin(turns)], axis=1) * reach
            painter.polygon(corners + centre, inside=inside)
        else:
            line = centre + rng.normal(0, 0.3 * min(size), (1, 3, 2))
            wide = [min(size) * rng.uniform(0.006, 0.08)]
            painter.polylines(line, wide, level=255 if inside else 0)
    return painter.mask()


def _coast(rng: np.random.Generator, size: Size) -> F32:
    """Return the coverage of where a noise exceeds a level, by the distance to that contour."""
    field = noise(rng, size, cells=rng.uniform(1.5, 4), octaves=int(rng.integers(2, 5)))
    slope = np.hypot(*np.gradient(field))
    distance = (field - rng.uniform(0.4, 0.6)) / np.maximum(slope, 1e-4)
    return _float32(0.5 + distance)


def _motion(mask: F32, *, angle: float, reach: float) -> F32:
    """Average copies of a mask shifted along a line of 2 x `reach` pixels."""
    steps = np.linspace(-reach, reach, 25)
    pad = int(np.ceil(reach))
    padded = np.pad(mask, pad, mode="edge")
    height, width = mask.shape
    mean = np.zeros_like(mask)
    for x, y in np.round(np.outer(steps, [np.cos(angle), np.sin(angle)])).astype(int):
        mean += padded[pad + y : pad + y + height, pad + x : pad + x + width]
    mean /= len(steps)
    return mean


def _float32(values: Floats) -> F32:
    return np.clip(values, 0, 1).astype(np.float32)


def _grey(value: float) -> F32:
    return np.full(3, value, np.float32)
