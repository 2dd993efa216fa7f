"""Growing strands: roots on the skin, guides that collide with the body, children between them.

Everything is metres in the posed world; arrays of strands are strands x points x 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mathutils.bvhtree import BVHTree

from tools.render_people.assets import METRES, Array, Index, base_mesh, group_vertices
from tools.render_people.body import Posed
from tools.render_people.regions import CENTRE


def unit(vectors: Array) -> Array:
    """Return vectors of length one along the last axis."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Array = vectors / np.maximum(lengths, 1e-12)
    return scaled


def normals(vertices: Array, faces: Index) -> Array:
    """Return vertex normals of a quad mesh, area weighted."""
    a, b, c, d = (vertices[faces[:, k]] for k in range(4))
    face = np.cross(c - a, d - b)
    found = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(found, faces[:, corner], face)
    return unit(found)


@dataclass(frozen=True)
class Roots:
    """Points on the skin: world ``points`` and ``normals``, and ``local`` places on the base mesh
    in file units (x to the person's left, y up, z forward)."""

    points: Array
    normals: Array
    local: Array


class Head:
    """The posed head as hair needs it: skin to root in, a collider and a frame of its own."""

    def __init__(self, body: Posed, clearance: float) -> None:
        mesh = base_mesh()
        self.faces = mesh.faces[[group == "body" for group in mesh.groups]]
        self.body = body
        self.normals = normals(body.posed, self.faces)
        self.turn = body.head_rotation()
        # A person's head against the base mesh's: the height from the neck's joint to the crown.
        rest = mesh.vertices
        low, high = (group_vertices(name) for name in ("joint-head", "joint-head-2"))
        span = np.linalg.norm(body.posed[high].mean(0) - body.posed[low].mean(0))
        self.scale = float(span / np.linalg.norm(rest[high].mean(0) - rest[low].mean(0)))
        middle = np.asarray(CENTRE) * METRES - np.asarray(
            [0.0, rest[low].mean(0)[2], -rest[low].mean(0)[1]]
        )
        self.centre = body.posed[low].mean(0) + self.scale * self.to_world(middle)
        self.neck = float(body.joint("joint-neck")[2])
        self.clearance = clearance
        self.tree = BVHTree.FromPolygons(body.posed.tolist(), self.faces.tolist())

    def to_world(self, local: Array) -> Array:
        """Turn directions of the head's frame (x left, y up, z forward) into the world's."""
        turned: Array = (
            np.stack([local[..., 0], -local[..., 2], local[..., 1]], axis=-1) @ self.turn.T
        )
        return turned

    def to_local(self, points: Array) -> Array:
        """Turn world points into base-mesh file units about the origin of the base mesh."""
        turned = (points - self.centre) @ self.turn / (self.scale * METRES)
        return np.stack([turned[..., 0], turned[..., 2], -turned[..., 1]], axis=-1) + CENTRE

    def from_local(self, local: Array) -> Array:
        """Undo :meth:`to_local`."""
        points: Array = self.centre + self.to_world((local - CENTRE) * METRES * self.scale)
        return points

    def sample(self, mask: Array, count: int, rng: np.random.Generator) -> Roots:
        """Draw root points, as dense as `mask` (per base vertex) says."""
        corners = np.concatenate([self.faces[:, [0, 1, 2]], self.faces[:, [0, 2, 3]]])
        corners = corners[mask[corners].max(axis=1) > 0]
        a, b, c = (self.body.posed[corners[:, k]] for k in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        drawn = rng.choice(len(corners), size=4 * count, p=area / area.sum())
        u = np.sqrt(rng.random(4 * count))
        v = rng.random(4 * count)
        shares = np.stack([1 - u, u * (1 - v), u * v], axis=1)
        corners = corners[drawn]
        density = (shares * mask[corners]).sum(axis=1)
        kept = np.flatnonzero(rng.random(4 * count) < density)[:count]
        corners, shares = corners[kept], shares[kept, :, None]
        spots = (shares * base_mesh().vertices[corners] / METRES).sum(axis=1)
        return Roots(
            (shares * self.body.posed[corners]).sum(axis=1),
            unit((shares * self.normals[corners]).sum(axis=1)),
            np.stack([spots[:, 0], spots[:, 2], -spots[:, 1]], axis=1),
        )

    def push_out(self, points: Array, margin: Array) -> Array:
        """Move points that lie under the skin, or nearer than `margin`, to the margin."""
        moved = points.copy()
        for number, (point, off) in enumerate(zip(points, margin, strict=True)):
            place, normal, _, gap = self.tree.find_nearest(point)
            if place is None:
                continue
            wanted = off if place[2] > self.neck else max(off, self.clearance)
            inside = (point - np.asarray(place)) @ np.asarray(normal) < 0
            if inside or gap < wanted:
                moved[number] = np.asarray(place) + np.asarray(normal) * wanted
        return moved


Pull = Callable[[Array, float], Array]


def grow(
    head: Head,
    roots: Roots,
    start: Array,
    lengths: Array,
    *,
    steps: int,
    pull: Pull,
    agility: float,
    margin: float,
    fringe: Array,
) -> Array:
    """Grow guides step by step: each turns towards `pull`, slides on the body, spares the face.

    ``pull`` gives the wanted directions for world points at a part 0..1 of the length;
    ``agility`` 0..1 is how fast strands turn to it; ``fringe`` marks strands allowed on the
    forehead.
    """
    points = roots.points + roots.normals * 0.0005
    direction = unit(start)
    path = [points]
    for step in range(1, steps):
        part = step / (steps - 1)
        direction = unit((1 - agility) * direction + agility * unit(pull(points, part)))
        moved = points + direction * (lengths / (steps - 1))[:, None]
        local = head.to_local(moved)
        # Beside the face, not over it.
        line = 8.0 if step > 1 else 7.9
        over = (local[:, 1] < line) & (local[:, 2] > 0.5) & (abs(local[:, 0]) < 0.68) & ~fringe
        over &= local[:, 1] > 5.6
        side = np.where(roots.local[:, 0] >= 0, 1.0, -1.0)
        wanted = side * 0.68
        local[over, 0] += 0.6 * (wanted - local[:, 0])[over]
        local[over, 2] -= 0.1
        # Seen from the side, hair that hangs in front of the ears would hide the face.
        ahead = (local[:, 1] < 7.75) & (local[:, 2] > 0.7) & ~fringe & (local[:, 1] > 6.0)
        local[ahead, 2] -= 0.13
        touched = over | ahead
        moved[touched] = head.from_local(local[touched])
        moved = head.push_out(moved, np.full(len(moved), margin * min(1.0, 0.3 + 2 * part)))
        direction = unit(moved - points + 1e-9)
        points = moved
        path.append(points)
    return np.stack(path, axis=1)


def children(
    guides: Array, guide_roots: Array, roots: Array, points: Array, *, clump: float
) -> tuple[Array, Index]:
    """Interpolate strands at `points` between the three guides nearest in `roots` space.

    Returns the strands and the number of each one's nearest guide. ``clump`` 0..1 draws the tips
    to that guide.
    """
    near = np.empty((len(roots), 3), dtype=np.int64)
    gaps = np.empty((len(roots), 3))
    squares = (guide_roots**2).sum(axis=1)
    for low in range(0, len(roots), 4000):
        part = roots[low : low + 4000]
        distance = (part**2).sum(axis=1)[:, None] + squares - 2 * part @ guide_roots.T
        chosen = np.argpartition(distance, 3, axis=1)[:, :3]
        gap = np.take_along_axis(distance, chosen, axis=1)
        order = np.argsort(gap, axis=1)
        near[low : low + 4000] = np.take_along_axis(chosen, order, axis=1)
        gaps[low : low + 4000] = np.take_along_axis(gap, order, axis=1)
    weights = 1 / (np.maximum(gaps, 0) + 1e-3)
    weights /= weights.sum(axis=1, keepdims=True)
    shape = guides - guides[:, :1]
    part = np.linspace(0, 1, guides.shape[1])
    share = (clump * part**1.5)[None, :, None]
    blended = np.zeros((len(roots), guides.shape[1], 3))
    for corner in range(3):
        blended += weights[:, corner, None, None] * shape[near[:, corner]]
    own = points[:, None, :] + blended
    return (1 - share) * own + share * guides[near[:, 0]], near[:, 0]


def resample(strands: Array, count: int) -> Array:
    """Return the strands with `count` points, linear in the point number."""
    old = strands.shape[1]
    place = np.linspace(0, old - 1, count)
    low = np.minimum(place.astype(int), old - 2)
    part = (place - low)[None, :, None]
    made: Array = strands[:, low] * (1 - part) + strands[:, low + 1] * part
    return made


def curl(
    strands: Array, phase: Array, *, amplitude: Array, wavelength: float, flat: float, start: float
) -> Array:
    """Wind strands into waves (``flat`` 1) or helices (``flat`` 0) of a wavelength in metres."""
    steps = np.diff(strands, axis=1)
    lengths = np.linalg.norm(steps, axis=2)
    along = np.concatenate([np.zeros((len(strands), 1)), np.cumsum(lengths, axis=1)], axis=1)
    tangent = unit(np.gradient(strands, axis=1))
    first = unit(np.cross(tangent, np.asarray([0.13, 0.31, 0.94]) + 1e-6))
    second = np.cross(tangent, first)
    angle = 2 * np.pi * along / wavelength + phase[:, None]
    part = np.linspace(0, 1, strands.shape[1])
    rise = np.clip(part / start, 0, 1)[None, :] * amplitude[:, None]
    offset = np.cos(angle)[..., None] * first + (1 - flat) * np.sin(angle)[..., None] * second
    wound: Array = strands + rise[..., None] * offset
    return wound


def frizz(strands: Array, amount: Array, rng: np.random.Generator) -> Array:
    """Let strands stray: `amount` metres at the tip, per strand."""
    part = np.linspace(0, 1, strands.shape[1])[None, :, None]
    offset = np.zeros_like(strands)
    for waves in (0.7, 1.9):
        angle = 2 * np.pi * (waves * part + rng.random((len(strands), 1, 3)))
        strength = rng.normal(size=(len(strands), 1, 3)) / waves
        offset += strength * (np.sin(angle) - np.sin(angle[:, :1]))
    strayed: Array = strands + offset * part * amount[:, None, None]
    return strayed
