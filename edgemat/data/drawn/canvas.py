"""A canvas on which coverage and colour are drawn together, and the lens that looks at it.

Colours are drawn a little beyond the coverage and lie on a texture that fills the picture, so
that the foreground is defined everywhere.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edgemat.data.drawn.draw import (
    Floats,
    MaskPainter,
    Points,
    Size,
    gaussian,
    polygon_mask,
    strands,
)
from edgemat.data.drawn.textures import noise, random_colour
from edgemat.images import F32, resize, to_float, to_uint8

COLOUR_SCALE = 2  # colours are drawn at twice the size
_SHARP, _OPTICS = 0.2, 0.8  # shares of pictures: without any blur; with a lens' usual blur


class Canvas:
    """Coverage (four times the size) and colours (twice the size) of one object."""

    def __init__(self, texture: F32) -> None:
        height, width = texture.shape[:2]
        self.size: Size = (height, width)
        self._coverage = MaskPainter(self.size)
        image = Image.fromarray(to_uint8(texture))
        large = (width * COLOUR_SCALE, height * COLOUR_SCALE)
        self._colours = image.resize(large, Image.Resampling.BILINEAR)
        self._draw = ImageDraw.Draw(self._colours)

    def shape(self, points: Points, *, inside: bool = True) -> None:
        """Cover a polygon in the colours of the texture, or cut it out."""
        self._coverage.polygon(points, inside=inside)

    def fill(self, points: Points, colour: Floats) -> None:
        """Cover a polygon in one colour, which reaches a pixel beyond it."""
        self._coverage.polygon(points)
        corners = (points * COLOUR_SCALE).ravel().tolist()
        self._draw.polygon(corners, fill=_byte_colour(colour))
        self._draw.line(corners + corners[:2], fill=_byte_colour(colour), width=2 * COLOUR_SCALE)

    def patch(self, points: Points, colour: Floats) -> None:
        """Colour a polygon without covering anything."""
        self._draw.polygon((points * COLOUR_SCALE).ravel().tolist(), fill=_byte_colour(colour))

    def strokes(
        self,
        lines: Points,
        widths: Floats,
        colours: Floats,
        *,
        level: float = 1.0,
        taper: bool = False,
        cover: bool = True,
    ) -> None:
        """Draw curves N,K,2 with N widths in pixels and N,3 colours.

        `level` is the opacity (of the last one where strokes cross), `taper` halves the width of
        the outer half, and ``cover=False`` changes colours alone. N may be 0.
        """
        if not len(lines):
            return
        if cover:
            half = lines.shape[1] // 2
            parts = [(lines[:, half:], widths * 0.5), (lines[:, : half + 1], widths)]
            for part, part_widths in parts if taper else [(lines, widths)]:
                self._coverage.polylines(part, part_widths, level=round(level * 255))
        flat = (lines * COLOUR_SCALE).reshape(len(lines), -1).tolist()
        # A covering stroke's colour reaches beyond it, a mere streak's does not.
        spare = COLOUR_SCALE * 1.5 if cover else 0.0
        thick = np.maximum(1, np.round(widths * COLOUR_SCALE + spare)).astype(int).tolist()
        shades = np.round(np.clip(colours, 0, 1) * 255).astype(int).tolist()
        for coordinates, width, shade in zip(flat, thick, shades, strict=True):
            self._draw.line(coordinates, fill=tuple(shade), width=width)

    def finish(self, rng: np.random.Generator, *, focus: bool = True) -> tuple[F32, F32]:
        """Return (foreground HxWx3, alpha HxW) as seen by a lens (``focus=False``: none)."""
        colours = to_float(np.asarray(self._colours.reduce(COLOUR_SCALE)))
        alpha = self._coverage.mask()
        return lens(rng, colours, alpha) if focus else (colours, alpha)


def lens(rng: np.random.Generator, colours: F32, alpha: F32) -> tuple[F32, F32]:
    """Blur an object as lenses do: hardly, evenly, or more in some places than in others."""
    draw = rng.uniform()
    if draw < _SHARP:
        return colours, alpha
    if draw < _OPTICS:
        return colours, gaussian(alpha, rng.uniform(0.35, 0.9))
    radius = rng.uniform(1.0, 4.0)
    field = noise(rng, (alpha.shape[0], alpha.shape[1]), cells=2, octaves=1)
    weight = np.clip(3 * field - 1, 0, 1).astype(np.float32)
    soft = blur_colours(colours, radius)
    soft_alpha, sharp_alpha = gaussian(alpha, radius), gaussian(alpha, 0.5)
    alpha = sharp_alpha + weight * (soft_alpha - sharp_alpha)
    return colours + weight[..., None] * (soft - colours), alpha


def blur_colours(colours: F32, radius: float) -> F32:
    """Blur HxWx3 colours in 0..1 by a Gaussian of `radius` pixels."""
    image = Image.fromarray(to_uint8(colours))
    return to_float(np.asarray(image.filter(ImageFilter.GaussianBlur(float(radius)))))


def modelled(rng: np.random.Generator, texture: F32, *outlines: Points) -> F32:
    """Shade a texture as if the union of outlines were a rounded body, lit from one side."""
    height, width = texture.shape[:2]
    small = (max(2, height // 8), max(2, width // 8))
    scale = np.array([small[1] / width, small[0] / height])
    mask = polygon_mask(small, *(outline * scale for outline in outlines))
    rounded = gaussian(mask, max(1.0, min(small) * 0.1))
    slope_y, slope_x = np.gradient(rounded)
    angle = rng.uniform(0, 2 * np.pi)
    light = np.cos(angle) * slope_x + np.sin(angle) * slope_y
    light = light / max(float(np.abs(light).max()), 1e-3) * rng.uniform(0.1, 0.45)
    shade = 1 + light - rng.uniform(0, 0.35) * (1 - rounded)
    shade = resize(shade.astype(np.float32), (height, width), method="bilinear")
    lit: F32 = np.clip(texture * shade[..., None], 0, 1)
    return lit


def shades(
    rng: np.random.Generator, base: Floats, count: int, *, spread: float = 0.25, second: float = 0.4
) -> F32:
    """Return `count` colours around a base; now and then (`second`) a share in another tone."""
    tones = np.repeat(base[None].astype(np.float64), count, axis=0)
    if rng.uniform() < second:
        other = random_colour(rng) if rng.uniform() < 0.3 else base * rng.choice([0.45, 1.7]) + 0.04
        tones[rng.uniform(size=count) < rng.uniform(0.1, 0.5)] = other
    tones = tones * rng.lognormal(0, spread, (count, 1)) + rng.normal(0, 0.02, (count, 3))
    return np.clip(tones, 0, 1).astype(np.float32)


def locks(
    rng: np.random.Generator,
    roots: Points,
    angles: Floats,
    *,
    lengths: Floats,
    group: int,
    pull: float,
    bend: float,
    wave: float = 0.0,
    cycles: tuple[float, float] = (1.0, 2.5),
    gravity: float = 0.0,
    steps: int = 10,
) -> Points:
    """Return strands N,steps,2 of which each `group` in a row lean towards a common tip.

    `pull` 0..1 says how far they lean; the rest is as in
    :func:`~edgemat.data.drawn.draw.strands`.
    """
    headings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lines = strands(
        rng, roots, headings, lengths=lengths, bend=bend, wave=wave, cycles=cycles,
        gravity=gravity, steps=steps,
    )  # fmt: skip
    leaders = lines[np.arange(len(lines)) // group * group]
    weight = (pull * np.linspace(0, 1, steps) ** 1.3)[None, :, None]
    pulled: Points = lines + weight * (leaders - lines)
    return pulled


def _byte_colour(colour: Floats) -> tuple[int, int, int]:
    red, green, blue = np.round(np.clip(colour, 0, 1) * 255).astype(int).tolist()
    return red, green, blue
