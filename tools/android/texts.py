"""The app's texts: in every language, with the same places for values, each one shown somewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from tools.finding import Finding, finding

MAIN = Path("android_demo/app/src/main")
STRINGS = {
    "en": MAIN / "res/values/strings.xml",
    "de": MAIN / "res/values-de/strings.xml",
}
ANDROID = "{http://schemas.android.com/apk/res/android}"
# Attributes that show text: it belongs into strings.xml.
SHOWN = ("text", "hint", "contentDescription", "label", "title")
_PLACE = re.compile(r"%(?:(\d+)\$)?([+]?(?:\.\d+)?[sdf])")
_LITERAL = re.compile(r"(?:setText|\.text =|contentDescription =|makeText\()\s*\(?\"")


def check_texts(repository: Path) -> Finding:
    """Compare the languages with each other, and with what sources and layouts show."""
    languages = {name: read_strings(repository / path) for name, path in STRINGS.items()}
    problems = untranslated(languages)
    kotlin = sorted((repository / MAIN).rglob("*.kt"))
    layouts = sorted((repository / MAIN).rglob("*.xml"))
    used: set[str] = set()
    for path in kotlin:
        source = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"\bR\.string\.(\w+)", source))
        problems += [f"{path.name} shows a text that is not in strings.xml" for _ in
                     _LITERAL.findall(source)]  # fmt: skip
    for path in layouts:
        source = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"@string/(\w+)", source))
        problems += [f"{path.name}: {problem}" for problem in written_out(source)]
    known = set(languages["en"])
    problems += [f"not in strings.xml: {name}" for name in sorted(used - known)]
    problems += [f"in strings.xml but never shown: {name}" for name in sorted(known - used)]
    detail = f"{len(known)} texts in {', '.join(languages)}"
    return finding("Every text is translated", problems, detail)


def read_strings(path: Path) -> dict[str, str]:
    """Return name to text of a strings.xml."""
    root = ElementTree.parse(path).getroot()
    return {one.attrib["name"]: "".join(one.itertext()) for one in root.iter("string")}


def untranslated(languages: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what a language lacks, and where its places for values differ from the first's."""
    (_, first), *others = languages.items()
    problems = []
    for language, texts in others:
        problems += [f"no {language} for {name}" for name in first if not texts.get(name)]
        problems += [f"{language} has {name}, which is no text" for name in texts.keys() - first]
        problems += [
            f"{language} for {name} has other places for values"
            for name in first.keys() & texts.keys()
            if texts[name] and _places(first[name]) != _places(texts[name])
        ]
    return problems


def written_out(xml: str) -> list[str]:
    """Return which attributes of a layout or manifest hold a text themselves."""
    return [
        f'{name}="{value}" is not in strings.xml'
        for element in ElementTree.fromstring(xml).iter()
        for name in SHOWN
        if (value := element.get(ANDROID + name)) and not value.startswith("@")
    ]


def _places(text: str) -> list[tuple[str, str]]:
    return sorted(_PLACE.findall(text.replace("%%", "")))
