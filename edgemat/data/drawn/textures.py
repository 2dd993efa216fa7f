"""Colours, textures and backgrounds of the procedural generator.

All textures are HxWx3 float32 RGB in 0..1.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edgemat.data.drawn.draw import Floats, Size
from edgemat.images import F32, resize, to_float, to_uint8

SKINS = np.array(
    [
        (0.96, 0.82, 0.73),
        (0.91, 0.74, 0.62),
        (0.83, 0.63, 0.48),
        (0.70, 0.49, 0.35),
        (0.53, 0.35, 0.24),
        (0.36, 0.23, 0.16),
    ],
    np.float32,
)
HAIRS = np.array(
    [
        (0.06, 0.05, 0.05),
        (0.13, 0.09, 0.07),
        (0.28, 0.17, 0.10),
        (0.45, 0.28, 0.15),
        (0.72, 0.54, 0.31),
        (0.86, 0.74, 0.52),
        (0.58, 0.24, 0.10),
        (0.62, 0.61, 0.60),
        (0.90, 0.89, 0.88),
    ],
    np.float32,
)


def random_colour(rng: np.random.Generator) -> F32:
    """Return one RGB colour; muted ones are as frequent as strong ones."""
    saturation = rng.beta(1.2, 1.8)
    value = rng.uniform(0.08, 0.98)
    return np.array(colorsys.hsv_to_rgb(rng.uniform(), saturation, value), np.float32)


def vary(rng: np.random.Generator, colour: F32, *, amount: float = 0.06) -> F32:
    """Return a colour near the given one."""
    return np.clip(colour + rng.normal(0, amount, 3), 0, 1).astype(np.float32)


def skin_colour(rng: np.random.Generator) -> F32:
    """Return an RGB colour in 0..1, light to dark."""
    return vary(rng, SKINS[rng.integers(len(SKINS))], amount=0.025)


def hair_colour(rng: np.random.Generator) -> F32:
    """Return a hair colour; a few are dyed."""
    if rng.uniform() < 0.08:
        return random_colour(rng)
    return vary(rng, HAIRS[rng.integers(len(HAIRS))], amount=0.03)


def noise(rng: np.random.Generator, size: Size, *, cells: float = 4, octaves: int = 4) -> F32:
    """Return HxW fractal noise with full range 0..1.

    `cells` is the number of lattice cells along the shorter side in the first octave; each
    further octave doubles it and halves its weight.
    """
    height, width = size
    total = np.zeros(size, np.float32)
    short = min(height, width)
    for octave in range(octaves):
        count = cells * 2**octave
        if count > short:
            break
        grid = (max(2, round(count * height / short)), max(2, round(count * width / short)))
        lattice = rng.uniform(0, 1, grid).astype(np.float32)
        total += resize(lattice, size, method="bicubic") * 0.5**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def ramp(values: Floats, colours: list[F32]) -> F32:
    """Map HxW values in 0..1 through evenly spaced colours."""
    knots = np.linspace(0, 1, len(colours))
    table = np.stack(colours)
    return np.stack(
        [np.interp(values, knots, table[:, k]).astype(np.float32) for k in range(3)], axis=2
    )


def direction_field(size: Size, angle: float) -> F32:
    """Return HxW coordinates along `angle` (radians), about -0.5..0.5 over the shorter side."""
    height, width = size
    y = (np.arange(height, dtype=np.float32) - height / 2)[:, None]
    x = (np.arange(width, dtype=np.float32) - width / 2)[None, :]
    along = (x * np.cos(angle) + y * np.sin(angle)) / min(size)
    field: F32 = along.astype(np.float32)
    return field


def lit(rng: np.random.Generator, texture: F32, *, strength: float = 0.25) -> F32:
    """Shade a texture by a soft light from a random side."""
    size = (texture.shape[0], texture.shape[1])
    light = direction_field(size, rng.uniform(0, 2 * np.pi)) * strength * rng.uniform(0.3, 1.6)
    light += (noise(rng, size, cells=2, octaves=2) - 0.5) * strength
    return np.clip(texture * (1 + light[..., None]), 0, 1).astype(np.float32)


def grained(rng: np.random.Generator, texture: F32) -> F32:
    """Roughen a texture by fine noise, as cloth, hide, bark and skin are rough."""
    size = (texture.shape[0], texture.shape[1])
    cells = max(4.0, min(size) * rng.uniform(0.08, 0.35))
    rough = (noise(rng, size, cells=cells, octaves=2) - 0.5) * rng.uniform(0.1, 0.7)
    return np.clip(texture * (1 + rough[..., None]), 0, 1)


# --- textures: (rng, size, colours) -> HxWx3 -------------------------------------------------


def gradient(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """A linear or radial gradient."""
    if rng.uniform() < 0.5:
        field = direction_field(size, rng.uniform(0, 2 * np.pi)) + 0.5
    else:
        across, along = direction_field(size, 0.0), direction_field(size, np.pi / 2)
        off_x, off_y = rng.uniform(-0.5, 0.5, 2)
        field = np.hypot(across - off_x, along - off_y) * rng.uniform(0.8, 1.6)
    return ramp(np.clip(field, 0, 1).astype(np.float32), colours)


def clouds(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Fractal noise through a colour ramp."""
    return ramp(noise(rng, size, cells=int(rng.integers(2, 12)), octaves=5), colours)


def patches(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Spots and patches with sharp borders: hides, pumpkins, prints, camouflage."""
    field = noise(rng, size, cells=rng.uniform(3, 14), octaves=int(rng.integers(1, 4)))
    sharp = rng.uniform(4, 20)
    steps = np.clip((field - 0.4) * sharp, 0, 1) + np.clip((field - 0.6) * sharp, 0, 1)
    return ramp((0.5 * steps).astype(np.float32), colours[:3] if len(colours) > 2 else colours)


def stripes(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Straight or wavy stripes, or checks, with soft or hard borders."""
    angle = rng.uniform(0, np.pi)
    frequency = rng.uniform(4, 24) * 2 * np.pi
    warp = (noise(rng, size, cells=3, octaves=2) - 0.5) * rng.choice([0.0, 0.05, 0.2])
    waves = np.sin((direction_field(size, angle) + warp) * frequency)
    if rng.uniform() < 0.35:
        waves = waves * np.sin((direction_field(size, angle + np.pi / 2) + warp) * frequency)
    hardness = rng.choice([0.5, 1.5, 6.0])
    return ramp(np.clip(0.5 + hardness * waves * 0.5, 0, 1).astype(np.float32), colours)


def blobs(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Soft discs, like lights out of focus or a pattern on cloth."""
    height, width = size
    image = _flat_image(size, colours[0])
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(int(rng.integers(12, 60))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = min(size) * rng.uniform(0.01, 0.11)
        colour = colours[rng.integers(len(colours))] * rng.uniform(0.7, 1.2)
        fill = (*_byte_colour(colour), int(rng.integers(60, 256)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    return _as_texture(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 3)))))


def scene(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Rectangles and lines over a floor and a wall: rooms, shelves, windows, streets."""
    height, width = size
    image = _flat_image(size, colours[0])
    draw = ImageDraw.Draw(image)
    horizon = height * rng.uniform(0.45, 0.95)
    draw.rectangle((0, horizon, width, height), fill=_byte_colour(colours[-1]))
    for _ in range(int(rng.integers(4, 22))):
        colour = _byte_colour(vary(rng, colours[rng.integers(len(colours))], amount=0.15))
        x, y = rng.uniform(-0.1, 1.0) * width, rng.uniform(-0.1, 0.9) * height
        w, h = rng.uniform(0.03, 0.4) * width, rng.uniform(0.05, 0.5) * height
        outline = _byte_colour(vary(rng, colours[0], amount=0.2)) if rng.uniform() < 0.4 else None
        draw.rectangle((x, y, x + w, y + h), fill=colour, outline=outline, width=2)
    for _ in range(int(rng.integers(0, 8))):
        ends = rng.uniform(0, 1, 4) * (width, height, width, height)
        colour = _byte_colour(random_colour(rng))
        draw.line(ends.tolist(), fill=colour, width=int(rng.integers(1, 4)))
    blur = rng.choice([0.4, 1.0, 2.5, 5.0]) * min(size) / 256
    return _as_texture(image.filter(ImageFilter.GaussianBlur(float(blur))))


def foliage(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Many short strokes in related colours: leaves, grass, gravel, crowds far away."""
    height, width = size
    image = _flat_image(size, colours[0] * 0.6)
    draw = ImageDraw.Draw(image)
    count = int(rng.integers(200, 700))
    starts = rng.uniform(0, 1, (count, 2)) * (width, height)
    angles = rng.normal(rng.uniform(0, np.pi), rng.uniform(0.2, 1.5), count)
    reach = rng.uniform(0.01, 0.08, count) * min(size)
    ends = starts + np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None]
    picks = rng.integers(0, len(colours), count)
    shades = np.clip(np.stack(colours)[picks] * rng.uniform(0.5, 1.3, (count, 1)), 0, 1)
    thick = rng.integers(1, max(2, min(size) // 50) + 1, count)
    for line, shade, width_px in zip(
        np.hstack([starts, ends]).tolist(), np.round(shades * 255).astype(int), thick, strict=True
    ):
        draw.line(line, fill=tuple(shade.tolist()), width=int(width_px))
    blur = rng.choice([0.5, 1.0, 3.0]) * min(size) / 256
    return _as_texture(image.filter(ImageFilter.GaussianBlur(float(blur))))


def landscape(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """A sky over ridges, each nearer one darker and rougher than the one behind it."""
    height, width = size
    texture = clouds(rng, size, [colours[0], np.minimum(colours[0] * 1.2 + 0.1, 1)])
    rows = np.arange(height, dtype=np.float32)[:, None]
    for ridge in np.sort(rng.uniform(0.2, 0.95, int(rng.integers(1, 5)))):
        profile = noise(rng, (2, width), cells=0.5, octaves=8)[0]
        crest = height * (ridge + rng.uniform(0.02, 0.3) * (profile - 0.5))
        ground = random_colour(rng) * np.float32(1 - 0.5 * ridge)
        cover = np.clip(rows - crest + 0.5, 0, 1)[..., None]
        texture = texture + cover * (
            grained(rng, clouds(rng, size, [ground * 0.6, ground])) - texture
        )
    return texture.astype(np.float32)


def lights(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Lights far out of focus before a dark ground: bright overlapping discs."""
    height, width = size
    image = Image.fromarray(to_uint8(gradient(rng, size, [c * 0.4 for c in colours])))
    draw = ImageDraw.Draw(image, "RGBA")
    radius = min(size) * rng.uniform(0.015, 0.09)
    for _ in range(int(rng.integers(10, 70))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        reach = radius * rng.uniform(0.7, 1.2)
        colour = np.clip(colours[rng.integers(len(colours))] + rng.uniform(0.1, 0.5), 0, 1)
        fill = (*_byte_colour(colour), int(rng.integers(50, 220)))
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill)
    return _as_texture(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 2)))))


def tiles(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Bricks, tiles or shelves of books: a grid of varied boxes with joints."""
    height, width = size
    image = _flat_image(size, colours[-1] * 0.6)
    draw = ImageDraw.Draw(image)
    tall = max(4.0, min(size) * rng.uniform(0.03, 0.2))
    wide = max(3.0, tall * rng.choice([0.25, 1.0, 2.2]))
    joint = rng.uniform(0, 0.12) * min(tall, wide)
    for row, y in enumerate(np.arange(-tall, height, tall)):
        for x in np.arange(-wide, width, wide) + (row % 2) * wide / 2:
            colour = vary(rng, colours[rng.integers(len(colours))], amount=0.08)
            box = (float(x + joint), float(y + joint), float(x + wide), float(y + tall))
            draw.rectangle(box, fill=_byte_colour(colour))
    return grained(rng, _as_texture(image.filter(ImageFilter.GaussianBlur(0.7))))


def page(rng: np.random.Generator, size: Size, colours: list[F32]) -> F32:
    """Lines of word-like dashes on paper, posters and signs."""
    height, width = size
    image = _flat_image(size, np.clip(colours[0] * 0.4 + 0.55, 0, 1))
    draw = ImageDraw.Draw(image)
    pitch = max(3.0, min(size) * rng.uniform(0.02, 0.12))
    for y in np.arange(0, height, pitch):
        x = rng.uniform(0, 0.1) * width
        while x < width:
            word = pitch * rng.uniform(0.2, 0.7)
            for stroke in np.arange(x, x + word * 4, 0.3 * pitch):
                top = float(y + pitch * rng.choice([0.1, 0.3]))
                slant = float(stroke + rng.uniform(-0.2, 0.2) * pitch)
                reach = (float(stroke), top, slant, float(y + 0.7 * pitch))
                draw.line(reach, fill=_byte_colour(colours[-1] * 0.5), width=max(1, int(pitch / 9)))
            x += word * 4 + 0.5 * pitch
    return _as_texture(image.filter(ImageFilter.GaussianBlur(0.6)))


Texture = Callable[[np.random.Generator, Size, list[F32]], F32]
SURFACES: tuple[Texture, ...] = (gradient, clouds, stripes, blobs, patches)
SETTINGS: tuple[Texture, ...] = (
    gradient, clouds, blobs, scene, scene, foliage, stripes, patches,
    landscape, lights, tiles, page,
)  # fmt: skip


def surface(rng: np.random.Generator, size: Size, colours: list[F32] | None = None) -> F32:
    """Return the texture of an object: lit, with 2 to 4 colours (random unless given)."""
    if colours is None:
        base = random_colour(rng)
        colours = [vary(rng, base, amount=0.12), base, random_colour(rng)]
    texture = SURFACES[rng.integers(len(SURFACES))](rng, size, colours)
    return lit(rng, texture)


def cloth(rng: np.random.Generator, size: Size, colour: F32) -> F32:
    """Return cloth of a main colour: plain with folds, striped, checked or printed."""
    second = vary(rng, colour, amount=0.05) if rng.uniform() < 0.6 else random_colour(rng)
    colours = [colour, (0.7 * colour + 0.3 * second).astype(np.float32), second]
    kind = rng.uniform()
    if kind < 0.6:
        folds = noise(rng, size, cells=4, octaves=3)
        texture = ramp(folds, [colour * 0.72, colour, np.minimum(colour * 1.12 + 0.02, 1)])
    elif kind < 0.85:
        texture = stripes(rng, size, colours)
    else:
        texture = blobs(rng, size, colours)
    return lit(rng, texture)


def background_texture(
    rng: np.random.Generator, size: Size, *, near: list[F32] | None = None
) -> F32:
    """Return a background: a setting, lit, perhaps out of focus, with sensor noise.

    Colours of `near` are mixed into the palette, so that a foreground may stand before its own
    colours.
    """
    colours = [random_colour(rng) for _ in range(int(rng.integers(2, 5)))]
    if near:
        colours[0] = vary(rng, near[rng.integers(len(near))], amount=0.05)
    texture = lit(rng, SETTINGS[rng.integers(len(SETTINGS))](rng, size, colours))
    if rng.uniform() < 0.35:
        image = Image.fromarray(np.round(texture * 255).astype(np.uint8))
        radius = rng.uniform(1, 8) * min(size) / 256
        texture = _as_texture(image.filter(ImageFilter.GaussianBlur(float(radius))))
    grain = rng.standard_normal((*size, 3), np.float32) * np.float32(rng.uniform(0, 0.03))
    return np.clip(texture + grain, 0, 1)


def _byte_colour(colour: F32) -> tuple[int, int, int]:
    red, green, blue = np.round(np.clip(colour, 0, 1) * 255).astype(int).tolist()
    return red, green, blue


def _flat_image(size: Size, colour: F32) -> Image.Image:
    return Image.new("RGB", (size[1], size[0]), _byte_colour(colour))


def _as_texture(image: Image.Image) -> F32:
    return to_float(np.asarray(image))
