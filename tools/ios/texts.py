"""The app's texts: every one that the sources show is in the string catalog, in all languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tools.finding import Finding, finding

APP = Path("ios_demo/MattingDemo")
CATALOG = APP / "Resources" / "Localizable.xcstrings"
PLIST_CATALOG = APP / "Resources" / "InfoPlist.xcstrings"
LANGUAGES = ("en", "de")
# Where SwiftUI takes a key: these calls and labels, and what a property of that type returns.
_CALLS = (
    "Text", "Label", "Button", "Picker", "LabeledContent", "DisclosureGroup", "ProgressView",
    "Section", "ContentUnavailableView", "navigationTitle", "alert", "accessibilityLabel",
    "accessibilityHint", "chartXAxisLabel", "chartYAxisLabel",
)  # fmt: skip
_LITERAL = r'"((?:[^"\\]|\\\((?:[^()"]|"[^"]*"|\([^()]*\))*\)|\\.)*)"'
_CALL = re.compile(rf"\b(?:{'|'.join(_CALLS)})\(\s*{_LITERAL}")
_LABELLED = re.compile(rf"(?:localized:|(?<!Queue\()label:|\.value\()\s*{_LITERAL}")
_CASE = re.compile(rf"case \.\w+(?:, \.\w+)*: {_LITERAL}")
_INTERPOLATION = re.compile(r'\\\((?:[^()"]|"[^"]*"|\([^()]*\))*\)')
_PLACE = re.compile(r"%(?:\d+\$)?(?:@|lld|\.\d+f|d|f)")
NOT_TEXT = {"ms", "s"}  # units, the same everywhere


def used_keys(source: str) -> set[str]:
    """Return the keys that a source shows, with `%@` for everything interpolated."""
    found = _CALL.findall(source) + _LABELLED.findall(source)
    for block in re.findall(r"LocalizedStringKey \{(.*?)\n    \}", source, re.DOTALL):
        found += _CASE.findall(block)
    shown = {_plain(key) for key in found} - NOT_TEXT
    return {key for key in shown if re.search("[a-z]", key.replace("%@", ""), re.IGNORECASE)}


def _plain(key: str) -> str:
    return _PLACE.sub("%@", _INTERPOLATION.sub("%@", key))


def check_texts(repository: Path) -> Finding:
    """Compare the sources with the catalog, and the languages with each other."""
    sources = sorted((repository / APP).rglob("*.swift"))
    used = set().union(*(used_keys(path.read_text(encoding="utf-8")) for path in sources))
    catalog = read_strings(repository / CATALOG)
    known = {_plain(key) for key in catalog}
    problems = [f"not in {CATALOG.name}: {key!r}" for key in sorted(used - known)]
    problems += [f"in {CATALOG.name} but never shown: {key!r}" for key in sorted(known - used)]
    for path in (CATALOG, PLIST_CATALOG):
        for key, entry in read_strings(repository / path).items():
            problems += _untranslated(key, entry)
    detail = f"{len(catalog)} texts in {', '.join(LANGUAGES)}"
    return finding("Every text is translated", problems, detail)


def read_strings(path: Path) -> dict[str, Any]:
    strings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["strings"]
    return strings


def _untranslated(key: str, entry: dict[str, Any]) -> list[str]:
    if entry.get("shouldTranslate") is False:
        return []
    problems = []
    units = entry.get("localizations", {})
    for language in LANGUAGES:
        unit = units.get(language, {}).get("stringUnit", {})
        # The source language's text is the key itself, unless it says otherwise.
        value = unit.get("value", key if language == LANGUAGES[0] else "")
        if not value or unit.get("state", "translated") != "translated":
            problems.append(f"no {language} for {key!r}")
        elif sorted(_PLACE.findall(value)) != sorted(_PLACE.findall(key)):
            problems.append(f"{language} for {key!r} has other places for values")
    return problems
