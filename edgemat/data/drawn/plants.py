"""Plants: leaves, grass and needles, twigs, flowers, each returning (foreground, alpha)."""

from __future__ import annotations

import numpy as np

from edgemat.data.drawn.canvas import Canvas, locks, shades
from edgemat.data.drawn.draw import Floats, Points, Size, ellipse, rotate, strands
from edgemat.data.drawn.textures import clouds, grained, lit, random_colour, vary
from edgemat.images import F32


def leaves(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Twigs with many pointed, round or bamboo-like leaves that leave holes between them."""
    base = _green(rng)
    canvas = Canvas(_greenery(rng, size, base))
    slimness = rng.choice([0.06, 0.1, 0.2, 0.3, 0.45])
    long = min(size) * rng.uniform(0.07, 0.22) * (1.6 if slimness < 0.15 else 1)
    teeth = rng.choice([0.0, 0.0, 0.07])
    stems = int(rng.integers(1, 12))
    paths = _stems(rng, size, stems)
    bark = shades(rng, (base * 0.5).astype(np.float32), stems)
    canvas.strokes(paths, rng.uniform(0.8, 2.5, stems), bark, taper=True)
    each = max(6, int(rng.integers(40, 170)) // stems)
    tones = shades(rng, base, stems * each, spread=0.25)
    for k, tone in enumerate(tones):
        path = paths[k // each]
        at = path[int(rng.uniform(0.15, 1) ** 0.8 * (len(path) - 1))]
        heading = path[-1] - path[0]
        turn = np.arctan2(heading[1], heading[0]) + rng.choice([-1, 1]) * rng.uniform(0.1, 1.3)
        length = long * rng.uniform(0.5, 1.3)
        blade = _leaf(length, slimness=slimness * rng.uniform(0.5, 1.2), teeth=teeth)
        _lay_leaf(rng, canvas, rotate(blade, turn) + at, tone)
    return canvas.finish(rng)


def grass(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Blades, reeds or needles that grow from one side of the picture or from a ball."""
    base = _green(rng)
    canvas = Canvas(_greenery(rng, size, base))
    count = int(rng.integers(80, 260))
    if rng.uniform() < 0.35:  # a thistle or a cactus
        centre = np.array([size[1], size[0]]) * rng.uniform(0.25, 0.75, 2)
        radius = min(size) * rng.uniform(0.1, 0.32)
        canvas.fill(ellipse((centre[0], centre[1]), (radius, radius * 0.9)), base * 0.7)
        angles = rng.uniform(0, 2 * np.pi, count)
        away = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        roots = centre + away * radius * np.sqrt(rng.uniform(0.1, 1, (count, 1)))
        lengths = min(size) * rng.uniform(0.06, 0.2) * rng.uniform(0.5, 1.2, count)
        gravity = 0.0
    else:
        roots = np.stack([rng.uniform(-0.1, 1.1, count), rng.uniform(0.8, 1.15, count)], axis=1)
        roots *= (size[1], size[0])
        angles = rng.normal(-np.pi / 2, rng.uniform(0.1, 0.5), count)
        lengths = size[0] * rng.uniform(0.3, 0.9) * rng.uniform(0.4, 1.2, count)
        gravity = rng.uniform(0, 1.2)
    headings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lines = strands(
        rng, roots, headings, lengths=lengths, bend=rng.uniform(0.1, 0.7), gravity=gravity
    )
    wide = rng.choice([0.8, 1.5, 3.0, 5.0]) * min(size) / 256
    widths = wide * rng.lognormal(0, 0.4, count) + 0.3
    tones = shades(rng, base, count, spread=0.3)
    for line, width, tone in zip(lines, widths, tones, strict=True):
        canvas.fill(_blade(line, float(width)), tone)
    return canvas.finish(rng)


def twigs(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Bare or needled branches that fork again and again."""
    brown = np.array([0.32, 0.24, 0.17], np.float32) * rng.uniform(0.4, 2.2)
    bark = vary(rng, brown, amount=0.05)
    canvas = Canvas(grained(rng, clouds(rng, size, [bark * 0.6, bark, bark * 1.3])))
    heading = rng.normal(-np.pi / 2, 0.5)
    start = np.array([size[1] * rng.uniform(0.2, 0.8), size[0] * 1.02])
    roots, angles = start[None], np.array([heading])
    length, width = min(size) * rng.uniform(0.25, 0.4), min(size) * rng.uniform(0.01, 0.04)
    needles = rng.uniform() < 0.5
    for depth in range(6):
        count = len(roots)
        lines = locks(
            rng, roots, angles.astype(np.float32), lengths=length * rng.uniform(0.7, 1.3, count),
            group=1, pull=0, bend=0.4, wave=0.2, steps=7,
        )  # fmt: skip
        widths = np.maximum(width * rng.uniform(0.7, 1.1, count), 0.35)
        canvas.strokes(lines, widths, shades(rng, bark, count), taper=True)
        if needles and depth >= 2:
            _needles(rng, canvas, lines, reach=min(size) * 0.05)
        forks = 3 if count < 60 else 2
        at = rng.integers(3, 7, (count, forks))
        at[:, 0] = 6
        roots = lines[np.arange(count)[:, None], at].reshape(-1, 2)
        angles = np.repeat(angles, forks) + rng.normal(0, 0.55, count * forks)
        length, width = length * 0.68, width * 0.6
    return canvas.finish(rng)


def flowers(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """Blossoms of several rings of petals on stems with leaves."""
    green, petal = _green(rng), random_colour(rng)
    canvas = Canvas(lit(rng, grained(rng, clouds(rng, size, [petal * 0.6, petal, green]))))
    for _ in range(int(rng.integers(1, 6))):
        centre = np.array([size[1], size[0]]) * rng.uniform(0.12, 0.88, 2)
        radius = min(size) * rng.uniform(0.15, 0.45)
        foot = np.array([centre[0] + rng.normal(0, 0.1) * size[1], size[0] * 1.1])
        canvas.strokes(
            np.linspace(centre, foot, 4)[None], np.array([1 + radius * 0.06]), green[None]
        )
        for _ in range(int(rng.integers(0, 4))):
            at = centre + (foot - centre) * rng.uniform(0.2, 0.9)
            leaf = _leaf(radius * rng.uniform(0.6, 1.4), slimness=0.2, teeth=0)
            _lay_leaf(rng, canvas, rotate(leaf, rng.uniform(0, 2 * np.pi)) + at, green)
        _blossom(rng, canvas, centre, radius=radius, petal=vary(rng, petal, amount=0.1))
    return canvas.finish(rng)


# --- parts -----------------------------------------------------------------------------------


def _green(rng: np.random.Generator) -> F32:
    """Return the colour of a plant, mostly a green or a brown."""
    if rng.uniform() < 0.2:
        return random_colour(rng)
    red = rng.uniform(0.1, 0.75)
    green = rng.uniform(0.2, 0.75) if red < 0.5 else rng.uniform(0.35, 0.7)
    return np.array([red, green, rng.uniform(0.04, 0.25)], np.float32)


def _greenery(rng: np.random.Generator, size: Size, base: F32) -> F32:
    return lit(rng, grained(rng, clouds(rng, size, [base * 0.5, base, np.minimum(base * 1.3, 1)])))


def _stems(rng: np.random.Generator, size: Size, count: int) -> Points:
    """Return bent stems count,14,2 that spread from one place at or beyond a border."""
    height, width = size
    foot = np.array([width * rng.uniform(0.1, 0.9), height * rng.uniform(0.7, 1.1)])
    roots = foot + rng.normal(0, 0.05, (count, 2)) * min(size)
    angles = rng.normal(-np.pi / 2, 0.75, count)
    headings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lengths = min(size) * rng.uniform(0.4, 0.95, count)
    return strands(
        rng, roots, headings, lengths=lengths, bend=0.6, gravity=rng.uniform(0, 0.8), steps=14
    )


def _leaf(length: float, *, slimness: float, teeth: float) -> Points:
    """Return a leaf's outline with its stalk at (0, 0) and its tip at (length, 0)."""
    t = np.linspace(0, 1, 24 if teeth == 0 else 50)
    half = slimness * length * np.sin(np.pi * t**0.8) * (1 + teeth * np.sign(np.sin(60 * t)))
    half += 0.04 * length * np.sin(np.pi * t)
    upper = np.stack([t * length, half], axis=1)
    lower = np.stack([t[::-1] * length, -half[::-1]], axis=1)
    return np.concatenate([upper, lower])


def _lay_leaf(rng: np.random.Generator, canvas: Canvas, outline: Points, tone: Floats) -> None:
    """Draw a leaf, one half of it lighter, with its midrib."""
    half = len(outline) // 2
    canvas.fill(outline, tone)
    canvas.patch(outline[:half], np.clip(tone * rng.uniform(0.85, 1.15), 0, 1))
    midrib = outline[[0, half - 1]][None]
    vein = np.clip(tone * rng.choice([0.7, 1.35]) + 0.03, 0, 1)[None]
    canvas.strokes(midrib, np.array([0.5]), vein, cover=False)


def _blade(line: Points, width: float) -> Points:
    """Return the outline of a pointed blade along a curve."""
    heading = np.gradient(line, axis=0)
    normal = np.stack([-heading[:, 1], heading[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    reach = 0.5 * width * (1 - np.linspace(0, 1, len(line)) ** 1.5)[:, None]
    return np.concatenate([line + normal * reach, (line - normal * reach)[::-1]])


def _needles(rng: np.random.Generator, canvas: Canvas, lines: Points, *, reach: float) -> None:
    """Draw needles along the outermost branches (at most 600 a call, to stay cheap)."""
    count = min(600, 8 * len(lines))
    which = rng.integers(len(lines), size=count)
    at = rng.integers(1, lines.shape[1], count)
    heading = lines[which, at] - lines[which, at - 1]
    angles = np.arctan2(heading[:, 1], heading[:, 0]) + rng.choice([-0.7, 0.7], count)
    ends = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach
    roots = lines[which, at]
    pairs = np.stack([roots, roots + ends * rng.uniform(0.5, 1.2, (count, 1))], axis=1)
    canvas.strokes(pairs, rng.uniform(0.3, 1.0, count), shades(rng, _green(rng), count))


def _blossom(
    rng: np.random.Generator, canvas: Canvas, centre: Points, *, radius: float, petal: F32
) -> None:
    """Draw rings of petals, the outermost first, around a disc of florets."""
    count = int(rng.integers(5, 28))
    slimness = rng.uniform(1.6, 3.0) / count
    for ring in np.linspace(1, 0.55, int(rng.integers(1, 4))):
        turn = rng.uniform(0, 2 * np.pi)
        for k, tone in enumerate(shades(rng, petal * np.float32(ring), count, spread=0.15)):
            blade = _leaf(radius * ring * rng.uniform(0.85, 1.1), slimness=slimness, teeth=0)
            angle = turn + 2 * np.pi * k / count + rng.normal(0, 0.05)
            _lay_leaf(rng, canvas, rotate(blade, angle) + centre, tone)
    disc = random_colour(rng)
    core = radius * rng.uniform(0.12, 0.35)
    canvas.fill(ellipse((centre[0], centre[1]), (core, core)), disc)
    dots = centre + rng.normal(0, 0.4 * core, (60, 2))
    canvas.strokes(
        np.stack([dots, dots + 1.5], axis=1), np.full(60, 1.0), shades(rng, disc, 60), cover=False
    )
