"""The body of one person: morph targets, then a pose, in plain numpy.

Skinning is linear blending over MakeHuman's default rig. Its joints' rest frames are parallel to
the world's, so a pose is one rotation per bone, given in world axes at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from tools.render_people.assets import (
    Array,
    Garment,
    base_mesh,
    group_vertices,
    rig,
    target,
    to_blender,
)
from tools.render_people.describe import Person

AGE_KNOTS = ((1.0, 0.0), (10.0, 0.1875), (25.0, 0.5), (80.0, 1.0))
# Pairs of targets, of which the first is applied for positive and the second for negative values.
FACE_PAIRS: tuple[tuple[str, str], ...] = (
    ("head/head-round", "head/head-rectangular"),
    ("head/head-oval", "head/head-square"),
    ("head/head-fat-incr", "head/head-fat-decr"),
    ("head/head-scale-vert-incr", "head/head-scale-vert-decr"),
    ("nose/nose-scale-horiz-incr", "nose/nose-scale-horiz-decr"),
    ("nose/nose-scale-vert-incr", "nose/nose-scale-vert-decr"),
    ("nose/nose-hump-incr", "nose/nose-hump-decr"),
    ("nose/nose-point-up", "nose/nose-point-down"),
    ("mouth/mouth-scale-horiz-incr", "mouth/mouth-scale-horiz-decr"),
    ("mouth/mouth-lowerlip-volume-incr", "mouth/mouth-lowerlip-volume-decr"),
    ("mouth/mouth-upperlip-volume-incr", "mouth/mouth-upperlip-volume-decr"),
    ("chin/chin-width-incr", "chin/chin-width-decr"),
    ("chin/chin-prominent-incr", "chin/chin-prominent-decr"),
    ("chin/chin-height-incr", "chin/chin-height-decr"),
    ("forehead/forehead-scale-vert-incr", "forehead/forehead-scale-vert-decr"),
    ("forehead/forehead-temple-incr", "forehead/forehead-temple-decr"),
)
EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {"mouth-compression": 0.1},
    "smile": {"mouth-corner-puller": 1.0, "eye-left-slit": 0.2, "eye-right-slit": 0.2},
    "brows_up": {"eyebrows-left-up": 0.9, "eyebrows-right-up": 0.9},
    "frown": {"eyebrows-left-down": 0.8, "eyebrows-right-down": 0.8, "mouth-depression": 0.3},
    "talk": {"mouth-open": 0.35, "eyebrows-left-up": 0.3, "eyebrows-right-up": 0.3},
}


def macro_weights(person: Person) -> dict[str, float]:
    """Return MakeHuman's macro targets and their weights for age, sex, build and ancestry."""
    years, knots = zip(*AGE_KNOTS, strict=True)
    age = float(np.interp(person.age, years, knots))
    ages = _blend(age, (("baby", 0.0), ("child", 0.1875), ("young", 0.5), ("old", 1.0)))
    sexes = {"female": 1 - person.sex, "male": person.sex}
    muscles = _blend(person.muscle, (("min", 0.0), ("average", 0.5), ("max", 1.0)))
    weights = _blend(person.weight, (("min", 0.0), ("average", 0.5), ("max", 1.0)))
    heights = {
        "minheight": max(0, 1 - 2 * person.height),
        "maxheight": max(0, 2 * person.height - 1),
    }
    races = dict(zip(("african", "asian", "caucasian"), person.ancestry, strict=True))
    found: dict[str, float] = {}
    for (sex, a), (years_name, b) in product(sexes.items(), ages.items()):
        for race, c in races.items():
            found[f"macrodetails/{race}-{sex}-{years_name}"] = a * b * c
        for (muscle, c), (weight, d) in product(muscles.items(), weights.items()):
            build = f"{sex}-{years_name}-{muscle}muscle-{weight}weight"
            found[f"macrodetails/universal-{build}"] = a * b * c * d
            for height, e in heights.items():
                found[f"macrodetails/height/{build}-{height}"] = a * b * c * d * e
    return {name: weight for name, weight in found.items() if weight > 1e-3}


def _blend(value: float, knots: tuple[tuple[str, float], ...]) -> dict[str, float]:
    """Return the linear weights of the two knots around `value`."""
    places = np.asarray([place for _, place in knots])
    at = int(np.clip(np.searchsorted(places, value, side="right") - 1, 0, len(knots) - 2))
    part = float(np.clip((value - places[at]) / (places[at + 1] - places[at]), 0, 1))
    return {knots[at][0]: 1 - part, knots[at + 1][0]: part}


def shape(person: Person) -> Array:
    """Return the base mesh's vertices, helpers included, in the rest pose (Nx3 metres)."""
    weights = macro_weights(person)
    for (more, less), value in zip(FACE_PAIRS, person.face, strict=True):
        name = more if value > 0 else less
        weights[name] = 0.7 * abs(value)
    for name, value in EXPRESSIONS[person.expression].items():
        weights[f"expression/units/caucasian/{name}"] = value * person.expression_strength
    vertices = base_mesh().vertices.copy()
    for name, weight in weights.items():
        index, offsets = target(name)
        vertices[index] += weight * offsets
    return vertices


def rotation(vector: Array) -> Array:
    """Return the 3x3 rotation of a rotation vector in degrees (Rodrigues' formula)."""
    angle = np.radians(np.linalg.norm(vector))
    if angle < 1e-9:
        return np.eye(3)
    x, y, z = np.radians(vector) / angle
    cross = np.asarray([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turn


ELBOW = np.asarray([-0.76, -0.14, -0.64])  # hinge of the left elbow at rest; positive flexes
ARM = np.asarray([0.64, 0.0, -0.77])  # direction of the left upper arm at rest


def own_pose(name: str, rng: np.random.Generator) -> dict[str, Array]:
    """Return a pose by name as rotation vectors per bone, a little different for every `rng`."""
    both: dict[str, Array] = {
        "clavicle.L": np.asarray([0.0, 3.0, 0.0]),
        "upperarm01.L": np.asarray([0.0, rng.uniform(27, 36), 0.0]),
        "lowerarm01.L": ELBOW * rng.uniform(-26, 0),
        "finger": np.asarray([0.0, 0.0, 0.0]),
    }
    pose: dict[str, Array] = {}
    if name == "hands_on_hips":
        both["upperarm01.L"] = np.asarray([0.0, rng.uniform(2, 8), 0.0])
        both["upperarm02.L"] = ARM * 75
        both["lowerarm01.L"] = ELBOW * rng.uniform(38, 46)
    elif name == "arms_raised":
        both["clavicle.L"] = np.asarray([0.0, -15.0, 0.0])
        both["upperarm01.L"] = np.asarray([0.0, rng.uniform(-100, -60), 0.0])
    elif name == "arms_out":
        both["upperarm01.L"] = np.asarray([0.0, rng.uniform(-45, -20), 0.0])
    elif name == "sitting":
        both["upperleg01.L"] = np.asarray([-rng.uniform(72, 84), 0.0, rng.uniform(0, 6)])
        both["lowerleg01.L"] = np.asarray([rng.uniform(70, 90), 0.0, 0.0])
        both["upperarm01.L"] = np.asarray([-18.0, 26.0, 0.0])
    del both["finger"]
    for bone, vector in both.items():
        jitter = rng.normal(0, 2.0, 3)
        pose[bone] = vector + jitter
        pose[bone[:-1] + "R"] = vector * [1, -1, -1] + rng.normal(0, 2.0, 3)
    if name == "waving":
        pose["upperarm01.R"] = np.asarray([0.0, rng.uniform(35, 55), 0.0])
        pose["lowerarm01.R"] = ELBOW * [1, -1, -1] * 55
        pose["upperarm02.R"] = ARM * [1, -1, -1] * -85 * np.asarray([-1, 1, 1]) * -1
    elif name == "contrapposto":
        lean = rng.choice([-1.0, 1.0]) * rng.uniform(3, 7)
        pose["spine05"] = np.asarray([0.0, lean, 0.0])
        pose["spine02"] = np.asarray([0.0, -1.6 * lean, rng.normal(0, 5)])
        pose["upperleg01.L"] = np.asarray([-max(lean, 0.0) * 3, 0.0, 4.0])
        pose["lowerleg01.L"] = np.asarray([max(lean, 0.0) * 4, 0.0, 0.0])
        pose["upperleg01.R"] = np.asarray([-max(-lean, 0.0) * 3, 0.0, -4.0])
        pose["lowerleg01.R"] = np.asarray([max(-lean, 0.0) * 4, 0.0, 0.0])
    elif name in ("walking", "running"):
        step = rng.choice([-1.0, 1.0]) * rng.uniform(14, 24)
        for side, sign in (("L", 1.0), ("R", -1.0)):
            pose[f"upperleg01.{side}"] = np.asarray([-sign * step, 0.0, 0.0])
            pose[f"lowerleg01.{side}"] = np.asarray([10.0 + max(-sign * step, 0.0), 0.0, 0.0])
            pose[f"upperarm01.{side}"] += np.asarray([sign * step, 0.0, 0.0])
    return pose


def turn_head(pose: dict[str, Array], turn: tuple[float, float, float]) -> None:
    """Add yaw, pitch and roll (degrees) to the neck and head of `pose`."""
    yaw, pitch, roll = turn
    for bone, share in (("neck01", 0.2), ("neck02", 0.2), ("neck03", 0.2), ("head", 0.4)):
        pose[bone] = pose.get(bone, np.zeros(3)) + share * np.asarray([pitch, roll, yaw])


def bvh_pose(path: Path) -> dict[str, Array]:
    """Read the first frame of a MakeHuman .bvh as 3x3 rotations per bone."""
    channels: list[tuple[str, str]] = []
    bone = ""
    values: list[float] = []
    for line in path.read_text().splitlines():
        words = line.split()
        if words and words[0] in ("ROOT", "JOINT"):
            bone = words[1]
        elif words and words[0] == "CHANNELS":
            channels += [(bone, name) for name in words[2:]]
        elif words and words[0][0] in "-0123456789":
            values = [float(word) for word in words]
    matrices: dict[str, Array] = {}
    for (bone, name), value in zip(channels, values, strict=False):
        if name.endswith("rotation"):
            axis = np.eye(3)["XYZ".index(name[0])]
            matrices[bone] = matrices.get(bone, np.eye(3)) @ rotation(axis * value)
    return matrices


@dataclass(frozen=True)
class Posed:
    """A posed body: ``rest`` and ``posed`` base vertices Nx3, ``bones`` 3x4 transforms."""

    rest: Array
    posed: Array
    bones: Array

    def head_rotation(self) -> Array:
        """Return the 3x3 rotation of the head from rest."""
        matrix: Array = self.bones[rig().bones.index("head"), :, :3]
        return matrix

    def joint(self, name: str) -> Array:
        """Return the posed middle of a base-mesh group such as ``joint-neck``."""
        middle: Array = self.posed[group_vertices(name)].mean(axis=0)
        return middle


def apply_pose(rest: Array, pose: dict[str, Array]) -> Posed:
    """Pose the base vertices; `pose` holds rotation vectors (degrees) or 3x3 matrices."""
    skeleton = rig()
    heads = np.stack([rest[index].mean(axis=0) for index in skeleton.heads])
    transforms = np.zeros((len(skeleton.bones), 3, 4))
    for number, (bone, parent) in enumerate(zip(skeleton.bones, skeleton.parents, strict=True)):
        turn = pose.get(bone, np.zeros(3))
        local = turn if turn.shape == (3, 3) else rotation(turn)
        if parent < 0:
            world, place = local, heads[number]
        else:
            world = transforms[parent, :, :3] @ local
            place = transforms[parent, :, :3] @ heads[number] + transforms[parent, :, 3]
        transforms[number, :, :3] = world
        transforms[number, :, 3] = place - world @ heads[number]
    return Posed(rest, skin(rest, skeleton.weights, transforms), transforms)


def skin(rest: Array, weights: Array, transforms: Array) -> Array:
    """Blend bone transforms linearly: Nx3 points, N x bones weights, bones x3x4."""
    blended = (weights @ transforms.reshape(len(transforms), 12)).reshape(-1, 3, 4)
    moved: Array = np.einsum("nij,nj->ni", blended[:, :, :3], rest) + blended[:, :, 3]
    return moved


def fit(garment: Garment, body: Posed) -> tuple[Array, Array]:
    """Fit a garment to a body; returns its rest and its posed vertices (Nx3 metres)."""
    corners = body.rest[garment.corners]
    scale = np.ones(3)
    for axis, first, second, reference in garment.scales:
        blender_axis = (0, 2, 1)[axis]
        span = abs(body.rest[first, blender_axis] - body.rest[second, blender_axis])
        scale[axis] = span / (reference * 0.1)
    offset = to_blender(garment.offsets * scale)
    rest = np.einsum("nk,nkj->nj", garment.weights, corners) + offset
    weights = np.einsum(
        "nk,nkb->nb", np.clip(garment.weights, 0, None), rig().weights[garment.corners]
    )
    weights /= weights.sum(axis=1, keepdims=True)
    return rest, skin(rest, weights, body.bones)
