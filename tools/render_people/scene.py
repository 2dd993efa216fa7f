"""Camera, light and blur of a shot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from tools.render_people.assets import Array
from tools.render_people.describe import Shot
from tools.render_people.materials import NodeTree
from tools.render_people.person import Built

SENSOR = 36.0  # millimetres, so that lenses are 35 mm equivalents


@dataclass(frozen=True)
class Lamp:
    """An area light: degrees from the camera's side, metres, and its share of the exposure."""

    azimuth: float
    elevation: float
    size: float
    strength: float
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)


WARM, COOL = (1.0, 0.72, 0.45), (0.7, 0.85, 1.0)
# Sky above, ground below (linear RGB, already times their strength), and lamps.
Sky = tuple[tuple[float, float, float], tuple[float, float, float]]
PRESETS: dict[str, tuple[Sky, tuple[Lamp, ...]]] = {
    "studio": (
        ((0.25, 0.25, 0.26), (0.15, 0.15, 0.15)),
        (Lamp(1, 35, 1.2, 1.0), Lamp(-1.2, 10, 2.0, 0.35)),
    ),
    "rim": (
        ((0.16, 0.17, 0.2), (0.08, 0.08, 0.08)),
        (Lamp(0.8, 30, 1.0, 0.8), Lamp(-3.2, 30, 0.6, 1.8)),
    ),
    "window": (
        ((0.16, 0.17, 0.2), (0.1, 0.09, 0.08)),
        (Lamp(1.6, 15, 2.2, 1.3, (0.9, 0.95, 1.0)),),
    ),
    "overcast": (((0.95, 1.0, 1.05), (0.3, 0.29, 0.27)), (Lamp(0.3, 70, 4.0, 0.4),)),
    "hard_sun": (
        ((0.3, 0.38, 0.5), (0.25, 0.22, 0.18)),
        (Lamp(1, 48, 0.08, 1.35, (1.0, 0.94, 0.84)),),
    ),
    "warm_evening": (((0.22, 0.24, 0.34), (0.15, 0.12, 0.09)), (Lamp(1.4, 12, 0.35, 1.4, WARM),)),
    "cool_shade": (((0.7, 0.78, 0.95), (0.24, 0.24, 0.25)), (Lamp(0.8, 50, 3.0, 0.6, COOL),)),
    "backlight": (
        ((0.38, 0.38, 0.4), (0.2, 0.2, 0.2)),
        (Lamp(3.4, 25, 0.8, 2.0, (1.0, 0.93, 0.82)), Lamp(0.4, 15, 2.0, 0.3)),
    ),
    "low_light": (
        ((0.06, 0.065, 0.08), (0.03, 0.03, 0.03)),
        (Lamp(1.1, 25, 0.5, 0.62, WARM), Lamp(-2.4, 15, 0.6, 0.5, COOL)),
    ),
}


def set_stage(shot: Shot, people: list[Built]) -> None:
    """Add camera and lights for the people in the scene."""
    middle, height = _frame(shot, people)
    _camera(shot, middle, height, people[0].head)
    _lights(shot, people[0].head)


def _frame(shot: Shot, people: list[Built]) -> tuple[Array, float]:
    """Return the middle of the picture (metres, world) and its height at that depth."""
    points = np.concatenate([built.points for built in people])
    head = np.mean([built.head for built in people], axis=0)
    top = max(built.top for built in people)
    scale = people[0].head_scale
    across = _across(shot)
    crown = top + 0.03 * scale
    if shot.framing == "close_up":
        height = 0.34 * scale * shot.zoom
        middle = people[0].head + np.asarray([0, 0, -0.02 * scale])
    elif shot.framing == "head_and_shoulders":
        height = (crown - head[2] + 0.40 * scale) * shot.zoom
        middle = head.copy()
        middle[2] = crown - 0.5 * height
    elif shot.framing == "half":
        low = float(points[:, 2].min())
        height = (crown - low) * 0.58 * shot.zoom
        middle = points.mean(axis=0)
        middle[2] = crown - 0.5 * height
    else:
        low, high = float(points[:, 2].min()), max(crown, float(points[:, 2].max()))
        reach = points @ across
        height = max(high - low + 0.08, reach.max() - reach.min() + 0.1) * 1.06
        middle = 0.5 * (points.max(axis=0) + points.min(axis=0))
        middle[2] = 0.5 * (high + low)
    if len(people) > 1:
        reach = np.asarray([built.head for built in people]) @ across
        height = max(height, float(reach.max() - reach.min()) + 0.62)
    shift = shot.shift if shot.framing != "full" else (0.3 * shot.shift[0], 0.0)
    middle = middle + height * (shift[0] * across + np.asarray([0, 0, shift[1]]))
    return middle, height


def _across(shot: Shot) -> Array:
    angle = math.radians(shot.azimuth)
    return np.asarray([math.cos(angle), math.sin(angle), 0.0])


def _camera(shot: Shot, middle: Array, height: float, focus: Array) -> None:
    data = bpy.data.cameras.new("camera")
    data.sensor_width = SENSOR
    data.lens = shot.lens
    distance = height * shot.lens / SENSOR
    azimuth, elevation = math.radians(shot.azimuth), math.radians(shot.elevation)
    toward = np.asarray(
        [
            math.sin(azimuth) * math.cos(elevation),
            -math.cos(azimuth) * math.cos(elevation),
            math.sin(elevation),
        ]
    )
    camera = bpy.data.objects.new("camera", data)
    scene = bpy.context.scene
    scene.collection.objects.link(camera)
    place = middle + toward * distance
    camera.location = place.tolist()
    look = Vector((-toward).tolist()).to_track_quat("-Z", "Y").to_euler()
    camera.rotation_euler = look
    camera.rotation_euler.rotate_axis("Z", math.radians(shot.roll))
    data.clip_start, data.clip_end = 0.01, 100
    if shot.defocus:
        data.dof.use_dof = True
        data.dof.focus_distance = float((place - focus) @ toward)
        # Blur discs in proportion to the picture: aperture wide against the subject's size.
        data.dof.aperture_fstop = shot.lens / 1000 / (0.02 + 0.10 * shot.defocus) / max(height, 0.4)
    if shot.motion_blur:
        scene.render.use_motion_blur = True
        scene.render.motion_blur_shutter = 0.5
        step = 0.035 * shot.motion_blur * height
        for frame, sign in ((0, -1.0), (2, 1.0)):
            camera.location = (place + sign * step * _across(shot)).tolist()
            camera.keyframe_insert("location", frame=frame)
    scene.frame_set(1)
    scene.camera = camera


def _lights(shot: Shot, head: Array) -> None:
    (sky, ground), lamps = PRESETS[shot.light]
    tint = np.asarray([1 + 0.12 * shot.warmth, 1.0, 1 - 0.15 * shot.warmth])
    _world(np.asarray(sky) * tint, np.asarray(ground) * tint)
    for number, lamp in enumerate(lamps):
        data = bpy.data.lights.new(f"lamp {number}", "AREA")
        data.shape = "DISK"
        data.size = lamp.size
        distance = 3.2
        azimuth = math.radians(shot.azimuth + shot.light_azimuth * lamp.azimuth)
        elevation = math.radians(lamp.elevation)
        toward = np.asarray(
            [
                math.sin(azimuth) * math.cos(elevation),
                -math.cos(azimuth) * math.cos(elevation),
                math.sin(elevation),
            ]
        )
        # An area light of P watts gives P / (pi d^2) W/m2 in front; white then shines at 1.
        data.energy = lamp.strength * math.pi * distance**2 * math.pi
        data.color = np.clip(np.asarray(lamp.colour) * tint, 0, 1).tolist()
        thing = bpy.data.objects.new(f"lamp {number}", data)
        thing.location = (head + toward * distance).tolist()
        thing.rotation_euler = Vector((-toward).tolist()).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(thing)


def _world(sky: Array, ground: Array) -> None:
    """Light from all around: `sky` above, `ground` below."""
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    bpy.context.scene.world = world
    graph = NodeTree.__new__(NodeTree)
    graph.tree = world.node_tree
    graph.tree.nodes.clear()
    direction = graph.node("ShaderNodeTexCoord").outputs["Generated"]
    up = graph.node("ShaderNodeSeparateXYZ", {0: direction}).outputs["Z"]
    colour = graph.mix(graph.ramp(up, -0.3, 0.5), (*ground, 1.0), (*sky, 1.0))
    background = graph.node("ShaderNodeBackground", {"Color": colour, "Strength": 1.0})
    output = graph.node("ShaderNodeOutputWorld")
    graph.tree.links.new(background.outputs[0], output.inputs["Surface"])
