"""Hair styles: what grows where, how it falls, and the small hairs of brows, lashes and beard."""

from __future__ import annotations

import numpy as np

from tools.render_people import regions
from tools.render_people.assets import METRES, Array, base_mesh
from tools.render_people.body import Posed
from tools.render_people.describe import Hair, Person
from tools.render_people.strands import (
    Head,
    Roots,
    children,
    curl,
    frizz,
    grow,
    resample,
    unit,
)

DOWN = np.asarray([0.0, 0.0, -1.0])
# Length (metres) of loose hair, shortest and longest.
LENGTHS = {
    "buzz": (0.004, 0.010),
    "short": (0.035, 0.065),
    "medium": (0.15, 0.22),
    "long": (0.33, 0.5),
}
GUIDES = 900
FALL = 0.075  # metres along a strand after which gravity has it


def head_hair(head: Head, style: Hair, count: int, rng: np.random.Generator) -> Array | None:
    """Grow the hair of the head; None when bald. `count` strands."""
    if style.length == "bald":
        return None
    if style.length in ("buzz", "short"):  # short hair hides less of the scalp
        count = int(1.6 * count)
    roots = head.sample(regions.scalp(), count, rng)
    if style.length == "buzz":
        return _buzz(roots, head, rng)
    if style.style == "afro":
        return _afro(roots, head, style, rng)
    if style.style in ("ponytail", "bun"):
        return _tied(roots, head, style, rng)
    return _loose(roots, head, style, rng)


def _buzz(roots: Roots, head: Head, rng: np.random.Generator) -> Array:
    length = rng.uniform(*LENGTHS["buzz"])
    flow = head.to_world(np.asarray([0.0, -0.5, 0.3]))
    direction = unit(roots.normals + 0.5 * flow + rng.normal(0, 0.25, roots.points.shape))
    part = np.linspace(0, 1, 4)[None, :, None]
    lengths = length * rng.uniform(0.7, 1.1, (len(roots.points), 1, 1))
    strands: Array = roots.points[:, None] + direction[:, None] * part * lengths
    return strands


def _afro(roots: Roots, head: Head, style: Hair, rng: np.random.Generator) -> Array:
    length = {"short": 0.028, "medium": 0.085}[style.length] * (0.75 + 0.6 * style.volume)
    radial = unit(roots.points - head.centre)
    direction = unit(0.7 * roots.normals + 0.8 * radial + rng.normal(0, 0.22, radial.shape))
    height = np.clip((roots.local[:, 1] - 6.6) / 1.0, 0, 1)
    lengths = length * (0.35 + 0.65 * height) * rng.uniform(0.72, 1.0, len(height))
    lengths *= np.where(rng.random(len(height)) < 0.03, 1.12, 1.0)
    points = 22 if style.length == "medium" else 14
    part = np.linspace(0, 1, points)[None, :, None]
    strands = roots.points[:, None] + direction[:, None] * part * lengths[:, None, None]
    strands += DOWN * part**2 * 0.12 * lengths[:, None, None]
    size = rng.uniform(0.002, 0.0045, len(strands))
    phase = rng.uniform(0, 2 * np.pi, len(strands))
    wound = curl(strands, phase, amplitude=size, wavelength=0.016, flat=0.0, start=0.25)
    return frizz(wound, np.full(len(strands), 0.006 + 0.006 * style.frizz), rng)


def _parting(local: Array, style: Hair) -> Array:
    """Return -1 or 1: the side of the parting that a root lies on."""
    place = {"middle_part": 0.0, "side_part": 0.42, "swept_back": 0.0, "fringe": 0.0}
    at = place.get(style.style, 0.0) * style.parting
    return np.where(local[:, 0] >= at, 1.0, -1.0)


def _side_key(local: Array, side: Array) -> Array:
    """Return the coordinate that keeps the sides of a parting apart, in front of the crown."""
    ahead = np.clip((local[:, 2] - 0.0) / 0.3, 0, 1)
    return np.asarray(5 * (side * ahead)[:, None])


def _loose(roots: Roots, head: Head, style: Hair, rng: np.random.Generator) -> Array:
    """Hair that hangs or is combed: guides with gravity and collisions, children between."""
    base = head.sample(regions.scalp(), GUIDES, rng)
    low, high = LENGTHS[style.length]
    length = rng.uniform(low, high)
    side = _parting(base.local, style)
    front = np.clip((base.local[:, 2] - 0.55) / 0.6, 0, 1) * (base.local[:, 1] > 7.7)
    top = np.clip((base.local[:, 1] - 7.6) / 0.7, 0, 1)
    fringe = (
        (front > 0.25) & (abs(base.local[:, 0]) < 0.62) if style.style == "fringe" else front > 9
    )
    flow = _flow(base.local, style, side, front, fringe)
    lengths = (
        length * (0.7 + 0.3 * top) if style.length != "short" else length * (0.55 + 0.45 * top)
    )
    brow = 0.45 + 0.12 * style.volume
    lengths = np.where(fringe, (base.local[:, 1] - 7.95) * 0.09 * head.scale + brow * 0.11, lengths)
    lift = 0.3 + 0.4 * style.volume
    world = head.to_world(unit(flow))
    start = unit(lift * base.normals + world + rng.normal(0, 0.06, world.shape))
    weight = {"short": 0.5, "medium": 0.9, "long": 1.0}[style.length]
    steps = {"short": 8, "medium": 16, "long": 22}[style.length]

    def pull(points: Array, part: float) -> Array:
        share = np.minimum(1.0, part * lengths / FALL)[:, None] * weight
        return np.asarray((1 - share) * world + share * DOWN)

    guides = grow(
        head, base, start, lengths, steps=steps, pull=pull,
        agility=0.3 if style.length == "short" else 0.38,
        margin=0.003 + 0.009 * style.volume, fringe=fringe,
    )  # fmt: skip
    keys = np.concatenate([base.local, _side_key(base.local, side), 3 * fringe[:, None]], axis=1)
    own_side = _parting(roots.local, style)
    own_front = np.clip((roots.local[:, 2] - 0.55) / 0.6, 0, 1) * (roots.local[:, 1] > 7.7)
    own_fringe = (own_front > 0.25) & (abs(roots.local[:, 0]) < 0.62) & (style.style == "fringe")
    own_key = _side_key(roots.local, own_side)
    own = np.concatenate([roots.local, own_key, 3 * own_fringe[:, None]], axis=1)
    clump = 0.25 + 0.3 * rng.random()
    strands, nearest = children(guides, keys, own, roots.points, clump=clump)
    return _texture(_trim(strands, rng), nearest, style, rng)


def _flow(local: Array, style: Hair, side: Array, front: Array, fringe: Array) -> Array:
    """Return where hair is combed to, in the head's frame (x left, y up, z forward)."""
    x, _, z = (local - regions.CENTRE).T
    back = np.clip(-z / 0.8, 0, 1)
    if style.style == "swept_back":
        return np.stack([0.4 * x, 0.1 - 0.7 * back, -np.ones_like(x)], axis=1)
    if style.style == "fringe":
        around = np.stack([0.9 * x, -0.5 * np.ones_like(x), 0.6 * z], axis=1)
        ahead = np.stack([0.15 * x, -0.5 * np.ones_like(x), np.ones_like(x)], axis=1)
        return np.where(fringe[:, None], ahead, around)
    if style.style == "loose":
        return np.stack([0.8 * x, 0.5 * np.ones_like(x), 0.4 * z + 0.3], axis=1)
    low = np.clip(abs(x) / 0.7, 0, 1)  # at the sides hair lies down
    aside = (side * (1.0 - back) + 0.7 * x * back) * (1 - 0.8 * low)
    # Short hair keeps to the hairline, long hair is combed away from it.
    forward = 0.55 if style.length == "short" else 0.12
    return np.stack([aside, -0.25 - 0.75 * back - 0.9 * low, forward * front - 0.35], axis=1)


def _trim(strands: Array, rng: np.random.Generator) -> Array:
    """Cut strands to different lengths, so that ends do not form one line."""
    kept = rng.uniform(0.78, 1.0, len(strands))
    count = strands.shape[1]
    place = np.linspace(0, 1, count)[None, :] * kept[:, None] * (count - 1)
    low = np.minimum(place.astype(int), count - 2)
    part = (place - low)[..., None]
    rows = np.arange(len(strands))[:, None]
    cut: Array = strands[rows, low] * (1 - part) + strands[rows, low + 1] * part
    return cut


def _texture(strands: Array, nearest: Array, style: Hair, rng: np.random.Generator) -> Array:
    """Add waves or curls, frizz and a few fly-away strands."""
    phases = rng.uniform(0, 2 * np.pi, int(nearest.max()) + 1)
    phase = phases[nearest] + rng.normal(0, 0.5, len(strands))
    long = style.length != "short"
    if style.texture == "wavy":
        strands = resample(strands, 24 if long else 11)
        size = rng.uniform(0.004, 0.009, len(strands)) * (1.0 if long else 0.6)
        wavelength = rng.uniform(0.055, 0.09) if long else 0.035
        strands = curl(strands, phase, amplitude=size, wavelength=wavelength, flat=0.5, start=0.35)
    elif style.texture == "curly":
        strands = resample(strands, {"short": 14, "medium": 32, "long": 48}[style.length])
        size = rng.uniform(0.005, 0.010, len(strands)) * (1.0 if long else 0.7)
        wavelength = rng.uniform(0.03, 0.04) if long else 0.024
        strands = curl(strands, phase, amplitude=size, wavelength=wavelength, flat=0.0, start=0.2)
    amount = (0.002 + 0.006 * style.frizz) * (1.0 if long else 0.5)
    stray = np.where(rng.random(len(strands)) < 0.01 + 0.03 * style.frizz, 3.0, 1.0)
    return frizz(strands, amount * stray, rng)


def _tied(roots: Roots, head: Head, style: Hair, rng: np.random.Generator) -> Array:
    """Hair drawn over the skull to a knot: a ponytail hangs from it, a bun is wound there."""
    high = rng.random() < 0.4
    knot_local = np.asarray([0.0, 8.15 if high else 7.55, -0.62 if high else -0.72])
    knot = head.push_out(head.from_local(knot_local)[None], np.asarray([0.012]))[0]
    first = roots.points - head.centre
    last = knot - head.centre
    radius, end = np.linalg.norm(first, axis=1), float(np.linalg.norm(last))
    a, b = unit(first), unit(last)
    angle = np.arccos(np.clip(a @ b, -1, 1))[:, None, None]
    part = np.linspace(0, 1, 16)[None, :, None]
    sine = np.maximum(np.sin(angle), 1e-3)
    way = np.sin((1 - part) * angle) / sine * a[:, None] + np.sin(part * angle) / sine * b
    height = radius[:, None] * (1 - part[..., 0]) + end * part[..., 0]
    height = height + 0.010 * np.sin(np.pi * np.clip(part[..., 0] * 1.2, 0, 1)) * (
        0.4 + style.volume
    )
    strands = head.centre + unit(way) * height[..., None]
    strands[:, 0] = roots.points
    strands = _outside(strands, head)
    strands[:, -1] += rng.normal(0, 0.005, (len(strands), 3))
    strands = frizz(strands, np.full(len(strands), 0.0012 + 0.002 * style.frizz), rng)
    count = len(strands) // 2
    tail = (
        _bun(knot, b, count, rng)
        if style.style == "bun"
        else _tail(knot, b, head, style, count, rng)
    )
    points = max(strands.shape[1], tail.shape[1])
    return np.concatenate([resample(strands, points), resample(tail, points)])


def _outside(strands: Array, head: Head) -> Array:
    """Lift paths over the skull: every eighth strand is tested, neighbours share its lift."""
    lifted = strands.copy()
    sample = strands[::8, 1:]
    flat = sample.reshape(-1, 3)
    moved = head.push_out(flat, np.full(len(flat), 0.004)).reshape(sample.shape)
    lift = np.linalg.norm(moved - head.centre, axis=2) / np.linalg.norm(
        sample - head.centre, axis=2
    )
    roots, tested = strands[:, 0], strands[::8, 0]
    gaps = ((roots**2).sum(1)[:, None] + (tested**2).sum(1) - 2 * roots @ tested.T).argmin(axis=1)
    lifted[:, 1:] = head.centre + (strands[:, 1:] - head.centre) * lift[gaps][..., None]
    return lifted


def _bun(knot: Array, out: Array, count: int, rng: np.random.Generator) -> Array:
    """A ball of strands wound around its own axis."""
    size = rng.uniform(0.028, 0.04)
    middle = knot + out * size * 0.6
    turns = np.linspace(0, 2 * np.pi, 20)[None, :, None]
    normal = unit(rng.normal(0, 1, (count, 3)) * 0.5 + out)
    first = unit(np.cross(normal, rng.normal(0, 1, (count, 3))))
    second = np.cross(normal, first)
    rings = np.cos(turns) * first[:, None] + np.sin(turns) * second[:, None]
    tilt = rng.uniform(-0.8, 0.8, (count, 1, 1))
    shell = unit(rings + tilt * normal[:, None]) * size
    made: Array = middle + shell * rng.uniform(0.85, 1.03, (count, 1, 1))
    return made


def _tail(
    knot: Array, out: Array, head: Head, style: Hair, count: int, rng: np.random.Generator
) -> Array:
    """Strands that leave the knot and fall."""
    length = rng.uniform(0.2, 0.38)
    offsets = rng.normal(0, 0.007, (60, 3))
    base = Roots(knot + offsets, np.tile(out, (60, 1)), np.tile([0.0, 7.5, -1.0], (60, 1)))
    guides = grow(
        head, base, unit(out + offsets * 30), length * rng.uniform(0.85, 1, 60), steps=20,
        pull=lambda points, part: np.tile(DOWN + 0.1 * out, (len(points), 1)),
        agility=0.3, margin=0.006, fringe=np.ones(60, dtype=bool),
    )  # fmt: skip
    own = rng.normal(0, 0.008, (count, 3))
    strands, nearest = children(guides, offsets * 30, own * 30, knot + own, clump=0.2)
    part = np.linspace(0, 1, strands.shape[1])[None, :, None]
    strands = strands + np.sin(np.pi * part) * rng.normal(0, 0.008, (count, 1, 3))
    return _texture(_trim(strands, rng), nearest, style, rng)


def beard_hair(head: Head, person: Person, count: int, rng: np.random.Generator) -> Array | None:
    """Grow a moustache, a goatee or a full beard; None for none and stubble (a shadow only)."""
    if person.beard in ("none", "stubble"):
        return None
    mask = {
        "moustache": regions.moustache(),
        "goatee": np.maximum(regions.chin(), regions.moustache()),
        "full": regions.beard(),
    }[person.beard]
    roots = head.sample(mask, count, rng)
    lip = (roots.local[:, 1] > 6.66) & (abs(roots.local[:, 0]) < 0.4)
    length = rng.uniform(0.008, 0.03)
    lengths = np.where(lip, 0.007, length * rng.uniform(0.5, 1.0, len(lip)))
    outward = np.stack(
        [np.sign(roots.local[:, 0]), -0.8 * np.ones(len(lip)), np.zeros(len(lip))], 1
    )
    down = np.tile([0.0, -1.0, 0.15], (len(lip), 1))
    flow = head.to_world(np.where(lip[:, None], outward, down))
    direction = unit(0.55 * roots.normals + flow + rng.normal(0, 0.25, flow.shape))
    part = np.linspace(0, 1, 7)[None, :, None]
    strands = roots.points[:, None] + direction[:, None] * part * lengths[:, None, None]
    return frizz(strands, 0.15 * lengths, rng)


def hair_shadow(person: Person) -> Array:
    """Return, per base vertex, how much the skin takes on the hair's colour."""
    amount = {"bald": 0.0, "buzz": 0.75}.get(person.hair.length, 0.9)
    chin = {"none": 0.0, "stubble": 0.35, "moustache": 0.1, "goatee": 0.15, "full": 0.7}[
        person.beard
    ]
    mask = np.maximum(amount * regions.scalp(), chin * regions.beard())
    if person.beard == "moustache":
        mask = np.maximum(mask, 0.6 * regions.moustache())
    elif person.beard == "goatee":
        mask = np.maximum(mask, 0.65 * np.maximum(regions.chin(), regions.moustache()))
    return mask


def brows(head: Head, count: int, rng: np.random.Generator) -> Array:
    """Grow both eyebrows along an arch above the eyes."""
    strands = []
    for sign, name in ((1.0, "helper-l-eye"), (-1.0, "helper-r-eye")):
        eye = head.to_local(head.body.joint(name))
        along = rng.uniform(0, 1, count)
        width = np.interp(along, (0, 0.25, 0.7, 1), (0.05, 0.055, 0.04, 0.01))
        across = np.clip(rng.normal(0, 0.45, count), -1, 1) * width
        x = eye[0] + sign * (-0.15 + 0.36 * along)
        y = eye[1] + 0.245 + 0.075 * np.sin(np.pi * (0.15 + 0.62 * along)) + across
        outside = head.from_local(np.stack([x, y, np.full(count, 3.0)], axis=1))
        inward = head.to_world(np.asarray([0.0, 0.0, -1.0]))
        found = [head.tree.ray_cast(point.tolist(), inward.tolist(), 0.4) for point in outside]
        places = np.asarray([hit[0] if hit[0] else outside[k] for k, hit in enumerate(found)])
        normal = np.asarray([hit[1] if hit[0] else (0, -1, 0) for hit in found])
        lean = np.stack([sign * (0.35 + along), 0.75 - 1.1 * along, np.zeros(count)], axis=1)
        direction = unit(head.to_world(lean) + 0.3 * normal + rng.normal(0, 0.15, normal.shape))
        part = np.linspace(0, 1, 4)[None, :, None]
        length = rng.uniform(0.005, 0.009, (count, 1, 1)) * head.scale
        strands.append(places[:, None] + direction[:, None] * part * length)
    return np.concatenate(strands)


def lashes(body: Posed, rng: np.random.Generator) -> Array:
    """Grow eyelashes along the base mesh's eyelash helpers, from the lid outwards."""
    mesh = base_mesh()
    chosen = np.asarray([group.endswith(("eyelashes-1", "eyelashes-2")) for group in mesh.groups])
    faces = mesh.faces[chosen]
    strands = []
    for face in faces:
        for share in rng.random(5):
            strands.append(_across(face, body, float(share)))
    return np.asarray(strands)


def _across(face: Array, body: Posed, share: float) -> Array:
    """Return a hair across a lash quad: from the edge nearer the eye to the other edge."""
    points = body.posed[face]
    depth = mesh_depth(face)
    order = np.roll(np.arange(4), -int(np.argmin(depth + np.roll(depth, -1))))
    a, b, c, d = points[order]
    root, end = a + share * (b - a), d + share * (c - d)
    part = np.linspace(0, 1, 4)[:, None]
    made: Array = root + part * (end - root)
    return made


def mesh_depth(face: Array) -> Array:
    """Return how far forward the corners of a base face lie (file units)."""
    depth: Array = -base_mesh().vertices[face][:, 1] / METRES
    return depth
