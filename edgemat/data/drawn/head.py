"""The head of a drawn person: face, hair with strands that fly away, and hats.

Lengths are in head coordinates: origin at the head's centre, 1 = half the head's height, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgemat.data.drawn.draw import (
    Layers,
    MaskPainter,
    Points,
    Size,
    ellipse,
    gaussian,
    outward_normals,
    polygon_mask,
    rotate,
    smooth_closed,
    strands,
)
from edgemat.data.drawn.textures import cloth, direction_field, lit, random_colour
from edgemat.images import F32


@dataclass(frozen=True)
class Palette:
    """The main colours of one person, each 3 float32 RGB in 0..1."""

    skin: F32
    hair: F32
    cloth: F32


@dataclass(frozen=True)
class HeadPose:
    """The place of the person: pixels of the head's centre, pixels per unit, tilt in radians."""

    size: Size
    centre: Points
    unit: float
    tilt: float
    face: float  # half width of the head, in units

    def head(self, points: Points) -> Points:
        """Map head coordinates to pixels, tilted with the head."""
        return rotate(np.asarray(points), self.tilt) * self.unit + self.centre

    def body(self, points: Points) -> Points:
        """Map head coordinates to pixels, upright."""
        return np.asarray(points) * self.unit + self.centre

    def mask(self, *outlines: Points) -> F32:
        return polygon_mask(self.size, *outlines)


def head_outline(pose: HeadPose) -> Points:
    """A head: round above, narrower towards the chin."""
    points = ellipse((0, 0), (pose.face, 1.0))
    points[:, 0] *= 1 - 0.22 * np.clip(points[:, 1], 0, 1) ** 2
    return pose.head(points)


def paint_face(
    rng: np.random.Generator, layers: Layers, pose: HeadPose, *, palette: Palette
) -> None:
    """Hints of eyes, brows, nose, mouth, sometimes glasses and a beard."""
    face, skin = pose.face, palette.skin
    turn = rng.normal(0, 0.08)  # the head looks a little to one side
    eyes = [(side * face * 0.42 + turn, -0.02) for side in (-1, 1)]
    dark = (skin * 0.55).astype(np.float32)
    if rng.uniform() < 0.16:
        beard = ellipse((turn, 0.72), (face * 0.78, 0.48))
        inside = pose.mask(pose.head(beard)) * pose.mask(head_outline(pose))
        layers.tint(gaussian(inside, pose.unit * 0.06) * 0.9, palette.hair)
    whites = [pose.head(ellipse(eye, (0.13, 0.065))) for eye in eyes]
    irises = [pose.head(ellipse(eye, (0.06, 0.065))) for eye in eyes]
    layers.tint(pose.mask(*whites) * 0.85, np.array([0.93, 0.91, 0.9], np.float32))
    layers.tint(pose.mask(*irises), np.array([0.16, 0.1, 0.07], np.float32))
    brows = MaskPainter(pose.size)
    arcs = np.array([[(x - 0.17, -0.2), (x, -0.26), (x + 0.17, -0.21)] for x, _ in eyes])
    brows.polylines(pose.head(arcs), [0.06 * pose.unit] * 2)
    layers.tint(brows.mask() * 0.8, (palette.hair * 0.7).astype(np.float32))
    nose = MaskPainter(pose.size)
    bridge = np.array([[(turn + 0.05, -0.05), (turn + 0.11, 0.3), (turn - 0.06, 0.34)]])
    nose.polylines(pose.head(bridge), [0.05 * pose.unit])
    layers.tint(nose.mask() * 0.45, dark)
    mouth = ellipse((turn, 0.58), (face * 0.34, rng.uniform(0.04, 0.09)))
    lips = np.clip(skin * (0.85, 0.5, 0.5), 0, 1).astype(np.float32)
    layers.tint(pose.mask(pose.head(mouth)) * 0.8, lips)
    if rng.uniform() < 0.2:
        glasses = MaskPainter(pose.size)
        rims = np.stack([pose.head(ellipse(eye, (0.24, 0.19), count=30)) for eye in eyes])
        glasses.polylines(np.concatenate([rims, rims[:, :2]], axis=1), [0.045 * pose.unit] * 2)
        bar = np.array([[(eyes[0][0] + 0.24, -0.04), (eyes[1][0] - 0.24, -0.04)]])
        glasses.polylines(pose.head(bar), [0.045 * pose.unit])
        layers.tint(glasses.mask(), random_colour(rng) * np.float32(0.4))


def hair_outline(rng: np.random.Generator, pose: HeadPose, *, style: str) -> Points:
    """Return the outline, in pixels, of all hair of the head."""
    face = pose.face
    if style == "curly":
        bulk = rng.uniform(1.25, 1.7)
        turn = np.linspace(0, 2 * np.pi, 160, endpoint=False)
        bumps = 1 + 0.035 * np.sin(turn * rng.integers(9, 16)) + 0.02 * np.sin(turn * 23 + 1)
        points = np.stack([np.cos(turn) * face * bulk, np.sin(turn) * bulk * 0.85], axis=1)
        return pose.head(points * bumps[:, None] + (0, -0.25))
    if style == "short":
        rise = rng.uniform(1.04, 1.18)
        return pose.head(ellipse((0, -0.12), (face * rng.uniform(1.04, 1.12), rise)))
    length = rng.uniform(0.9, 2.2)
    flare = rng.uniform(1.1, 1.5)
    right = [(0.0, -1.14), (face * 0.75, -0.95), (face * 1.18, -0.3), (face * flare, 0.6)]
    right += [(face * flare * rng.uniform(0.9, 1.15), length), (face * 0.5, length * 1.05)]
    left = [(-x * rng.uniform(0.95, 1.05), y) for x, y in right[:0:-1]]
    return pose.head(smooth_closed(np.array(right + left)))


def hair_texture(rng: np.random.Generator, size: Size, colour: F32) -> F32:
    """Fine streaks of lighter and darker hair, mostly downwards."""
    grain = rng.uniform(0.75, 1.2, size[1] * 2)
    field = direction_field(size, rng.normal(0, 0.4))
    position = (field - field.min()) / max(float(np.ptp(field)), 1e-6) * (len(grain) - 1)
    streaks = np.interp(position, np.arange(len(grain)), grain).astype(np.float32)
    return lit(rng, np.clip(colour * streaks[..., None] + 0.01, 0, 1), strength=0.5)


def paint_hair(
    rng: np.random.Generator,
    layers: Layers,
    pose: HeadPose,
    outline: Points,
    *,
    style: str,
    tone: F32,
) -> None:
    """The hair before the face, and the strands that fly away from its border."""
    face = pose.face
    painter = MaskPainter(pose.size)
    painter.polygon(outline)
    parting = rng.uniform(-0.25, 0.25)
    brow = rng.uniform(-0.62, -0.4)
    opening = ellipse((parting, brow + 1.3), (face * rng.uniform(0.84, 0.95), 1.3))
    painter.polygon(pose.head(opening), inside=False)
    # Hair lies above the ears only when it is short, and never on the chest before the neck.
    low = 0.0 if style == "short" else 0.9
    below = np.array([(-face * 0.8, low), (face * 0.8, low), (face * 0.8, 5.0), (-face * 0.8, 5)])
    if style == "short":
        below = below * (3, 1)
    painter.polygon(pose.head(below), inside=False)
    layers.paint(painter.mask(), tone)
    lines, widths = _fly_away(rng, pose, outline, style=style)
    flying = MaskPainter(pose.size)
    flying.polylines(lines, widths)
    layers.paint(flying.mask(), tone)


def _fly_away(
    rng: np.random.Generator, pose: HeadPose, outline: Points, *, style: str
) -> tuple[Points, F32]:
    count, reach, wave, gravity = {
        "short": (int(rng.integers(60, 200)), rng.uniform(0.08, 0.25), 0.1, 0.1),
        "long": (int(rng.integers(120, 320)), rng.uniform(0.25, 0.9), 0.25, 1.2),
        "curly": (int(rng.integers(200, 420)), rng.uniform(0.25, 0.55), 1.3, 0.2),
    }[style]
    normals = outward_normals(outline)
    height = rotate(outline - pose.centre, -pose.tilt)[:, 1] / pose.unit
    lowest = {"short": -0.25, "long": 1.6, "curly": 0.35}[style]
    allowed = np.flatnonzero(height < lowest)
    picks = allowed[rng.integers(0, len(allowed), count)]
    angle = np.arctan2(normals[picks, 1], normals[picks, 0]) + rng.normal(0, 0.55, count)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lengths = pose.unit * reach * (0.3 + rng.beta(1.5, 3, count) * 1.5)
    roots = outline[picks] - normals[picks] * pose.unit * 0.05
    lines = strands(
        rng, roots, directions, lengths=lengths, bend=0.7, wave=wave, gravity=gravity, steps=14
    )
    thin = np.clip(pose.size[0] / 256 * rng.lognormal(-0.7, 0.4, count), 0.25, 2)
    return lines, thin.astype(np.float32)


def paint_hat(rng: np.random.Generator, layers: Layers, pose: HeadPose) -> None:
    """Paint a hat with a brim over the hair."""
    face = pose.face
    colour = random_colour(rng)
    crown = ellipse((0, -0.55), (face * 1.16, rng.uniform(0.65, 0.95)))
    crown = crown[crown[:, 1] < -0.42]
    order = np.argsort(np.arctan2(crown[:, 1] + 0.4, crown[:, 0]))
    brim_reach = rng.choice([1.2, 1.75])
    brim = ellipse((0, -0.46), (face * brim_reach, 0.13))
    texture = cloth(rng, pose.size, colour)
    layers.paint(pose.mask(pose.head(crown[order])), texture)
    layers.paint(pose.mask(pose.head(brim)), texture * np.float32(0.75))
