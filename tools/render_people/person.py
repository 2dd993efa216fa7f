"""One person as Blender objects: skin, eyes, mouth, clothes and hair, posed and placed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from tools.render_people import hair, materials, regions
from tools.render_people.assets import Array, base_mesh, group_vertices
from tools.render_people.body import (
    Posed,
    apply_pose,
    bvh_pose,
    own_pose,
    rotation,
    shape,
    turn_head,
)
from tools.render_people.clothes import Outfit, dress
from tools.render_people.describe import Person
from tools.render_people.meshes import add_mesh, add_strands
from tools.render_people.strands import Head

# Strands of the head's hair and their radius in metres, by framing: far hair is fewer and thicker.
STRANDS = {
    "close_up": (18000, 0.00011),
    "head_and_shoulders": (14000, 0.00014),
    "half": (9000, 0.0002),
    "full": (6000, 0.0003),
}
# Poses for which a folder of assets has recordings.
RECORDED = {
    "standing": tuple(f"standing0{k}" for k in range(1, 7)),
    "sitting": ("sit01",),
    "running": ("run01",),
}


@dataclass(frozen=True)
class Built:
    """A person as the camera needs to know one: bounding ``points`` of the person, and the head."""

    points: Array
    head: Array
    head_scale: float
    top: float
    clothes: tuple[str, ...]


def build(person: Person, framing: str, assets: Path | None, place: Array, facing: float) -> Built:
    """Add one person to the scene, standing at `place` and turned by `facing` degrees."""
    rng = np.random.default_rng(person.seed)
    body = _pose(person, assets, rng, place, facing)
    outfit = dress(person, body, assets, rng)
    _add_body(person, body, outfit, framing, rng)
    _add_clothes(person, outfit, rng)
    top = _add_hair(person, body, framing, rng)
    skin = body.posed[group_vertices("body")]
    middle = 0.5 * (body.joint("helper-l-eye") + body.joint("helper-r-eye"))
    head = Head(body, 0.01)
    return Built(skin, middle, head.scale, max(top, float(skin[:, 2].max())), outfit.names)


def _pose(
    person: Person, assets: Path | None, rng: np.random.Generator, place: Array, facing: float
) -> Posed:
    rest = shape(person)
    if assets and person.pose in RECORDED:
        pose = bvh_pose(assets / "poses" / f"{rng.choice(RECORDED[person.pose])}.bvh")
    else:
        pose = own_pose(person.pose, rng)
        turn_head(pose, person.turn)
    body = apply_pose(rest, pose)
    spin = rotation(np.asarray([0.0, 0.0, facing]))
    ground = body.posed[group_vertices("body")]
    shift = place - spin @ np.asarray([*ground[:, :2].mean(axis=0), ground[:, 2].min()])
    bones = body.bones.copy()
    bones[:, :, :3] = spin @ bones[:, :, :3]
    bones[:, :, 3] = body.bones[:, :, 3] @ spin.T + shift
    return Posed(rest, body.posed @ spin.T + shift, bones)


def _add_body(
    person: Person, body: Posed, outfit: Outfit, framing: str, rng: np.random.Generator
) -> None:
    mesh = base_mesh()
    hidden = np.zeros(len(mesh.vertices), dtype=bool)
    hidden[outfit.hidden] = True
    shown = np.asarray([group == "body" for group in mesh.groups])
    shown &= ~hidden[mesh.faces].all(axis=1)
    add_mesh(
        "skin", body.posed, mesh.faces[shown],
        material=materials.skin(person, rng), uv=mesh.uv[shown],
        attributes={
            "blush": regions.blush(),
            "hair_shadow": hair.hair_shadow(person),
            "rest": body.rest,
        },
        subdivide=2 if framing == "close_up" else 1,
    )  # fmt: skip
    for group, material in (
        ("helper-upper-teeth", materials.plain("teeth", "#e6dfd0", 0.25)),
        ("helper-lower-teeth", materials.plain("teeth", "#e6dfd0", 0.25)),
        ("helper-tongue", materials.plain("tongue", "#8a3f3c", 0.4)),
    ):
        chosen = np.asarray([name == group for name in mesh.groups])
        add_mesh(group, body.posed, mesh.faces[chosen], material=material)
    _add_eyes(person, body, rng)


def _add_eyes(person: Person, body: Posed, rng: np.random.Generator) -> None:
    material = materials.eye(rng, person.skin_tone)
    for name in ("helper-l-eye", "helper-r-eye"):
        points = body.posed[group_vertices(name)]
        middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
        radius = float(np.linalg.norm(points - middle, axis=1).mean())
        bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=24, radius=1.0)
        ball: Any = bpy.context.object
        ball.data.polygons.foreach_set("use_smooth", np.ones(len(ball.data.polygons), dtype=bool))
        ball.data.materials.append(material)
        gaze = rotation(np.asarray([person.gaze[1], 0.0, person.gaze[0]]))
        matrix = np.eye(4)
        matrix[:3, :3] = body.head_rotation() @ gaze * radius
        matrix[:3, 3] = middle
        ball.matrix_world = matrix.T.tolist()


def _add_clothes(person: Person, outfit: Outfit, rng: np.random.Generator) -> None:
    leather = str(rng.choice(["#1a1a1a", "#3b2a1e", "#c9c9c9", "#23304a", "#6b4a33"]))
    for number, piece in enumerate(outfit.pieces):
        colour = leather if piece.name == "shoes" else None
        if piece.name == "trousers" and rng.random() < 0.5:
            colour = str(rng.choice(["#2b3a55", "#1e2530", "#4f6380", "#6b6250", "#15161a"]))
        add_mesh(
            f"{piece.name} {number}", piece.vertices, piece.faces,
            material=materials.cloth(rng, colour), attributes={"rest": piece.rest},
            thickness=piece.thickness,
        )  # fmt: skip


def _add_hair(person: Person, body: Posed, framing: str, rng: np.random.Generator) -> float:
    """Add all hair; returns the height of its top."""
    head = Head(body, 0.018)
    count, radius = STRANDS[framing]
    material = materials.hair(person.hair, rng)
    strands = hair.head_hair(head, person.hair, count, rng)
    top = 0.0
    if strands is not None:
        thick = 1.5 if person.hair.style == "afro" else 1.0
        add_strands("hair", strands, radius * thick, material=material)
        top = float(np.quantile(strands[..., 2].max(axis=1), 0.99))
    beard = hair.beard_hair(head, person, count // 4, rng)
    if beard is not None:
        add_strands("beard", beard, radius, material=material)
    light = person.hair.colour in ("blond", "red", "dyed")
    dark_brows = light and (person.skin_tone >= 6 or person.hair.colour == "dyed")
    small = materials.brow() if dark_brows else materials.hair(person.hair, rng)
    add_strands("brows", hair.brows(head, 420, rng), radius * 1.1, material=small)
    add_strands("lashes", hair.lashes(body, rng), 0.00009, material=materials.brow())
    return top
