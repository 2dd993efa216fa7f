"""Objects of thin strands: hair, fur, feathers and yarn, each returning (foreground, alpha)."""

from __future__ import annotations

import numpy as np

from edgemat.data.drawn.canvas import Canvas, locks, modelled, shades
from edgemat.data.drawn.draw import (
    Floats,
    Points,
    Size,
    blob,
    ellipse,
    outward_normals,
    rotate,
)
from edgemat.data.drawn.textures import (
    clouds,
    grained,
    hair_colour,
    lit,
    random_colour,
    surface,
    vary,
)
from edgemat.images import F32


def hair(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Straight, wavy or curly hair: around a head, as a tuft, or hanging as a curtain."""
    base = hair_colour(rng)
    draw = (_head, _head, _tuft, _curtain)[rng.integers(4)]
    return draw(rng, size, base).finish(rng)


def fur(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A body of one to four lumps with dense short hairs, in clumps, along its outline."""
    base = random_colour(rng) if rng.uniform() < 0.35 else hair_colour(rng)
    outlines = _lumps(rng, size)
    canvas = Canvas(modelled(rng, coat(rng, size, base), *outlines))
    reach = min(size) * rng.choice([0.03, 0.05, 0.08, 0.14]) * rng.uniform(0.8, 1.2)
    manner = {
        "group": int(rng.integers(1, 14)),
        "pull": rng.uniform(0.2, 0.9),
        "bend": rng.uniform(0.3, 1.0),
        "wave": rng.choice([0.1, 0.3, 1.2]),
        "gravity": rng.uniform(0, 0.7),
    }
    width, spread = rng.uniform(0.4, 1.1), rng.uniform(0.15, 0.6)
    share = np.array([len(outline) * np.ptp(outline) for outline in outlines])
    counts = (share / share.sum() * min(900, 6 * min(size))).astype(int) + 8
    for outline, count in zip(outlines, counts, strict=True):
        canvas.shape(outline)
        roots, angles = _along(rng, outline, int(count), spread=spread)
        lengths = reach * rng.beta(3, 2, count) * 1.5 + 2
        lines = locks(rng, roots, angles, lengths=lengths, steps=7, **manner)
        widths = (width * rng.lognormal(0, 0.3, count)).clip(0.25, 2.0)
        canvas.strokes(lines, widths, shades(rng, base, int(count)), taper=True)
        _comb(rng, canvas, outline, base, reach=reach, count=int(count) // 2)
    return canvas.finish(rng)


def feather(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """One to five feathers: barbs on both sides of a shaft, parted here and there, and down."""
    base = random_colour(rng) if rng.uniform() < 0.5 else hair_colour(rng)
    canvas = Canvas(coat(rng, size, base))
    count = int(rng.integers(1, 4))
    for _ in range(count):
        length = min(size) * rng.uniform(0.45, 0.95)
        middle = np.array([size[1], size[0]]) * rng.uniform(0.3, 0.7, 2)
        angle = rng.uniform(0, 2 * np.pi)
        shaft = _arc(length, bend=rng.normal(0, 0.5), count=120)
        shaft = rotate(shaft - shaft[60], angle) + middle
        _barbs(rng, canvas, shaft, base, length=length, count=900 // count)
        quill = np.clip(base * rng.choice([0.5, 1.4]) + 0.1, 0, 1)
        widths = np.array([1.0 + length * 0.006], np.float32)
        canvas.strokes(shaft[None, ::4], widths, quill[None], taper=True)
        base = vary(rng, base, amount=0.06)
    return canvas.finish(rng)


def yarn(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A fringe of twisted strings of several colours, with gaps, hanging from a cloth."""
    height, width = size
    palette = [random_colour(rng) for _ in range(int(rng.integers(1, 6)))]
    canvas = Canvas(grained(rng, surface(rng, size, [*palette, palette[0]])))
    thick = min(size) * rng.uniform(0.006, 0.026) + 1
    edge = height * rng.uniform(-0.05, 0.45)
    left = rng.uniform(-0.1, 0.5) * width
    right = left + rng.uniform(0.4, 1.0) * width
    canvas.shape(np.array([[left, -2], [right, -2], [right, edge], [left, edge]]))
    count = int(np.clip((right - left) / thick * rng.uniform(0.7, 2.2), 6, 130))
    roots = np.stack([rng.uniform(left, right, count), np.full(count, edge - 2)], axis=1)
    roots[:, 1] -= rng.uniform(0, 0.3) * height * rng.uniform(size=count)
    angles = rng.normal(np.pi / 2, 0.12, count)
    lines = locks(
        rng, roots, angles, lengths=height * rng.uniform(0.25, 0.75, count), group=3,
        pull=rng.uniform(0, 0.5), bend=0.3, wave=rng.uniform(0.05, 0.5), gravity=0.5, steps=16,
    )  # fmt: skip
    tones = np.stack(palette)[rng.integers(len(palette), size=count)]
    tones = (tones * rng.uniform(0.6, 1.2, (count, 1))).astype(np.float32)
    for k in range(count):  # one by one: a string's twist must not cover its neighbours
        string, tone = lines[k : k + 1], tones[k : k + 1]
        wide = np.array([thick * rng.uniform(0.6, 1.2)])
        canvas.strokes(string, wide, tone * 0.6)
        canvas.strokes(string, wide * 0.6, tone, cover=False)
        _twist(rng, canvas, string[0], tone[0], thick=float(wide[0]))
    _lint(rng, canvas, lines, tones, thick=thick)
    return canvas.finish(rng)


def coat(rng: np.random.Generator, size: Size, base: F32) -> F32:
    """Return the colours of hair or hide: lighter and darker places, sometimes spots."""
    dark, light = base * rng.uniform(0.45, 0.8), np.minimum(base * 1.25 + 0.04, 1)
    if rng.uniform() < 0.2:
        dark = random_colour(rng)
    return lit(rng, grained(rng, clouds(rng, size, [dark, base, base, light])))


# --- hair ------------------------------------------------------------------------------------


def _manner(rng: np.random.Generator) -> tuple[float, tuple[float, float], int]:
    """Return wave, cycles and steps of straight, wavy or curly hair."""
    kinds = [(0.08, (1.0, 2.0), 12), (0.5, (1.0, 3.0), 16), (1.5, (3.0, 6.0), 30)]
    return kinds[int(rng.choice(3, p=[0.45, 0.33, 0.22]))]


def _head(rng: np.random.Generator, size: Size, base: F32) -> Canvas:
    """Hair that falls from a crown past both sides of a head, with strands flying away."""
    height, width = size
    radius = min(size) * rng.uniform(0.25, 0.5)
    centre = np.array([width * rng.uniform(0.15, 0.85), height * rng.uniform(0.35, 0.7)])
    skull = ellipse((centre[0], centre[1]), (radius * 0.85, radius))
    canvas = Canvas(modelled(rng, coat(rng, size, base), skull))
    canvas.shape(skull)
    if rng.uniform() < 0.6:  # the hair that lies on the back
        low = np.array([[-0.8, 0], [0.8, 0], [rng.uniform(0.5, 1.1), 3], [-rng.uniform(0.5, 1), 3]])
        canvas.shape(low * radius + centre)
    wave, cycles, steps = _manner(rng)
    for count, widths, reach, group, pull in (
        (300, (0.6, 1.5), (0.2, 1.8), int(rng.integers(4, 18)), rng.uniform(0.3, 0.9)),
        (int(rng.integers(15, 110)), (0.25, 0.7), (0.5, 1.6), 1, 0.0),
    ):
        turn = np.sort(rng.uniform(-1.08 * np.pi, 0.08 * np.pi, count))
        away = np.stack([np.cos(turn) * 0.85, np.sin(turn)], axis=1)
        roots = centre + away * radius * rng.uniform(0.8, 1.0, (count, 1))
        lean = rng.uniform(0.7, 1.5, count) if pull else rng.uniform(0, 1.2, count)
        angles = turn + np.sign(np.cos(turn)) * lean
        lines = locks(
            rng, roots, angles, lengths=radius * rng.uniform(*reach, count), group=group,
            pull=pull, bend=0.5 if pull else 1.2, wave=wave, cycles=cycles,
            gravity=rng.uniform(0.5, 2.0) if pull else rng.uniform(0, 0.8), steps=steps,
        )  # fmt: skip
        canvas.strokes(lines, rng.uniform(*widths, count), shades(rng, base, count))
    _comb(rng, canvas, skull, base, reach=radius * 0.5, count=260)
    return canvas


def _tuft(rng: np.random.Generator, size: Size, base: F32) -> Canvas:
    """Strands that leave a body in all directions, in locks."""
    outline = _body(rng, size, low=0.2, high=0.42, roughness=0.3)
    canvas = Canvas(modelled(rng, coat(rng, size, base), outline))
    canvas.shape(outline)
    wave, cycles, steps = _manner(rng)
    count = int(rng.integers(150, 420))
    roots, angles = _along(rng, outline, count, spread=0.6)
    lines = locks(
        rng, roots, angles, lengths=min(size) * rng.uniform(0.12, 0.35) * rng.beta(3, 2, count),
        group=int(rng.integers(1, 20)), pull=rng.uniform(0.2, 0.95), bend=rng.uniform(0.3, 1),
        wave=wave, cycles=cycles, gravity=rng.uniform(0, 0.9), steps=steps,
    )  # fmt: skip
    widths = (rng.uniform(0.35, 1.1) * rng.lognormal(0, 0.35, count)).clip(0.25, 2.0)
    canvas.strokes(lines, widths, shades(rng, base, count), taper=True)
    _comb(rng, canvas, outline, base, reach=min(size) * 0.1, count=250)
    return canvas


def _curtain(rng: np.random.Generator, size: Size, base: F32) -> Canvas:
    """Long strands from beyond one side of the picture, thinning out to both ends."""
    canvas = Canvas(coat(rng, size, base))
    count = int(rng.integers(220, 420))
    across = np.sort(rng.normal(0, rng.uniform(0.12, 0.3), count)) * max(size)
    wave, cycles, steps = _manner(rng)
    span = float(np.hypot(*size))
    lines = locks(
        rng, np.stack([np.full(count, -0.55 * span), across], axis=1),
        rng.normal(0, 0.06, count), lengths=span * rng.uniform(0.4, 1.2, count),
        group=int(rng.integers(4, 30)), pull=rng.uniform(0, 0.7), bend=0.25, wave=0.4 * wave,
        cycles=(cycles[0], 2 * cycles[1]), steps=2 * steps,
    )  # fmt: skip
    turn = rng.normal(np.pi / 2, 0.5)
    lines = rotate(lines, turn) + np.array([size[1], size[0]]) * rng.uniform(0.3, 0.7, 2)
    order = rng.permutation(count)
    canvas.strokes(lines[order], rng.uniform(0.3, 1.8, count), shades(rng, base, count))
    return canvas


# --- parts -----------------------------------------------------------------------------------


def _body(
    rng: np.random.Generator, size: Size, *, low: float, high: float, roughness: float
) -> Points:
    """Return an outline anywhere in the picture, perhaps cut by its border."""
    centre = (size[1] * rng.uniform(0.15, 0.85), size[0] * rng.uniform(0.2, 0.9))
    return blob(rng, centre, min(size) * rng.uniform(low, high), roughness=roughness)


def _lumps(rng: np.random.Generator, size: Size) -> list[Points]:
    """Return outlines of a body, often with a head and ears."""
    first = _body(rng, size, low=0.25, high=0.5, roughness=0.25)
    outlines = [first]
    for _ in range(int(rng.integers(0, 4))):
        place = first[rng.integers(len(first))]
        radius = np.ptp(first) * rng.uniform(0.06, 0.2)
        outlines.append(blob(rng, (place[0], place[1]), radius, roughness=0.2))
    return outlines


def _along(
    rng: np.random.Generator, outline: Points, count: int, *, spread: float
) -> tuple[Points, Floats]:
    """Return `count` places along an outline and the angles of strands that leave it there."""
    picks = np.sort(rng.integers(0, len(outline), count))
    normals = outward_normals(outline)[picks]
    # A common lean per place keeps neighbouring strands together.
    lean = np.interp(picks, np.linspace(0, len(outline), 12), rng.normal(0, spread, 12))
    angles: Floats = (
        np.arctan2(normals[:, 1], normals[:, 0]) + lean + rng.normal(0, 0.4 * spread, count)
    )
    jitter = rng.normal(0, np.ptp(outline) / len(outline), (count, 2))
    return outline[picks] + jitter - normals * 3, angles


def _comb(
    rng: np.random.Generator,
    canvas: Canvas,
    outline: Points,
    base: F32,
    *,
    reach: float,
    count: int,
) -> None:
    """Streak the inside of a body with hairs that lie on it."""
    roots, angles = _along(rng, outline, count, spread=0.5)
    depth = np.sort(np.sqrt(rng.uniform(0, 0.97, count)))[::-1, None]  # the rim first
    order = rng.permutation(count)
    middle = outline.mean(axis=0)
    roots = middle + (roots[order] - middle) * depth - 0.5 * reach
    lengths = np.minimum(reach * rng.uniform(0.4, 1.2, count), (1 - depth[:, 0]) * 200 + 3)
    lines = locks(
        rng, roots, angles[order], lengths=lengths, group=1, pull=0.0, bend=0.6, steps=5
    )  # fmt: skip
    tones = shades(rng, base, count, spread=0.3)
    canvas.strokes(lines, rng.uniform(0.4, 1.2, count), tones, cover=False)


def _arc(length: float, *, bend: float, count: int) -> Points:
    """Return points of a curve along x whose direction turns by `bend` radians."""
    angle = np.linspace(-bend / 2, bend / 2, count)
    step = length / (count - 1)
    return np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1) * step, axis=0)


def _barbs(
    rng: np.random.Generator,
    canvas: Canvas,
    shaft: Points,
    base: F32,
    *,
    length: float,
    count: int,
) -> None:
    """Draw the vane of a feather: dense barbs that part into locks, loose ones near the root."""
    along = np.sort(rng.uniform(0.06, 1, count))
    at = shaft[(along * (len(shaft) - 1)).astype(int)]
    heading = np.gradient(shaft, axis=0)[(along * (len(shaft) - 1)).astype(int)]
    forward = np.arctan2(heading[:, 1], heading[:, 0])
    fullness = length * rng.uniform(0.1, 0.24) * np.sin(np.pi * (0.12 + 0.83 * along)) ** 0.7
    downy = along < rng.uniform(0.1, 0.4)
    for side in (-1, 1):
        slant = rng.uniform(0.5, 1.0) + np.interp(
            along, np.linspace(0, 1, 9), rng.normal(0, 0.12, 9)
        )
        angles = forward + side * np.where(downy, slant + rng.normal(0.4, 0.4, count), slant)
        lines = locks(
            rng, at, angles.astype(np.float32), lengths=fullness * rng.uniform(0.85, 1.1, count),
            group=int(rng.integers(8, 40)), pull=rng.uniform(0, 0.5), bend=0.15,
            wave=rng.uniform(0, 0.3), steps=6,
        )  # fmt: skip
        bars = 0.75 + 0.35 * np.sin(along * rng.uniform(5, 60))[:, None]
        widths = np.where(downy, 0.45, rng.uniform(0.9, 2.0)).astype(np.float32)
        canvas.strokes(lines, widths, shades(rng, base, count, spread=0.12) * bars)


def _twist(
    rng: np.random.Generator, canvas: Canvas, string: Points, tone: Floats, *, thick: float
) -> None:
    """Draw the slanted plies of a string."""
    if thick < 2.5:
        return
    count = 4 * len(string)
    steps = np.linspace(0, len(string) - 1.001, count)
    low = steps.astype(int)
    at = string[low] + (steps - low)[:, None] * (string[low + 1] - string[low])
    reach = np.array([0.3, 0.22]) * thick
    ends = np.stack([at - reach, at + reach], axis=1)
    colours = np.broadcast_to(tone * rng.uniform(0.5, 0.8), (count, 3))
    canvas.strokes(ends, np.full(count, 0.5), colours, cover=False)


def _lint(
    rng: np.random.Generator, canvas: Canvas, lines: Points, tones: Floats, *, thick: float
) -> None:
    """Draw single fibres that stand out of strings."""
    count = int(rng.integers(0, 400))
    which = rng.integers(len(lines), size=count)
    roots = lines[which, rng.integers(lines.shape[1], size=count)]
    fibres = locks(
        rng, roots, rng.uniform(0, 2 * np.pi, count).astype(np.float32),
        lengths=thick * rng.uniform(0.5, 2.0, count), group=1, pull=0.0, bend=1.0, steps=4,
    )  # fmt: skip
    canvas.strokes(fibres, np.full(count, 0.3), tones[which])
