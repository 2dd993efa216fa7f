"""Objects of the procedural generator: hair, fur, nets, leaves, glass and smoke, blurred shapes.

Each function draws one kind and returns (foreground HxWx3, alpha HxW), float32 in 0..1, with the
foreground defined everywhere.
"""

from __future__ import annotations

import numpy as np

from edgemat.data.procedural_draw import (
    Layers,
    MaskPainter,
    Points,
    Size,
    blob,
    gaussian,
    outward_normals,
    polygon_mask,
    rotate,
    strands,
)
from edgemat.data.procedural_textures import (
    clouds,
    direction_field,
    hair_colour,
    lit,
    noise,
    ramp,
    random_colour,
    surface,
    vary,
)
from edgemat.images import F32


def hair(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A tuft: a solid core from which several hundred thin strands leave in all directions."""
    centre, radius = _place(rng, size, low=0.14, high=0.3)
    outline = blob(rng, centre, radius, roughness=0.4)
    painter = MaskPainter(size)
    painter.polygon(outline)
    lines, widths = _strands_from(
        rng, outline, count=int(rng.integers(150, 420)), reach=min(size) * rng.uniform(0.15, 0.4),
        width=rng.uniform(0.25, 1.1), spread=0.7, wave=rng.choice([0.0, 0.2, 0.9]),
    )  # fmt: skip
    painter.polylines(lines, widths)
    return _streaked(rng, size, lines), painter.mask()


def fur(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A body with a dense short fringe along its whole outline."""
    centre, radius = _place(rng, size, low=0.25, high=0.42)
    outline = blob(rng, centre, radius, roughness=0.45)
    painter = MaskPainter(size)
    painter.polygon(outline)
    lines, widths = _strands_from(
        rng, outline, count=int(rng.integers(700, 1300)), reach=min(size) * rng.uniform(0.03, 0.1),
        width=rng.uniform(0.4, 1.0), spread=rng.uniform(0.2, 0.5), wave=0.1, steps=6,
    )  # fmt: skip
    painter.polylines(lines, widths)
    return _streaked(rng, size, lines), painter.mask()


def net(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A mesh of two families of wavy threads, or of rings, inside a shape or over everything."""
    pitch = min(size) * rng.uniform(0.035, 0.13)
    thread = max(0.4, pitch * rng.uniform(0.06, 0.22))
    painter = MaskPainter(size)
    angle = rng.uniform(0, np.pi)
    if rng.uniform() < 0.25:
        _rings(painter, pitch=pitch, thread=thread)
    else:
        crossing = rng.uniform(0.8, np.pi / 2)
        for direction in (angle, angle + crossing):
            lines = _wavy_family(rng, size, direction=direction, pitch=pitch)
            painter.polylines(lines, [thread] * len(lines))
    alpha = painter.mask()
    if rng.uniform() < 0.6:
        centre, radius = _place(rng, size, low=0.3, high=0.48)
        outline = blob(rng, centre, radius)
        rim = MaskPainter(size)
        rim.polylines(np.concatenate([outline, outline[:2]])[None], [2.5 * thread])
        alpha = np.maximum(alpha * polygon_mask(size, outline), rim.mask())
    return surface(rng, size), alpha


def leaves(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A twig with pointed, sometimes serrated leaves and their veins."""
    layers = Layers(size)
    green = np.array([rng.uniform(0.15, 0.7), rng.uniform(0.3, 0.75), 0.12], np.float32)
    base = green if rng.uniform() < 0.7 else random_colour(rng)
    stem, angles = _twig(rng, size)
    painter = MaskPainter(size)
    painter.polylines(stem[None], [max(1.0, min(size) * 0.008)])
    layers.paint(painter.mask(), lit(rng, np.broadcast_to(base * 0.5, (*size, 3))))
    texture = clouds(rng, size, [base * 0.7, base, np.minimum(base * 1.3, 1)])
    teeth = rng.choice([0.0, 0.0, 0.07])
    for group in range(4):  # a few groups: one mask a leaf would cost too much
        blades, veins = MaskPainter(size), MaskPainter(size)
        for k in range(group, len(stem), 4):
            side = 1 if k % 2 else -1
            length = min(size) * rng.uniform(0.1, 0.26)
            turn = angles[k] + side * rng.uniform(0.5, 1.2)
            blade = _leaf(length, slimness=rng.uniform(0.2, 0.4), teeth=teeth)
            blades.polygon(rotate(blade, turn) + stem[k])
            midrib = rotate(np.array([[0.0, 0.0], [length, 0.0]]), turn) + stem[k]
            veins.polylines(midrib[None], [max(0.5, length * 0.03)])
        layers.paint(blades.mask(), lit(rng, texture, strength=0.5))
        layers.tint(veins.mask() * 0.6, np.minimum(base * 1.5 + 0.1, 1))
    return layers.flatten()


def translucent(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Veils, smoke and glass: partial alpha over a whole area."""
    style = rng.choice(["veil", "smoke", "glass"])
    centre, radius = _place(rng, size, low=0.28, high=0.48)
    outline = blob(rng, centre, radius)
    shape = polygon_mask(size, outline)
    if style == "smoke":
        density = noise(rng, size, cells=3, octaves=5)
        edge = gaussian(shape, radius * 0.3)
        alpha = np.clip((density - 0.25) * rng.uniform(1.2, 2.2), 0, 0.97) * edge
        grey = rng.uniform(0.55, 1.0)
        return clouds(rng, size, [_grey(grey * 0.8), _grey(grey)]), alpha.astype(np.float32)
    if style == "veil":
        folds = 0.5 + 0.5 * np.sin(
            direction_field(size, rng.uniform(0, np.pi)) * rng.uniform(20, 60)
            + 4 * noise(rng, size, cells=3, octaves=2)
        )
        density = rng.uniform(0.15, 0.5) + rng.uniform(0.15, 0.5) * folds
        return surface(rng, size), (shape * density).astype(np.float32)
    rim = np.clip(shape - gaussian(shape, radius * 0.08), 0, 1) * 1.6
    glint_at = np.asarray(centre) - radius * 0.35
    glint = gaussian(polygon_mask(size, blob(rng, tuple(glint_at), radius * 0.16)), 2.0)
    alpha = np.clip(shape * rng.uniform(0.1, 0.35) + rim + glint * 0.9, 0, 1) * shape
    tint = vary(rng, np.array([0.75, 0.85, 0.88], np.float32), amount=0.12)
    colours = ramp(np.clip(glint + 0.4 * rim, 0, 1), [tint, _grey(1.0)])
    return colours, alpha.astype(np.float32)


def blurred(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Solid shapes out of focus, or smeared by motion."""
    painter = MaskPainter(size)
    for _ in range(int(rng.integers(1, 4))):
        centre, radius = _place(rng, size, low=0.12, high=0.34)
        if rng.uniform() < 0.5:
            painter.polygon(blob(rng, centre, radius, roughness=0.5))
        else:
            turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
            corners = np.stack([np.cos(turns), np.sin(turns)], axis=1) * radius
            painter.polygon(corners + np.asarray(centre))
    sharp = painter.mask()
    reach = min(size) * rng.uniform(0.008, 0.05)
    if rng.uniform() < 0.5:
        return surface(rng, size), gaussian(sharp, reach)
    return surface(rng, size), _motion(sharp, angle=rng.uniform(0, np.pi), reach=3 * reach)


# --- parts -----------------------------------------------------------------------------------


def _place(
    rng: np.random.Generator, size: Size, *, low: float, high: float
) -> tuple[tuple[float, float], float]:
    """Return a centre inside the picture, and a radius as a share of the shorter side."""
    height, width = size
    centre = (width * rng.uniform(0.25, 0.75), height * rng.uniform(0.25, 0.75))
    return centre, min(size) * rng.uniform(low, high)


def _strands_from(
    rng: np.random.Generator,
    outline: Points,
    *,
    count: int,
    reach: float,
    width: float,
    spread: float,
    wave: float,
    steps: int = 12,
) -> tuple[Points, F32]:
    """Return strands that leave an outline near its normals, and their widths in pixels."""
    picks = rng.integers(0, len(outline), count)
    normals = outward_normals(outline)[picks]
    # A common lean per place keeps neighbouring strands together, as locks are.
    lean = np.interp(picks, np.linspace(0, len(outline), 9), rng.normal(0, spread, 9))
    angle = np.arctan2(normals[:, 1], normals[:, 0]) + lean + rng.normal(0, 0.4 * spread, count)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lengths = reach * rng.beta(2, 3, count) * 1.6 + 2
    roots = outline[picks] - normals * 3
    lines = strands(
        rng, roots, directions, lengths=lengths, bend=0.8, wave=wave,
        gravity=rng.uniform(0, 0.8), steps=steps,
    )  # fmt: skip
    widths = np.clip(width * rng.lognormal(0, 0.35, count), 0.25, 3).astype(np.float32)
    return lines, widths


def _streaked(rng: np.random.Generator, size: Size, lines: Points) -> F32:
    """Return hair colours with lighter and darker locks that follow the strands."""
    base = hair_colour(rng)
    body = clouds(rng, size, [base * 0.6, base, np.minimum(base * 1.25 + 0.03, 1)])
    locks = MaskPainter(size)
    half = lines[: len(lines) // 2]
    locks.polylines(half, np.full(len(half), 1.2))
    shade = np.clip(base * rng.choice([0.5, 1.5]) + 0.02, 0, 1)
    weight = 0.6 * locks.mask()[..., None]
    return lit(rng, (1 - weight) * body + weight * shade)


def _wavy_family(rng: np.random.Generator, size: Size, *, direction: float, pitch: float) -> Points:
    """Return parallel threads across the picture, bent by one common wave."""
    height, width = size
    span = float(np.hypot(height, width)) / 2
    offsets = np.arange(-span, span, pitch)
    along = np.linspace(-span, span, 40)
    wave = pitch * rng.uniform(0, 1.0) * np.sin(along * 2 * np.pi / rng.uniform(60, 300))
    lines = np.stack(np.broadcast_arrays(along[None], offsets[:, None] + wave), axis=2)
    return rotate(lines, direction) + np.array([width / 2, height / 2])


def _rings(painter: MaskPainter, *, pitch: float, thread: float) -> None:
    """Draw chain mail: overlapping rings on a hexagonal grid."""
    height, width = painter.size
    turn = np.linspace(0, 2 * np.pi, 20)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1) * pitch * 0.58
    centres = [
        (x + (row % 2) * pitch / 2, y)
        for row, y in enumerate(np.arange(0, height + pitch, pitch * 0.866))
        for x in np.arange(0, width + pitch, pitch)
    ]
    lines = circle[None] + np.array(centres)[:, None]
    painter.polylines(lines, [thread] * len(lines))


def _twig(rng: np.random.Generator, size: Size) -> tuple[Points, F32]:
    """Return 14 points along a bent stem that crosses the picture, and its direction at each."""
    height, width = size
    start = np.array([width * rng.uniform(0.1, 0.5), height * rng.uniform(0.75, 1.05)])
    angles = -rng.uniform(0.6, 1.5) + np.cumsum(rng.normal(0, 0.12, 14))
    stride = min(size) * rng.uniform(0.045, 0.065)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * stride
    return start + np.cumsum(steps, axis=0), angles.astype(np.float32)


def _leaf(length: float, *, slimness: float, teeth: float) -> Points:
    """Return a leaf's outline with its stalk at (0, 0) and its tip at (length, 0)."""
    t = np.linspace(0, 1, 40)
    half = slimness * length * np.sin(np.pi * t**0.8) * (1 + teeth * np.sign(np.sin(60 * t)))
    upper = np.stack([t * length, half], axis=1)
    lower = np.stack([t[::-1] * length, -half[::-1]], axis=1)
    return np.concatenate([upper, lower])


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


def _grey(value: float) -> F32:
    return np.full(3, value, np.float32)
