"""Things with holes: nets, baskets, lace, webs, cables, each returning (foreground, alpha)."""

from __future__ import annotations

import numpy as np

from edgemat.data.drawn.canvas import Canvas, modelled, shades
from edgemat.data.drawn.draw import Points, Size, blob, ellipse, rotate
from edgemat.data.drawn.textures import grained, random_colour, surface
from edgemat.images import F32


def net(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A mesh of crossing threads, of wires, of hexagons or of rings; flat or round a basket."""
    pitch = max(3.0, min(size) * rng.uniform(0.018, 0.1))
    thread = max(0.4, pitch * rng.uniform(0.07, 0.35))
    base = random_colour(rng)
    canvas = Canvas(grained(rng, surface(rng, size)))
    for lines in _mesh(rng, size, pitch=pitch):
        lines = _warped(rng, lines, size)
        widths = thread * rng.lognormal(0, 0.1, len(lines))
        canvas.strokes(lines, widths, shades(rng, base, len(lines), spread=0.15))
        shine = lines - thread * 0.2  # a light from the upper left
        lighter = np.repeat(np.minimum(base * 1.4 + 0.15, 1)[None], len(lines), axis=0)
        canvas.strokes(shine, widths * 0.3, lighter, cover=False)
    if rng.uniform() < 0.65:
        _bordered(rng, canvas, base, thread=thread)
    return canvas.finish(rng)


def lace(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A cloth or a leaf-like plate with holes of many sizes, some of them barred by threads."""
    base = random_colour(rng)
    texture = grained(rng, surface(rng, size, [base, base * 0.8, random_colour(rng)]))
    centre = (size[1] * rng.uniform(0.3, 0.7), size[0] * rng.uniform(0.3, 0.7))
    outline = blob(rng, centre, min(size) * rng.uniform(0.35, 0.7), roughness=0.3)
    canvas = Canvas(modelled(rng, texture, outline))
    canvas.shape(outline)
    pitch = max(4.0, min(size) * rng.uniform(0.03, 0.12))
    jitter, ratio = rng.choice([0.0, 0.1, 0.5]), rng.uniform(0.4, 1.0)
    turn = rng.uniform(0, np.pi)
    for at in _grid(rng, canvas.size, pitch=pitch, turn=turn, jitter=jitter):
        reach = pitch * rng.uniform(0.22, 0.42) * (rng.lognormal(0, 0.4) if jitter else 1)
        hole = ellipse((at[0], at[1]), (reach, reach * ratio), angle=turn, count=12)
        canvas.shape(hole, inside=False)
    if rng.uniform() < 0.6:
        family = rotate(_family(rng, size, pitch=pitch * rng.uniform(0.4, 1)), turn)
        lines = family + np.asarray(centre)
        inside = np.hypot(*(lines - np.asarray(centre)).transpose(2, 0, 1)).min(axis=1)
        lines = lines[inside < 0.3 * min(size)][:, 10:-10]
        widths = np.full(len(lines), rng.uniform(0.3, 1.0))
        canvas.strokes(lines, widths, shades(rng, base, len(lines)))
    return canvas.finish(rng)


def threads(rng: np.random.Generator, size: Size) -> tuple[F32, F32]:
    """A spider's web, or cables and strings hung across the picture."""
    base = random_colour(rng)
    canvas = Canvas(grained(rng, surface(rng, size)))
    if rng.uniform() < 0.4:
        _web(rng, canvas, base)
        return canvas.finish(rng)
    count = int(rng.integers(4, 40))
    ends = rng.uniform(-0.2, 1.2, (count, 2, 2)) * (size[1], size[0])
    if rng.uniform() < 0.6:  # from side to side
        ends[:, 0, 0], ends[:, 1, 0] = -5, size[1] + 5
    t = np.linspace(0, 1, 24)[None, :, None]
    lines = ends[:, :1] * (1 - t) + ends[:, 1:] * t
    lines[..., 1] += rng.uniform(0, 0.3, (count, 1)) * size[0] * (4 * t * (1 - t))[..., 0]
    widths = (rng.choice([0.5, 1.2, 3.0]) * rng.lognormal(0, 0.6, count)).clip(0.3, 9)
    tones = shades(rng, base, count, spread=0.4)
    for k in range(count):
        canvas.strokes(lines[k : k + 1], widths[k : k + 1], tones[k : k + 1] * 0.7)
        light = lines[k : k + 1] - (0, widths[k] * 0.2)
        canvas.strokes(light, widths[k : k + 1] * 0.4, tones[k : k + 1] * 1.2, cover=False)
    if rng.uniform() < 0.5:  # what they are tied to
        post = rng.uniform(0, 1) * size[1]
        wide = min(size) * rng.uniform(0.02, 0.12)
        canvas.shape(np.array([[post, -2], [post + wide, -2], [post + wide, 2000], [post, 2000]]))
    return canvas.finish(rng)


# --- parts -----------------------------------------------------------------------------------


def _family(rng: np.random.Generator, size: Size, *, pitch: float, wave: float = 0.3) -> Points:
    """Return parallel wavy threads N,40,2 about the origin, as long as the picture's diagonal."""
    span = float(np.hypot(*size)) / 2
    offsets = np.arange(-span, span, pitch)
    along = np.linspace(-span, span, 40)
    bend = pitch * rng.uniform(0, wave) * np.sin(along * 2 * np.pi / rng.uniform(60, 300))
    return np.stack(np.broadcast_arrays(along[None], offsets[:, None] + bend), axis=2)


def _grid(
    rng: np.random.Generator, size: Size, *, pitch: float, turn: float, jitter: float
) -> Points:
    """Return most nodes of a turned grid, its rows shifted by turns, that lie in the picture."""
    extent = np.array([size[1], size[0]])
    reach = np.arange(-float(np.hypot(*size)) / 2, float(np.hypot(*size)) / 2, pitch)
    x, y = np.meshgrid(reach, reach)
    x = x + (np.arange(len(reach)) % 2)[:, None] * pitch / 2
    nodes = rotate(np.stack([x.ravel(), y.ravel()], axis=1), turn) + extent / 2
    nodes += rng.normal(0, jitter * pitch, nodes.shape)
    inside = ((nodes > 0) & (nodes < extent)).all(axis=1)
    return nodes[inside & (rng.uniform(size=len(nodes)) < 0.85)]


def _mesh(rng: np.random.Generator, size: Size, *, pitch: float) -> list[Points]:
    """Return families of threads in pixels."""
    middle = np.array([size[1], size[0]]) / 2
    style = rng.choice(["cross", "cross", "rings", "hexagons"])
    if style == "cross":
        angle, crossing = rng.uniform(0, np.pi), rng.uniform(0.8, np.pi / 2)
        wave = rng.choice([0.1, 0.8])
        return [
            rotate(_family(rng, size, pitch=pitch, wave=wave), turn) + middle
            for turn in (angle, angle + crossing)
        ]
    count, reach = (18, 0.58) if style == "rings" else (7, 0.577)
    turn = np.linspace(0, 2 * np.pi, count) + np.pi / 6
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1) * pitch * reach
    rows = np.arange(-pitch, size[0] + pitch, pitch * 0.866)
    columns = np.arange(-pitch, size[1] + pitch, pitch)
    x, y = np.meshgrid(columns, rows)
    x = x + (np.arange(len(rows)) % 2)[:, None] * pitch / 2
    return [circle[None] + np.stack([x.ravel(), y.ravel()], axis=1)[:, None]]


def _warped(rng: np.random.Generator, lines: Points, size: Size) -> Points:
    """Bend a mesh round an upright cylinder, shrink it with distance, or leave it flat."""
    style = rng.integers(3)
    if style == 0:
        return lines
    middle = np.array([size[1], size[0]]) / 2
    x, y = np.moveaxis((lines - middle) / min(size), 2, 0)
    if style == 1:
        turn = np.clip(x * 2.2, -np.pi / 2, np.pi / 2)
        x, y = 0.45 * np.sin(turn), y + 0.08 * np.cos(turn)
    else:
        depth = 1 / (1 + 0.6 * np.clip(x, -1, 1))
        x, y = x * depth, y * depth
    return np.stack([x, y], axis=2) * min(size) + middle


def _bordered(rng: np.random.Generator, canvas: Canvas, base: F32, *, thread: float) -> None:
    """Put solid bars into and a rim around a mesh, or cut it to a shape."""
    height, width = canvas.size
    short = min(canvas.size)
    if rng.uniform() < 0.5:
        centre = (width * rng.uniform(0.35, 0.65), height * rng.uniform(0.35, 0.65))
        outline = blob(rng, centre, short * rng.uniform(0.25, 0.42), roughness=0.2)
        far = np.array([[-9.0, -9], [width + 9, -9], [width + 9, height + 9], [-9, height + 9]])
        # Everything outside: the picture's border, then back along the outline.
        rest = np.concatenate([far, far[:1], outline, outline[:1]])
        canvas.shape(rest, inside=False)
        rim = np.concatenate([outline, outline[:2]])[None]
        canvas.strokes(rim, np.array([2.5 * thread]), base[None] * 0.8)
    for _ in range(int(rng.integers(0, 6))):
        ends = rng.uniform(-0.1, 1.1, (2, 2)) * (width, height)
        bar = np.array([short * rng.uniform(0.01, 0.07)])
        canvas.strokes(ends[None], bar, random_colour(rng)[None])


def _web(rng: np.random.Generator, canvas: Canvas, base: F32) -> None:
    """Draw spokes and the spiral between them, thin and partly transparent."""
    height, width = canvas.size
    centre = np.array([width, height]) * rng.uniform(0.25, 0.75, 2)
    count = int(rng.integers(9, 22))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    spokes = np.stack([np.cos(angles), np.sin(angles)], axis=1) * max(width, height)
    lines = np.stack([np.broadcast_to(centre, spokes.shape), centre + spokes], axis=1)
    level = rng.uniform(0.5, 1.0)
    thick = rng.uniform(0.3, 1.1)
    pale = np.clip(base * 0.4 + 0.55, 0, 1)
    canvas.strokes(lines, np.full(count, thick), shades(rng, pale, count), level=level)
    turns = int(rng.integers(8, 26))
    wound = np.linspace(0.04, 0.6, turns * count)[:, None] * min(width, height)
    heading = spokes[np.arange(turns * count) % count] / max(width, height)
    spiral = centre + heading * wound * rng.uniform(0.97, 1.03, (turns * count, 1))
    rounds = np.stack([spiral[:-1], spiral[1:]], axis=1)
    canvas.strokes(
        rounds, np.full(len(rounds), 0.7 * thick), shades(rng, pale, len(rounds)), level=level
    )
