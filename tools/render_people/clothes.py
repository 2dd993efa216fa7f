"""Clothes: MakeHuman's CC0 garments where a folder of them is given, else cut from the base mesh.

The base mesh carries a hull around the body (``helper-tights``) and a skirt; shirts, trousers and
skirts are cut out of them along smooth lines. Either way the skin underneath is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tools.render_people.assets import (
    METRES,
    Array,
    Index,
    base_mesh,
    group_vertices,
    read_garment,
    rig,
)
from tools.render_people.body import Posed, fit
from tools.render_people.describe import Person
from tools.render_people.strands import normals

SUITS = {
    "female": (
        "female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01",
    ),
    "male": (
        "male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04",
        "male_casualsuit05", "male_casualsuit06", "male_elegantsuit01", "male_worksuit01",
    ),
}  # fmt: skip
SHOES = ("shoes01", "shoes02", "shoes03", "shoes04", "shoes05", "shoes06")


@dataclass(frozen=True)
class Piece:
    """One piece of clothing: posed ``vertices``, ``rest`` for its pattern, ``faces``."""

    name: str
    vertices: Array
    rest: Array
    faces: Index
    thickness: float


@dataclass(frozen=True)
class Outfit:
    """Pieces, and the base vertices that they hide."""

    pieces: tuple[Piece, ...]
    hidden: Index
    names: tuple[str, ...]


def dress(person: Person, body: Posed, assets: Path | None, rng: np.random.Generator) -> Outfit:
    """Dress a person; `assets` is the ``base`` folder of a makehuman-assets checkout."""
    pieces: list[Piece] = []
    hidden: list[Index] = []
    names: list[str] = []
    if assets and person.clothes == "suit":
        sex = "female" if person.sex < 0.5 else "male"
        name = str(rng.choice(SUITS[sex]))
        worn, under = _from_assets(assets / "clothes" / name / f"{name}.mhclo", body)
        pieces += worn
        hidden.append(under)
        names.append(name)
    else:
        for piece, under in _cut_outfit(person, body, rng):
            pieces.append(piece)
            hidden.append(under)
            names.append(piece.name)
    if assets:
        name = str(rng.choice(SHOES))
        worn, under = _from_assets(assets / "clothes" / name / f"{name}.mhclo", body)
        pieces += [Piece("shoes", p.vertices, p.rest, p.faces, 0.0) for p in worn]
    else:
        shoe, under = _socks(body)
        pieces.append(shoe)
        name = "socks"
    hidden.append(under)
    names.append(name)
    return Outfit(tuple(pieces), np.unique(np.concatenate(hidden)), tuple(names))


def _from_assets(path: Path, body: Posed) -> tuple[list[Piece], Index]:
    garment = read_garment(path)
    rest, posed = fit(garment, body)
    parts = _connected(garment.mesh.faces, len(rest))
    pieces = []
    for number in np.unique(parts):
        faces = garment.mesh.faces[parts[garment.mesh.faces[:, 0]] == number]
        if len(faces):
            pieces.append(Piece(f"{garment.name} {number}", posed, rest, faces, 0.0))
    return pieces, garment.hidden


def _connected(faces: Index, count: int) -> Index:
    """Return the number of the connected part that each vertex belongs to."""
    label: Index = np.arange(count)
    while True:
        low = label[faces].min(axis=1)
        before = label.copy()
        for corner in range(4):
            np.minimum.at(label, faces[:, corner], low)
        label = label[label]
        if (label == before).all():
            return label


def _file_units() -> Array:
    vertices = base_mesh().vertices / METRES
    return np.stack([vertices[:, 0], vertices[:, 2], -vertices[:, 1]], axis=1)


@cache
def _arms() -> Array:
    """Return how much each base vertex belongs to an arm (0..1)."""
    bones = [
        k for k, b in enumerate(rig().bones) if b.startswith(("upperarm", "lowerarm", "wrist"))
    ]
    share: Array = rig().weights[:, bones].sum(axis=1).astype(np.float64)
    return share


def _shirt(sleeve: float, hem: float, scoop: float) -> Array:
    """Return a field over base vertices, positive where a shirt is (file units)."""
    x, y, z = _file_units().T
    side = abs(x)
    along = (side - 1.67) * 0.64 - (y - 5.24) * 0.77
    arm = np.where(_arms() > 0.5, sleeve - along, 9.0)
    front = np.clip((z - 0.2) / 0.6, 0, 1)
    collar = 5.86 - (0.25 + scoop) * front - y + 2.0 * np.maximum(side - 0.5, 0)
    inside: Array = np.minimum(np.minimum(arm, collar), np.where(_arms() > 0.5, 9.0, y - hem))
    return inside


def _trousers(cut: float, waist: float) -> Array:
    """Return a field over base vertices, positive where trousers (or a skirt) are."""
    _, y, _ = _file_units().T
    return np.where(_arms() > 0.5, -1.0, np.minimum(y - cut, waist - y))


def _cut_outfit(person: Person, body: Posed, rng: np.random.Generator) -> list[tuple[Piece, Index]]:
    sleeve = float(rng.choice([0.9, 1.2, 3.75, 3.75, 2.4]))
    hem = float(rng.uniform(0.2, 0.9))
    shirt = _shirt(sleeve, hem, float(rng.choice([0.0, 0.1, 0.4])))
    loose = float(rng.uniform(0.006, 0.014))
    found = [_cut("shirt", "helper-tights", shirt, body, loose + 0.005)]
    if person.sex < 0.5 and rng.random() < 0.4:
        skirt = _trousers(float(rng.uniform(-5.5, -2.5)), 1.6)
        found.append(_cut("skirt", "helper-skirt", skirt, body, 0.004))
        under = _trousers(-2.0, 1.6)
        found.append(_cut("tights", "helper-tights", under, body, 0.002))
    else:
        cut = float(rng.choice([-7.7, -7.7, -7.7, -4.0]))
        found.append(_cut("trousers", "helper-tights", _trousers(cut, 1.6), body, 0.006))
    return found


def _cut(name: str, hull: str, field: Array, body: Posed, loose: float) -> tuple[Piece, Index]:
    """Cut the hull where `field` is positive, smooth it and stand it off the skin by `loose`."""
    mesh = base_mesh()
    faces = mesh.faces[[group == hull for group in mesh.groups]]
    posed = _smooth(body.posed, faces, 3)
    # Cuffs, hem and collar lie close to the skin.
    close = np.clip(field / 0.9, 0.3, 1)[:, None]
    posed = posed + loose * close * normals(posed, faces)
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    triangles, mix = _clip(triangles, field)
    rest = np.concatenate([body.rest, _between(body.rest, mix)])
    points = np.concatenate([posed, _between(posed, mix)])
    quads = np.concatenate([triangles, triangles[:, 2:]], axis=1)
    return Piece(name, points, rest, quads, 0.003), _covered(hull, field)


def _smooth(points: Array, faces: Index, rounds: int) -> Array:
    """Return the points after Laplacian smoothing along the faces' edges."""
    edges = np.concatenate([faces[:, [k, (k + 1) % 4]] for k in range(4)])
    edges = np.concatenate([edges, edges[:, ::-1]])
    degree = np.bincount(edges[:, 0], minlength=len(points)).astype(np.float64)
    used = degree > 0
    for _ in range(rounds):
        total = np.zeros_like(points)
        np.add.at(total, edges[:, 0], points[edges[:, 1]])
        points = points.copy()
        points[used] = 0.5 * points[used] + 0.5 * total[used] / degree[used, None]
    return points


VertexMix = list[tuple[int, int, float]]


def _clip(triangles: Index, field: Array) -> tuple[Index, VertexMix]:
    """Cut triangles along ``field == 0``; new vertices are mixes (first, second, share)."""
    kept: list[list[int]] = []
    mix: VertexMix = []
    made: dict[tuple[int, int], int] = {}
    inside = field > 0
    count = inside[triangles].sum(axis=1)
    kept += triangles[count == 3].tolist()

    def crossing(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in made:
            share = float(field[key[0]] / (field[key[0]] - field[key[1]]))
            made[key] = len(field) + len(mix)
            mix.append((key[0], key[1], share))
        return made[key]

    for corners in triangles[(count == 1) | (count == 2)].tolist():
        outline: list[int] = []
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            if inside[a]:
                outline.append(a)
            if inside[a] != inside[b]:
                outline.append(crossing(a, b))
        kept += [[outline[0], outline[k], outline[k + 1]] for k in range(1, len(outline) - 1)]
    return np.asarray(kept), mix


def _between(points: Array, mix: VertexMix) -> Array:
    first, second, share = (np.asarray(column) for column in zip(*mix, strict=True))
    made: Array = points[first] * (1 - share[:, None]) + points[second] * share[:, None]
    return made


@cache
def _nearest(hull: str) -> tuple[Index, Array]:
    """Return, for every body vertex, the nearest hull vertex and its distance (file units)."""
    points = _file_units()
    skin, cover = group_vertices("body"), group_vertices(hull)
    nearest, gap = [], []
    for part in np.array_split(points[skin], 40):
        square = ((part[:, None] - points[cover][None]) ** 2).sum(axis=2)
        nearest.append(cover[square.argmin(axis=1)])
        gap.append(np.sqrt(square.min(axis=1)))
    return np.concatenate(nearest), np.concatenate(gap)


def _covered(hull: str, field: Array) -> Index:
    """Return the body vertices that lie well under the cut hull."""
    if hull == "helper-skirt":
        return np.zeros(0, dtype=np.int64)
    nearest, gap = _nearest(hull)
    return group_vertices("body")[(field[nearest] > 0.25) & (gap < 0.35)]


def _socks(body: Posed) -> tuple[Piece, Index]:
    """Cover the feet with a hull of their own skin, smoothed until the toes are one."""
    mesh = base_mesh()
    faces = mesh.faces[[group == "body" for group in mesh.groups]]
    low = _file_units()[:, 1] < -7.3
    faces = faces[low[faces].all(axis=1)]
    posed = _smooth(body.posed, faces, 8)
    posed = posed + 0.006 * normals(posed, faces)
    hidden = np.flatnonzero(_file_units()[:, 1] < -7.45)
    return Piece("shoes", posed, body.rest, faces, 0.0), hidden
