"""Rendering a described picture with Cycles: denoised colour, and alpha without noise."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from tools.render_people import materials
from tools.render_people.assets import Array
from tools.render_people.compose import finish
from tools.render_people.describe import PictureDescription
from tools.render_people.person import build
from tools.render_people.scene import set_stage

COLOUR_SAMPLES = 12
ALPHA_SAMPLES = 64


def render(
    picture: PictureDescription, *, size: int, assets: Path | None, threads: int = 1
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Render one picture; returns size x size x 4 RGBA and its metadata."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    built = []
    count = len(picture.people)
    for number, person in enumerate(picture.people):
        rng = np.random.default_rng([person.seed, 1])
        side = 0.0 if count == 1 else (number - 0.5) * rng.uniform(0.48, 0.6)
        place = np.asarray([side, rng.uniform(-0.1, 0.1) if count > 1 else 0.0, 0.0])
        facing = rng.uniform(-20, 20) if count > 1 else 0.0
        built.append(build(person, picture.shot.framing, assets, place, float(facing)))
    set_stage(picture.shot, built)
    _engine(size, threads)
    with tempfile.TemporaryDirectory() as folder:
        colour = _pass(Path(folder) / "colour.exr", COLOUR_SAMPLES, denoise=True)
        bpy.context.view_layer.material_override = materials.emission()
        alpha = _pass(Path(folder) / "alpha.exr", ALPHA_SAMPLES, denoise=False)
    found = finish(colour[..., :3], alpha[..., 3], picture.shot.exposure)
    clothes = [list(one.clothes) for one in built]
    return found, {
        **picture.as_json(),
        "clothes": clothes,
        "assets": assets is not None,
        "size": size,
    }


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Blender's own lines off standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _engine(size: int, threads: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = True
    scene.render.threads_mode = "FIXED"
    scene.render.threads = threads
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.color_depth = "32"
    scene.view_settings.view_transform = "Standard"
    scene.cycles_curves.shape = "RIBBONS"
    scene.cycles_curves.subdivisions = 1
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.seed = 0
    cycles.use_auto_tile = False
    cycles.use_light_tree = False
    cycles.max_bounces = 2
    cycles.diffuse_bounces = 1
    cycles.glossy_bounces = 2
    cycles.transmission_bounces = 2
    cycles.transparent_max_bounces = 4
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0


def _pass(path: Path, samples: int, *, denoise: bool) -> Array:
    """Render the scene to `path` and read it back, HxWx4 linear, first row on top."""
    scene = bpy.context.scene
    cycles = scene.cycles
    cycles.samples = samples
    cycles.use_denoising = denoise
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_quality = "FAST"
    cycles.denoising_prefilter = "FAST"
    cycles.use_adaptive_sampling = True
    cycles.adaptive_min_samples = 6 if denoise else 12
    cycles.adaptive_threshold = 0.05 if denoise else 0.008
    scene.render.filepath = str(path)
    with _silence():
        bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1].astype(np.float64)
