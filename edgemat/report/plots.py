"""Plots and pictures of the report, as text that stands inside the HTML file.

Plots are SVG whose colours are the page's CSS variables, so that they follow light and dark
mode and use the page's font. Pictures are WebP in data URIs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from edgemat.images import F32, U8, resize, to_uint8

# Colours that no plot would choose: each is replaced by a variable of the style sheet.
INK, RULE = "#010203", "#040506"
SERIES = tuple(f"#0a0b{n:02x}" for n in range(1, 8))
_VARIABLES = {INK: "var(--ink-soft)", RULE: "var(--rule)"} | {
    colour: f"var(--series-{n})" for n, colour in enumerate(SERIES, start=1)
}
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgemat",
    "text.parse_math": False,  # a "$" in a model's name is a dollar sign
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
}
_COLOUR_MAP = matplotlib.colormaps["magma"]
NOT_FINITE = (255, 0, 255)
"""Magenta: a pixel of a matte that is NaN or infinite."""


@dataclass(frozen=True)
class Point:
    """One file in a plot of error against cost."""

    label: str
    x: float
    y: float
    series: int


@dataclass(frozen=True)
class Distribution:
    """The raw latencies of one file with one number of threads, in milliseconds."""

    label: str
    samples_ms: Sequence[float]
    series: int


@dataclass(frozen=True)
class Curve:
    """The latency of one file, ms, over the seconds that a device has worked without a pause."""

    label: str
    at_s: Sequence[float]
    p50_ms: Sequence[float]
    series: int


def training_curves(log: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the plot of the loss with its parts and, where there is one, of the validation."""
    names = dict.fromkeys(name for line in log for name in line if name != "step")
    validation = [name for name in names if name.startswith("val_")]
    parts = [name for name in names if name not in (*validation, "loss")]
    plots = [_loss_curve(log, parts)] if "loss" in names else []
    return plots + [_validation_curve(log, name) for name in validation]


def latency_distributions(rows: Sequence[Distribution]) -> str:
    """Return one histogram per row over a shared axis in milliseconds, from 0 on.

    The axis ends a little behind the greatest p99, since one hiccup of the machine would press
    all else flat; how many samples lie beyond it is said beside the row.
    """
    end = 1.08 * max(float(np.percentile(row.samples_ms, 99)) for row in rows)
    edges = np.linspace(0, end, 121)
    with _figure(8.6, 0.7 + 0.5 * len(rows)) as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(reversed(rows)):
            samples = np.asarray(row.samples_ms)
            density = np.histogram(samples, edges)[0].astype(float)
            height = place + 0.78 * density / max(density.max(), 1)
            colour = SERIES[row.series % len(SERIES)]
            axes.fill_between(
                edges[:-1], place, height, step="post", color=colour, alpha=0.55, lw=0
            )
            p50, p90, p99 = np.percentile(samples, [50, 90, 99])
            axes.vlines(p50, place, place + 0.82, color=colour, lw=2)
            axes.vlines([p90, p99], place, place + 0.3, color=colour, lw=1.2)
            if beyond := int((samples > end).sum()):
                axes.text(1.01 * end, place + 0.3, f"{beyond} beyond", fontsize=8.5)
        axes.set_yticks([n + 0.35 for n in range(len(rows))], [r.label for r in reversed(rows)])
        axes.set(
            xlim=(0, 1.12 * end), ylim=(-0.05, len(rows)), xlabel="latency of one inference, ms"
        )
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        return _svg(figure)


def sustained_curves(curves: Sequence[Curve]) -> str:
    """Return the latencies of files over time, from 0 ms on."""
    with _figure(8.6, 2.9) as figure:
        axes = figure.add_subplot()
        for curve in curves:
            colour = SERIES[curve.series % len(SERIES)]
            axes.plot(curve.at_s, curve.p50_ms, color=colour, lw=1.8, label=curve.label)
        axes.set(xlabel="seconds under load", ylabel="p50, ms", ylim=(0, None))
        axes.margins(x=0.01)
        axes.legend(fontsize=8.5, loc="lower left")
        return _svg(figure)


def error_against(points: Sequence[Point], *, x_label: str, y_label: str) -> str:
    """Return a scatter of files, each with its name beside it.

    Cost begins at 0. Error does not, since the files of one model differ by a few per cent.
    """
    errors = [point.y for point in points]
    middle, spread = (max(errors) + min(errors)) / 2, max(errors) - min(errors)
    half = max(0.8 * spread, 0.02 * abs(middle), 1e-6)  # two equal files are not torn apart
    right = 1.08 * max(point.x for point in points)
    with _figure(4.6, 2.9) as figure:
        axes = figure.add_subplot()
        axes.set(xlim=(0, right), ylim=(middle - half, middle + half))
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.ticklabel_format(useOffset=False)
        for point, label_y in zip(points, _spread(errors, half / 6), strict=True):
            colour = SERIES[point.series % len(SERIES)]
            left = point.x > 0.6 * right
            beside = point.x + (-0.035 if left else 0.035) * right
            axes.plot([point.x, beside], [point.y, label_y], color=colour, lw=0.8)
            axes.plot(point.x, point.y, "o", color=colour, ms=7)
            axes.text(
                beside,
                label_y,
                f" {point.label} ",
                color=colour,
                ha="right" if left else "left",
                va="center",
            )
        return _svg(figure)


def picture(array: NDArray[np.generic], *, longest: int = 384, photograph: bool = False) -> str:
    """Return a data URI of an HxW, HxWx3 or HxWx4 array, shrunk to at most `longest` pixels.

    Parameters
    ----------
    array:
        uint8, or float in 0..1. Pixels of an HxW array that are not finite become magenta.
    photograph:
        Compressed with small losses, else without.
    """
    values = _shrink(_visible(array), longest)
    buffer = io.BytesIO()
    options = {"quality": 88} if photograph else {"lossless": True, "quality": 60}
    Image.fromarray(values).save(buffer, "WEBP", method=4, **options)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def heat_map(error: F32, *, full_scale: float, longest: int = 384) -> str:
    """Return a data URI of an HxW map of absolute errors, `full_scale` and above brightest."""
    share = np.clip(np.nan_to_num(error / full_scale, nan=1.0), 0, 1)
    colours = (_COLOUR_MAP(share)[..., :3] * 255).round().astype(np.uint8)
    colours[~np.isfinite(error)] = NOT_FINITE
    return picture(colours, longest=longest)


def colour_bar() -> str:
    """Return the colour map as a CSS gradient, from 0 on the left."""
    stops = (_COLOUR_MAP(np.linspace(0, 1, 9))[:, :3] * 255).round().astype(int)
    return "linear-gradient(90deg," + ",".join(f"rgb({r},{g},{b})" for r, g, b in stops) + ")"


def _visible(array: NDArray[np.generic]) -> U8:
    finite = np.isfinite(array)
    if array.ndim != 2 or finite.all():
        return to_uint8(array)
    grey = to_uint8(np.where(finite, array, 0).astype(np.float32))
    colours = np.repeat(grey[..., None], 3, axis=2)
    colours[~finite] = NOT_FINITE
    return colours


def _shrink(values: U8, longest: int) -> U8:
    height, width = values.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return values
    size = (max(round(height * factor), 1), max(round(width * factor), 1))
    return resize(values, size, method="area")


def _loss_curve(log: Sequence[Mapping[str, float]], parts: Sequence[str]) -> str:
    with _figure(4.6, 2.9) as figure:
        axes = figure.add_subplot()
        for number, name in enumerate(parts, start=1):
            steps, values = _series(log, name)
            colour = SERIES[number % len(SERIES)]
            axes.plot(steps, _smooth(values), color=colour, lw=1.2, label=name)
        steps, values = _series(log, "loss")
        axes.plot(steps, values, color=SERIES[0], lw=0.8, alpha=0.3)
        axes.plot(steps, _smooth(values), color=SERIES[0], lw=2, label="loss")
        axes.set(xlabel="step", ylabel="training loss", ylim=(0, None))
        axes.margins(x=0.01)
        if parts:
            axes.legend(fontsize=8.5, loc="upper right")
        return _svg(figure)


def _validation_curve(log: Sequence[Mapping[str, float]], name: str) -> str:
    with _figure(4.6, 2.9) as figure:
        axes: Axes = figure.add_subplot()
        steps, values = _series(log, name)
        axes.plot(steps, values, "o-", color=SERIES[0], lw=1.8, ms=4)
        axes.set(xlabel="step", ylabel=name.removeprefix("val_") + ", validation", ylim=(0, None))
        return _svg(figure)


def _series(log: Sequence[Mapping[str, float]], name: str) -> tuple[F32, F32]:
    """Return the steps and the finite values of one name."""
    pairs = [(line["step"], line[name]) for line in log if line.get(name) is not None]
    table = np.array(pairs, np.float32).reshape(-1, 2)
    table = table[np.isfinite(table[:, 1])]
    return table[:, 0], table[:, 1]


def _smooth(values: F32) -> F32:
    """Return a centred moving mean over a twentieth of the values, shorter at both ends."""
    if not values.size:
        return values
    window = max(values.size // 20, 1)
    kernel = np.ones(window, np.float32)
    sums = np.convolve(values, kernel, "same")[: values.size]
    return sums / np.convolve(np.ones_like(values), kernel, "same")[: values.size]


def _spread(values: Sequence[float], gap: float) -> list[float]:
    """Return the values pushed upwards where they lie closer than `gap`, in the given order."""
    out = list(values)
    last = -np.inf
    for index in np.argsort(values, kind="stable"):
        last = max(values[index], last + gap)
        out[index] = float(last)
    return out


@contextmanager
def _figure(width: float, height: float) -> Iterator[Figure]:
    """Give a figure of `width` x `height` inches in the report's style."""
    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
        yield Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Figure) -> str:
    """Return the figure as an SVG element for the inside of an HTML page."""
    buffer = io.StringIO()
    nothing = {"Creator": None, "Date": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    width, height = (72 * inches for inches in figure.get_size_inches())
    # The namespaces, which HTML does not need, are the only addresses in it; the style element
    # and the groups' ids would reach out into the page.
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r'<g id="[^"]*"', "<g", body).replace("xlink:href", "href")
    # Other ids are hashes of shapes, which two plots of one page may share.
    prefix = "p" + hashlib.sha256(body.encode()).hexdigest()[:8]
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{prefix}", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, variable)
    return f'<svg viewBox="0 0 {width:g} {height:g}" aria-hidden="true">{body}'
