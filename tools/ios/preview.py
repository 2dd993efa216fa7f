"""`python -m tools.ios.preview`: the app's screens drawn by a browser, as one picture.

SwiftUI runs on Apple's systems alone, so that what stands where is written here a second time,
after the sources in `MattingDemo`; the words come out of the app's own string catalog, the pictures
out of the shipped portrait model. It is no photograph of a phone.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tools.ios.texts import CATALOG, read_strings
from tools.preview import MattedScene, address, draw_page, make_scene

REPOSITORY = Path(__file__).parents[2]
TARGET = REPOSITORY / "ios_demo" / "docs" / "previews.webp"
RESULT = REPOSITORY / "tests" / "vectors" / "result.json"
IPHONES = REPOSITORY / "tests" / "written" / "ios.json"
ACCENT = REPOSITORY / CATALOG.parent / "Assets.xcassets" / "AccentColor.colorset" / "Contents.json"
_STYLE = Path(__file__).with_name("preview.css")
_NOTE = (
    "Previews: the app's texts, drawn by a browser after its sources. Not screenshots of a phone; "
    "the figures are a test's, not a measurement."
)
_TABS = {"Photo": "photo", "Live": "video", "Benchmark": "clock", "Models": "box"}
# Strokes that stand in for Apple's symbols, which only Apple's systems have.
_SYMBOLS = {
    "photo": "M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 6",
    "video": "M2 7h13v10H2zM15 11l6-3v8l-6-3",
    "clock": "M12 6a7 7 0 1 0 .01 0M12 13l3-3M10 2h4",
    "box": "M4 8l8-4 8 4v9l-8 4-8-4zM4 8l8 4 8-4M12 12v9",
    "camera": "M3 8h4l2-3h6l2 3h4v11H3zM12 10a3.500 3.500 0 1 0 .01 0",
    "brush": "M20 3L9 14M9 14c-4 0-3 5-6 6 4 2 9 0 6-6",
    "save": "M12 3v11M8 10l4 4 4-4M5 12v8h14v-8",
    "share": "M12 15V4M8 8l4-4 4 4M5 12v8h14v-8",
    "turn": "M3 7h4l2-3h6l2 3h4v12H3zM8 13a4 4 0 0 1 8 0M16 13l-2-1M16 13l1-2",
    "wand": "M4 20L15 9M17 3v4M15 5h4M20 9v3M18.5 10.500h3M9 4v3M7.500 5.500h3",
    "undo": "M9 5L4 10l5 5M4 10h10a5 5 0 0 1 0 10h-3",
}


@dataclass(frozen=True)
class ScreenWriter:
    """Writes the screens as HTML, in one language and brightness.

    Attributes
    ----------
    texts:
        The catalog's texts in that language, by their keys.
    pictures:
        Addresses by their names.
    """

    texts: Mapping[str, str]
    pictures: Mapping[str, str]
    accent: str
    dark: bool

    def text(self, key: str, *values: Any) -> str:
        """Return a text of the catalog, with its values, for HTML."""
        text = self.texts[key].replace("%lld", "%d").replace("%@", "%s")
        return html.escape(text % values if values else text)

    def phone(self, body: str, *, grouped: bool = False) -> str:
        """Return one screen."""
        kind = "phone" + " dark" * self.dark + " grouped" * grouped
        return f'<div class="{kind}" style="--accent: {self.accent}">{body}</div>'

    def tabs(self, chosen: str) -> str:
        """Return HomeView's tabs."""
        items = "".join(
            f'<i class="{"on" * (key == chosen)}">{_symbol(symbol)}{self.text(key)}</i>'
            for key, symbol in _TABS.items()
        )
        return f'<div class="tabs">{items}</div>'

    def segments(self, *keys: str) -> str:
        """Return a segmented picker, its first segment chosen."""
        first, *others = (self.text(key) for key in keys)
        rest = "".join(f"<i>{text}</i>" for text in others)
        return f'<div class="segments"><i class="on">{first}</i>{rest}</div>'

    def photo(self) -> str:
        """PhotoScreen with a result, and EffectBar."""
        return self.phone(
            _tools(["photo", "camera"], ["wand", "brush", "save"])
            + f"<h2>{self.text('Photo')}</h2>"
            + f'<div class="stage"><img src="{self.pictures["cut_out"]}"></div>'
            + f'<div class="inset">{self.segments("Cut-out", "Background", "Blur", "Alpha")}</div>'
            + self.tabs("Photo")
        )

    def live(self) -> str:
        """LiveScreen."""
        return self.phone(
            _tools([], ["turn"])
            + f"<h2>{self.text('Live')}</h2>"
            + f'<div class="stage"><img src="{self.pictures["studio"]}">'
            + f'<p class="small">{self.text("%.0f ms a frame", 0)}</p></div>'
            + self.tabs("Live")
        )

    def brush(self) -> str:
        """TrimapEditor, and BrushBar."""
        return self.phone(
            f'<div class="tools"><span>{self.text("Cancel")}</span>'
            f'<b class="inline">{self.text("Paint the edge")}</b>'
            f"<b>{self.text('Cut out')}</b></div>"
            f'<div class="stage"><img src="{self.pictures["trimap"]}"></div>'
            f'<div class="inset">{self.segments("Edge", "Fill", "Keep", "Remove")}'
            f'<div class="row"><div class="slider"></div>{_symbol("undo")}</div>'
            f'<p class="small">{self.text("Trace hair, fur and everything half transparent.")}</p>'
            "</div>"
        )

    def benchmark(self) -> str:
        """BenchmarkScreen with one result, as far down as a phone shows it."""
        result = json.loads(RESULT.read_text(encoding="utf-8"))["results"][0]["result"]
        latency = result["latency"]
        delegate = json.loads(IPHONES.read_text(encoding="utf-8"))[0]["delegate"]
        settings = {
            "Task": self.text("People"),
            "Computes on": self.text("Neural Engine"),
            "Runs": self.text("200 runs, 10 s"),
            "Then without a pause": self.text("%lld min", 0),
        }
        computed = f"{delegate['used']}, {delegate['delegated']}/{delegate['operators']}"
        figures = {
            "Median": self.text("%.2f ms", latency["p50_ms"]),
            "90 of 100 are quicker than": self.text("%.2f ms", latency["p90_ms"]),
            "99 of 100 are quicker than": self.text("%.2f ms", latency["p99_ms"]),
            "Computed on": html.escape(computed),
        }
        return self.phone(
            _tools([], ["share"])
            + f"<h2>{self.text('Benchmark')}</h2>"
            + f'<div class="scroll">{self._card(settings)}<p class="head"></p>'
            + f'<div class="card"><div class="go">{self.text("Start")}</div></div>'
            + f'<p class="head">{html.escape(result["name"])}</p>'
            + self._card(
                figures, f"<div>✓ {self.text('Valid')}</div>", f"<div>{_bars(result)}</div>"
            )
            + "</div>"
            + self.tabs("Benchmark"),
            grouped=True,
        )

    def empty(self) -> str:
        """PhotoScreen in an app that was built without a model."""
        missing = (
            "The app has no such model yet. On your computer run: edgemat export %@ --to ios_demo, "
            "then build the app again."
        )
        return self.phone(
            _tools(["photo", "camera"], [])
            + f"<h2>{self.text('Photo')}</h2>"
            + f'<div class="stage"><b>{self.text("That did not work")}</b>'
            + f'<p class="small">{self.text(missing, "portrait")}</p></div>'
            + self.tabs("Photo")
        )

    def _card(self, rows: Mapping[str, str], before: str = "", after: str = "") -> str:
        body = "".join(f"<div>{self.text(key)}<u>{value}</u></div>" for key, value in rows.items())
        return f'<div class="card">{before}{body}{after}</div>'


def make_page(pictures: Mapping[str, str]) -> str:
    """Return all screens as HTML, light in English and dark in German.

    Parameters
    ----------
    pictures:
        Addresses of "studio", "trimap", "cut_out_light" and "cut_out_dark".

    Raises
    ------
    KeyError
        When a text is not in the app's catalog.
    """
    page = f'<meta charset="utf-8"><style>{_STYLE.read_text(encoding="utf-8")}</style>'
    page += f"<h1>{_NOTE}</h1>"
    for language, dark in (("en", False), ("de", True)):
        own = {**pictures, "cut_out": pictures["cut_out_dark" if dark else "cut_out_light"]}
        screens = ScreenWriter(_texts(language), own, _accent(dark), dark)
        page += (
            screens.photo()
            + screens.live()
            + screens.brush()
            + screens.benchmark()
            + screens.empty()
        )
    return page


def draw(target: Path) -> None:
    """Draw all screens into one WebP file.

    Raises
    ------
    MissingToolError
        When there is no Chromium.
    """
    draw_page(make_page(_pictures()), target, window=(1960, 1690))


def _texts(language: str) -> dict[str, str]:
    strings = read_strings(REPOSITORY / CATALOG)
    return {
        key: entry.get("localizations", {})
        .get(language, {})
        .get("stringUnit", {})
        .get("value", key)
        for key, entry in strings.items()
    }


def _accent(dark: bool) -> str:
    colours = json.loads(ACCENT.read_text(encoding="utf-8"))["colors"]
    parts = colours[1 if dark else 0]["color"]["components"]
    red, green, blue = (int(parts[name], 16) for name in ("red", "green", "blue"))
    return f"rgb({red}, {green}, {blue})"


def _tools(leading: list[str], trailing: list[str]) -> str:
    sides = ("".join(map(_symbol, side)) for side in (leading, trailing))
    return '<div class="tools">' + "".join(f"<span>{side}</span>" for side in sides) + "</div>"


def _symbol(name: str) -> str:
    return f'<svg viewBox="0 0 24 24"><path d="{_SYMBOLS[name]}"/></svg>'


def _bars(result: Mapping[str, Any]) -> str:
    """Return the distribution as MattingCore's Histogram cuts it: the last bin has the rest."""
    samples = np.array(result["samples_ms"])
    least, most = samples.min(), np.percentile(samples, 99)
    counts, _ = np.histogram(samples.clip(least, most), bins=24, range=(least, most))
    bars = "".join(f'<i style="height: {100 * n / counts.max():.0f}%"></i>' for n in counts)
    return f'<div class="bars">{bars}</div>'


def _pictures() -> dict[str, str]:
    """Return a rendered person before drawn leaves, matted by the shipped portrait model."""
    scene = make_scene()
    drawn = {
        "studio": scene.before((70, 120, 90)),
        "trimap": _painted(scene),
        "cut_out_light": scene.before_chequers((255, 255, 255), (222, 222, 222)),
        "cut_out_dark": scene.before_chequers((0, 0, 0), (44, 44, 44)),
    }
    return {name: address(picture) for name, picture in drawn.items()}


def _painted(scene: MattedScene) -> Image.Image:
    """Lay the trimap over a scene in TrimapPainting's colours: yellow unknown, blue foreground."""
    sure, none = scene.known()
    colours = np.where(sure[..., None], (20, 60, 200), (255, 225, 90))
    share = np.where(none, 0.0, 140 / 255)[..., None]
    mixed = np.asarray(scene.picture) * (1 - share) + colours * share
    return Image.fromarray(mixed.astype(np.uint8))


if __name__ == "__main__":
    draw(TARGET)
