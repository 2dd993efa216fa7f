"""`python -m tools.android.preview`: the screens' layouts drawn by a browser, as one picture.

Layouts, texts, colours and styles are the app's own files; how a button or a slider looks is drawn
after Android's. It shows what stands where and in which words; it is no photograph of a phone.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from tools.android.texts import ANDROID, MAIN, STRINGS, read_strings
from tools.preview import MattedScene, address, draw_page, make_scene

REPOSITORY = Path(__file__).parents[2]
TARGET = REPOSITORY / "android_demo/docs/previews.webp"
_STYLE = Path(__file__).with_name("preview.css")
_NOTE = (
    "Previews: the app's own layouts, texts and colours, drawn by a browser. Not photographs of a "
    "phone; the figures are a test's, not a measurement."
)


@dataclass(frozen=True)
class Screen:
    """One state of a layout.

    Attributes
    ----------
    title:
        Name of the text in the bar.
    shown, gone:
        Identifiers whose visibility is not the layout's.
    texts:
        Identifier to name of a text and its values, which the code sets.
    pictures:
        Identifier to a picture's name.
    filled:
        Identifier to the layout that the code adds to it.
    """

    layout: str
    title: str
    shown: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    texts: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    checked: tuple[str, ...] = ()
    filled: Mapping[str, str] = field(default_factory=dict)


def _result() -> dict[str, Any]:
    """Return the result of the vectors: figures of a test, which no device measured."""
    vectors = json.loads((REPOSITORY / "tests/vectors/result.json").read_text(encoding="utf-8"))
    result: dict[str, Any] = vectors["results"][0]["result"]
    return result


def _result_texts() -> dict[str, tuple[Any, ...]]:
    result = _result()
    latency, delegate = result["latency"], result["delegate"]
    keys = ("p50_ms", "p90_ms", "p99_ms", "mean_ms", "std_ms", "count")
    asked = (delegate["asked"], delegate["used"], result["threads"])
    return {
        "result_figures": ("benchmark_figures", result["name"], *(latency[key] for key in keys)),
        "result_circumstances": (
            "benchmark_circumstances", *asked, result["init_ms"], result["first_ms"],
        ),
        "result_verdict": ("benchmark_valid",)
        if result["verdict"] == "valid"
        else ("benchmark_invalid", result["reason"]),
    }  # fmt: skip


SCREENS = (
    Screen(
        "main", "app_name", texts={"main_status": ("main_models", "portrait-int8, trimap-int8")}
    ),
    Screen(
        "live",
        "live_title",
        texts={"live_status": ("live_rate", 0.0, 0)},
        pictures={"live_preview": "studio"},
    ),
    Screen(
        "edit",
        "edit_title",
        shown=("edit_blur_strength",),
        texts={"edit_status": ("edit_ready",)},
        pictures={"edit_photo": "cut_out"},
        checked=("edit_effect_transparent",),
    ),
    Screen(
        "edit",
        "edit_title",
        shown=("trimap_canvas", "trimap_controls"),
        gone=("edit_photo", "edit_controls"),
        pictures={"trimap_canvas": "trimap"},
        checked=("trimap_unknown",),
    ),
    Screen(
        "benchmark",
        "benchmark_title",
        shown=("benchmark_save",),
        texts={"benchmark_status": ("benchmark_done", "…/files/results.json"), **_result_texts()},
        filled={"benchmark_results": "benchmark_result"},
    ),
)


@dataclass(frozen=True)
class LayoutRenderer:
    """Writes layouts as HTML, in the texts, colours and pictures of a language and a brightness."""

    texts: Mapping[str, str]
    colours: Mapping[str, str]
    styles: Mapping[str, Mapping[str, str]]
    pictures: Mapping[str, str]

    def value(self, reference: str) -> str:
        """Return what a reference such as @string/name stands for."""
        kind, _, name = reference.removeprefix("@").partition("/")
        if not reference.startswith("@"):
            return reference
        return self.texts[name] if kind == "string" else f"var(--{name})"

    def phone(self, screen: Screen) -> str:
        """Return a screen as HTML."""
        colours = "; ".join(f"--{name}: {value}" for name, value in self.colours.items())
        body = self.element(_layout(screen.layout), screen, "vertical")
        bar = html.escape(self.texts[screen.title])
        return (
            f'<div class="phone" style="{colours}"><div class="bar">{bar}</div>'
            f'<div class="screen">{body}</div></div>'
        )

    def element(self, node: ElementTree.Element, screen: Screen, parent: str) -> str:
        """Return one element of a layout, and all in it, as HTML."""
        style = node.get("style", "").rpartition("/")[2]
        own = {name.removeprefix(ANDROID): value for name, value in node.attrib.items()}
        values = {**self.styles.get(style, {}), **own}
        name = values.get("id", "").rpartition("/")[2]
        kind = node.tag.rpartition(".")[2]
        classes, inner = [style.rpartition(".")[2]], ""
        css = self._css(values, name, screen, parent)
        if kind in ("LinearLayout", "RadioGroup", "ScrollView", "HorizontalScrollView"):
            direction = values.get("orientation", "vertical" if "Scroll" in kind else "")
            css += (
                f"display: flex; flex-direction: {'column' if direction == 'vertical' else 'row'};"
            )
            if "center_vertical" in values.get("gravity", ""):
                css += "flex-grow: 1; justify-content: center;"
            added = [_layout(screen.filled[name])] if name in screen.filled else []
            inner = "".join(self.element(child, screen, direction) for child in [*node, *added])
        elif kind == "HistogramView":
            inner = _bars()
            classes.append("bars")
        elif kind in ("ImageView", "TrimapView"):
            picture = self.pictures[screen.pictures.get(name, "icon")]
            return f'<img src="{picture}" style="{css} width: 100%">' if "none" not in css else ""
        else:
            classes.append(_CLASSES.get(kind, "text"))
            inner = self._text(kind, values, name, screen)
            if values.get("checked") == "true" or name in screen.checked:
                classes.append("checked")
        if _hidden(values, name, screen) == "gone":
            return ""
        return f'<div class="{" ".join(classes)}" style="{css}">{inner}</div>'

    def _css(self, values: Mapping[str, str], name: str, screen: Screen, parent: str) -> str:
        css = ""
        for side in ("width", "height"):
            size = values.get(f"layout_{side}", "")
            along = (parent == "horizontal") == (side == "width")
            if along and "layout_weight" in values:
                basis = "1 0" if size == "0dp" else "0 auto"
                css += f"flex: {values['layout_weight']} {basis}; min-{side}: 0;"
            elif size.endswith("dp"):
                css += f"{side}: {size[:-2]}px; flex-shrink: 0;"
            elif size == "match_parent" and side == "height":
                css += "flex: 1; min-height: 0;"
            elif along:
                css += "flex-shrink: 0;"
        for attribute, rule in _RULES.items():
            if attribute in values:
                css += f"{rule}: {self.value(re.sub(r'(dp|sp)$', 'px', values[attribute]))};"
        hidden = _hidden(values, name, screen)
        if hidden == "invisible":
            css += "visibility: hidden;"
        return css + ("display: none;" if hidden == "gone" else "")

    def _text(self, kind: str, values: Mapping[str, str], name: str, screen: Screen) -> str:
        if kind == "Spinner":
            first = {"benchmark_task": "portrait", "benchmark_delegate": "xnnpack",
                     "benchmark_threads": "1"}  # fmt: skip
            return html.escape(first.get(name, self.texts["benchmark_mode_standard"]))
        key, *arguments = screen.texts.get(name, ("",))
        text = self.texts[key] if key else self.value(values.get("text", ""))
        return html.escape(_formatted(text, arguments))


_CLASSES = {"SeekBar": "slide", "Spinner": "choose", "ProgressBar": "running"}
_RULES = {
    "padding": "padding", "paddingTop": "padding-top", "paddingBottom": "padding-bottom",
    "paddingStart": "padding-left", "paddingEnd": "padding-right", "textSize": "font-size",
    "minHeight": "min-height", "textColor": "color",
}  # fmt: skip


def draw(target: Path) -> None:
    """Draw all screens, light in English and dark in German.

    Raises
    ------
    MissingToolError
        When there is no Chromium.
    """
    draw_page(make_page(_pictures()), target, window=(1912, 1700))


def make_page(pictures: Mapping[str, str]) -> str:
    """Return all screens as HTML; pictures are addresses by their names."""
    style = _STYLE.read_text(encoding="utf-8")
    page = f'<meta charset="utf-8"><style>{style}</style><h1>{_NOTE}</h1>'
    for language, night in (("en", False), ("de", True)):
        renderer = _renderer(language, night, pictures)
        page += "".join(renderer.phone(screen) for screen in SCREENS)
    return page


def _renderer(language: str, night: bool, pictures: Mapping[str, str]) -> LayoutRenderer:
    resources = REPOSITORY / MAIN / "res"
    colours: dict[str, str] = {}
    for folder in ("values", "values-night") if night else ("values",):
        tree = ElementTree.parse(resources / folder / "colors.xml")
        colours |= {one.get("name", ""): _colour(one.text or "") for one in tree.iter("color")}
    themes = ElementTree.parse(resources / "values" / "themes.xml")
    styles = {
        style.get("name", ""): {
            item.get("name", "").removeprefix("android:"): item.text or "" for item in style
        }
        for style in themes.iter("style")
    }
    texts = {name: _plain(text) for name, text in
             read_strings(REPOSITORY / STRINGS[language]).items()}  # fmt: skip
    drawn = {**pictures, "icon": _icon(resources)}
    drawn["cut_out"] = drawn["cut_out_dark" if night else "cut_out_light"]
    return LayoutRenderer(texts, colours, styles, drawn)


def _pictures() -> dict[str, str]:
    """Return the example photograph, matted by the shipped portrait model."""
    scene = make_scene()
    drawn = {
        "studio": scene.before((70, 120, 90)),
        "trimap": _painted(scene),
        "cut_out_light": scene.before_chequers((255, 255, 255), (221, 226, 222)),
        "cut_out_dark": scene.before_chequers((52, 58, 54), (38, 43, 40)),
    }
    return {name: address(picture) for name, picture in drawn.items()}


def _painted(scene: MattedScene) -> Image.Image:
    """Lay the trimap over a scene as TrimapView does: yellow unknown, the background darker."""
    sure, none = scene.known()
    trimap = np.array(scene.picture)
    trimap[none] = trimap[none] * 0.31
    unknown = ~sure & ~none
    trimap[unknown] = trimap[unknown] * 0.45 + np.array((255, 179, 0)) * 0.55
    return Image.fromarray(trimap)


def _icon(resources: Path) -> str:
    """Return the adaptive icon as a launcher shows it, in a circle."""
    paths = "".join(
        f'<path d="{path.get(ANDROID + "pathData")}" fill="{path.get(ANDROID + "fillColor")}"/>'
        for layer in ("background", "foreground")
        for path in ElementTree.parse(resources / f"drawable/ic_launcher_{layer}.xml").iter("path")
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="18 18 72 72">'
        '<clipPath id="mask"><circle cx="54" cy="54" r="36"/></clipPath>'
        f'<g clip-path="url(#mask)">{paths}</g></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _bars() -> str:
    samples = np.array(_result()["samples_ms"])
    counts, _ = np.histogram(samples[samples <= np.percentile(samples, 99)], bins=32)
    return "".join(f'<i style="height: {100 * count / counts.max():.0f}%"></i>' for count in counts)


def _layout(name: str) -> ElementTree.Element:
    return ElementTree.parse(REPOSITORY / MAIN / "res/layout" / f"{name}.xml").getroot()


def _hidden(values: Mapping[str, str], name: str, screen: Screen) -> str:
    if name in screen.gone:
        return "gone"
    return "" if name in screen.shown else values.get("visibility", "")


def _colour(value: str) -> str:
    """Return Android's #AARRGGBB as CSS has it, #RRGGBBAA."""
    return f"#{value[3:]}{value[1:3]}" if len(value) == 9 else value


def _plain(text: str) -> str:
    """Return a text without the escapes of strings.xml."""
    return str(json.loads('"' + text.replace("\\'", "'").replace('"', '\\"') + '"'))


def _formatted(text: str, arguments: list[Any]) -> str:
    return (
        re.sub(
            r"%(\d+)\$([+.\d]*[sdf])",
            lambda place: f"%{place[2]}" % arguments[int(place[1]) - 1],
            text,
        )
        if arguments
        else text
    )


if __name__ == "__main__":
    draw(TARGET)
