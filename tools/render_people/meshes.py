"""From numpy arrays to Blender objects."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from tools.render_people.assets import Array, Index


def add_mesh(
    name: str,
    vertices: Array,
    faces: Index,
    *,
    material: bpy.types.Material,
    uv: Array | None = None,
    attributes: Mapping[str, Array] | None = None,
    subdivide: int = 1,
    thickness: float = 0.0,
) -> bpy.types.Object:
    """Add a smooth mesh; unused vertices are dropped, quads may be degenerate triangles.

    ``attributes`` are per vertex: N values, or Nx3 vectors. ``thickness`` in metres, outwards.
    """
    used, inverse = np.unique(faces, return_inverse=True)
    faces = inverse.reshape(faces.shape)
    polygons = [list(dict.fromkeys(int(corner) for corner in quad)) for quad in faces]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices[used].tolist(), [], polygons)
    if uv is not None:
        layer = mesh.uv_layers.new(name="uv")
        flat = [
            corner
            for corners, polygon in zip(uv.tolist(), polygons, strict=True)
            for corner in corners[: len(polygon)]
        ]
        layer.data.foreach_set("uv", np.asarray(flat, dtype=np.float32).ravel())
    for key, values in (attributes or {}).items():
        vector = values.ndim == 2
        attribute = mesh.attributes.new(key, "FLOAT_VECTOR" if vector else "FLOAT", "POINT")
        attribute.data.foreach_set(
            "vector" if vector else "value", values[used].astype(np.float32).ravel()
        )
    mesh.polygons.foreach_set("use_smooth", np.ones(len(polygons), dtype=bool))
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    if thickness:
        solid = thing.modifiers.new("thickness", "SOLIDIFY")
        solid.thickness, solid.offset = thickness, 0.0
    if subdivide:
        smooth = thing.modifiers.new("subdivide", "SUBSURF")
        smooth.levels = smooth.render_levels = subdivide
    return thing


def add_strands(
    name: str, points: Array, radius: float, *, material: bpy.types.Material, tip: float = 0.3
) -> bpy.types.Object:
    """Add hair: `points` is strands x points x 3 metres, thinning towards the tip."""
    count, length = points.shape[:2]
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([length] * count)
    curves.position_data.foreach_set("vector", points.astype(np.float32).ravel())
    profile = radius * np.interp(np.linspace(0, 1, length), (0, 0.4, 1), (1, 1, tip))
    attribute = curves.attributes.new("radius", "FLOAT", "POINT")
    attribute.data.foreach_set("value", np.tile(profile, count).astype(np.float32))
    curves.materials.append(material)
    thing = bpy.data.objects.new(name, curves)
    bpy.context.scene.collection.objects.link(thing)
    return thing
