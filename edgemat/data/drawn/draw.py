"""Drawing tools of the procedural generator: exact coverage masks, layers, colours beyond edges.

Coordinates are pixels, x to the right and y down, with (0, 0) the upper left corner of the
upper left pixel. A mask is the share of each pixel that is covered, HxW float32 in 0..1, found
by drawing at four times the size and averaging.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from edgemat.images import F32, resize, to_float

SUPERSAMPLING = 4
Points = NDArray[np.float64]  # N,2 as x,y in pixels
Floats = NDArray[np.floating]  # of any precision
Size = tuple[int, int]  # height, width in pixels


class MaskPainter:
    """A supersampled canvas on which shapes are united (or cut out) into one coverage mask."""

    def __init__(self, size: Size) -> None:
        self.size = size
        height, width = size
        self._image = Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
        self._draw = ImageDraw.Draw(self._image)

    def polygon(self, points: Points, *, inside: bool = True) -> None:
        """Fill a closed polygon, or cut it out with ``inside=False``."""
        self._draw.polygon(_flat(points), fill=255 if inside else 0)

    def polylines(
        self, lines: Points, widths: Floats | Sequence[float], *, level: int = 255
    ) -> None:
        """Draw curves of shape N,K,2 with their widths in pixels (quarter-pixel steps)."""
        thick = np.maximum(1, np.round(np.asarray(widths) * SUPERSAMPLING)).astype(int).tolist()
        flat = (np.asarray(lines) * SUPERSAMPLING).reshape(len(lines), -1).tolist()
        for coordinates, width in zip(flat, thick, strict=True):
            joint = "curve" if width > 10 else None
            self._draw.line(coordinates, fill=level, width=width, joint=joint)

    def mask(self) -> F32:
        """Return the coverage, HxW float32 in 0..1."""
        return to_float(np.asarray(self._image.reduce(SUPERSAMPLING)))


def polygon_mask(size: Size, *polygons: Points) -> F32:
    """Return the coverage of the union of polygons."""
    painter = MaskPainter(size)
    for points in polygons:
        painter.polygon(points)
    return painter.mask()


def ellipse(
    centre: tuple[float, float], radii: tuple[float, float], *, angle: float = 0.0, count: int = 72
) -> Points:
    """Return the outline of an ellipse; `angle` in radians turns it clockwise on the screen."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([radii[0] * np.cos(turn), radii[1] * np.sin(turn)], axis=1)
    placed: Points = rotate(points, angle) + np.asarray(centre)
    return placed


def blob(
    rng: np.random.Generator, centre: tuple[float, float], radius: float, *, roughness: float = 0.3
) -> Points:
    """Return a smooth random outline: a circle whose radius is a short random Fourier series."""
    turn = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    orders = np.arange(2, 8)
    weights = rng.normal(size=6) * roughness / orders
    phases = rng.uniform(0, 2 * np.pi, 6)
    waves = weights * np.cos(orders * turn[:, None] + phases)
    radii = radius * np.clip(1 + waves.sum(axis=1), 0.35, 1.8)
    squeeze = rng.uniform(0.7, 1.0)
    points = np.stack([radii * np.cos(turn), squeeze * radii * np.sin(turn)], axis=1)
    placed: Points = rotate(points, rng.uniform(0, np.pi)) + np.asarray(centre)
    return placed


def rotate(points: Points, angle: float) -> Points:
    """Turn points about the origin by `angle` radians (clockwise on the screen)."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def smooth_closed(points: Points, *, count: int = 160) -> Points:
    """Return a closed Catmull-Rom curve through the given corners."""
    step = np.linspace(0, len(points), count, endpoint=False)
    start = step.astype(int)
    t = (step - start)[:, None]
    p0, p1, p2, p3 = (points[(start + k) % len(points)] for k in (-1, 0, 1, 2))
    curve: Points = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return curve


def outward_normals(outline: Points) -> Points:
    """Return unit normals of a closed outline that point away from its inside."""
    tangent = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    x, y = outline[:, 0], outline[:, 1]
    signed_area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    return normal if signed_area > 0 else -normal


def strands(
    rng: np.random.Generator,
    roots: Points,
    directions: Points,
    *,
    lengths: Floats,
    bend: float,
    wave: float = 0.0,
    cycles: tuple[float, float] = (1.0, 2.5),
    gravity: float = 0.0,
    steps: int = 12,
) -> Points:
    """Return N curved strands as N,steps,2 points.

    Parameters
    ----------
    roots, directions:
        N,2 start points in pixels and unit start directions.
    lengths:
        N lengths in pixels.
    bend:
        Standard deviation of the turn along a strand, radians.
    wave:
        Amplitude of the waviness, radians (curls from about 1).
    cycles:
        Least and most waves along a strand.
    gravity:
        How far directions turn downwards along a strand; at 1, the tip of a level one has 45 deg.
    """
    count = len(roots)
    t = np.linspace(0, 1, steps)
    angle = np.arctan2(directions[:, 1], directions[:, 0])[:, None]
    angle = angle + rng.normal(0, bend, (count, 1)) * t
    periods = rng.uniform(*cycles, (count, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    angle = angle + wave * np.sin(2 * np.pi * periods * t + phase)
    heading = np.stack([np.cos(angle), np.sin(angle)], axis=2)
    heading[..., 1] += gravity * t
    heading /= np.maximum(np.linalg.norm(heading, axis=2, keepdims=True), 1e-6)
    stride = (np.asarray(lengths, np.float64) / (steps - 1))[:, None, None]
    path = np.cumsum(heading * stride, axis=1)
    return roots[:, None, :] + path - path[:, :1]


class Layers:
    """Opaque and translucent layers laid over each other, with exact joint alpha and colours."""

    def __init__(self, size: Size) -> None:
        self._alpha = np.zeros(size, np.float32)
        self._premultiplied = np.zeros((*size, 3), np.float32)

    def paint(self, mask: F32, colour: F32) -> None:
        """Lay `colour` (HxWx3, or 3 for a flat one) over the rest where `mask` says."""
        rows, columns = _bounds(mask)
        weight = mask[rows, columns][..., None]
        over = colour if colour.ndim == 1 else colour[rows, columns]
        self._premultiplied[rows, columns] *= 1 - weight
        self._premultiplied[rows, columns] += weight * over
        alpha = self._alpha[rows, columns]
        alpha += mask[rows, columns] * (1 - alpha)

    def tint(self, mask: F32, colour: F32) -> None:
        """Change the colours where `mask` says, without adding any coverage."""
        rows, columns = _bounds(mask)
        weight = mask[rows, columns][..., None]
        target = self._alpha[rows, columns][..., None] * colour
        self._premultiplied[rows, columns] *= 1 - weight
        self._premultiplied[rows, columns] += weight * target

    def flatten(self) -> tuple[F32, F32]:
        """Return (foreground HxWx3 defined everywhere, alpha HxW)."""
        return extend_colours(self._premultiplied, self._alpha), self._alpha


def extend_colours(premultiplied: F32, alpha: F32) -> F32:
    """Return F = premultiplied / alpha, continued from the nearest colours where alpha is 0.

    The continuation goes down a pyramid: each coarser level averages what is known and fills
    the gaps of the finer one.
    """
    colours = premultiplied / np.maximum(alpha, 1e-6)[..., None]
    height, width = alpha.shape
    if min(height, width) <= 2:
        mean = premultiplied.sum(axis=(0, 1)) / max(float(alpha.sum()), 1e-6)
        return np.where(alpha[..., None] > 1e-3, colours, mean).astype(np.float32)
    half = (max(1, height // 3), max(1, width // 3))
    coarse = extend_colours(
        resize(premultiplied, half, method="area"), resize(alpha, half, method="area")
    )
    filled = resize(coarse, (height, width), method="bilinear")
    trust = np.clip(alpha * 50, 0, 1)[..., None]
    extended: F32 = np.clip(trust * colours + (1 - trust) * filled, 0, 1)
    return extended


def gaussian(mask: F32, radius: float) -> F32:
    """Blur an HxW mask in 0..1 by a Gaussian of `radius` pixels (standard deviation)."""
    # Pillow blurs 8-bit pictures only, and alpha is stored with 8 bits anyway.
    image = Image.fromarray(np.round(mask * 255).astype(np.uint8))
    return to_float(np.asarray(image.filter(ImageFilter.GaussianBlur(float(radius)))))


def _bounds(mask: F32) -> tuple[slice, slice]:
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _flat(points: Points) -> list[float]:
    flat: list[float] = (np.asarray(points) * SUPERSAMPLING).ravel().tolist()
    return flat
