"""Gradle's files, read: pinned versions, and names that agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from edgemat.errors import ArtifactError
from tools.android.toolchain import KOTLIN
from tools.finding import Finding, finding

DEMO = Path("android_demo")
CATALOG = DEMO / "gradle/libs.versions.toml"
WRAPPER = DEMO / "gradle/wrapper/gradle-wrapper.properties"
SETTINGS = DEMO / "settings.gradle.kts"
APP_BUILD = DEMO / "app/build.gradle.kts"
BUILDS = (DEMO / "build.gradle.kts", DEMO / "core/build.gradle.kts", APP_BUILD)
LITERT_SOURCE = DEMO / "app/src/main/kotlin/dev/edgemat/demo/model/LiteRtNetwork.kt"
APP_VALUES = ("compileSdk", "minSdk", "targetSdk", "versionCode", "versionName")
_PINNED = re.compile(r"\d+(\.\d+)+(-[A-Za-z0-9.]+)?")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_PAIRS = {")": "(", "]": "[", "}": "{"}


def check_gradle(repository: Path) -> Finding:
    """Read catalog, wrapper and build files, and compare them with each other."""
    catalog = _catalog(repository)
    problems = unpinned(catalog)
    used: set[str] = set()
    for path in (*BUILDS, SETTINGS):
        text = (repository / path).read_text(encoding="utf-8")
        problems += [f"{path}: {problem}" for problem in malformed(text)]
        used |= set(re.findall(r"\blibs\.([\w.]+)", text))
    problems += unknown(used, catalog)
    problems += _check_wrapper((repository / WRAPPER).read_text(encoding="utf-8"))
    problems += _check_modules(repository)
    problems += _check_agreement(repository, catalog)
    detail = f"{len(catalog['versions'])} pinned versions; Gradle itself has not run"
    return finding("Gradle's files are whole, their versions pinned", problems, detail)


def app_values(repository: Path) -> dict[str, str]:
    """Return SDK levels and version of the app's build file.

    Raises
    ------
    ArtifactError
        When one of them is missing.
    """
    text = (repository / APP_BUILD).read_text(encoding="utf-8")
    found = dict(re.findall(r'^\s*(\w+) = "?([\w.]+)"?(?: //.*)?$', text, re.MULTILINE))
    for name in APP_VALUES:
        if name not in found:
            raise ArtifactError(f"{APP_BUILD} sets no {name}.", remedy="Set it in one line.")
    return {name: found[name] for name in APP_VALUES}


def unpinned(catalog: dict[str, Any]) -> list[str]:
    """Return which versions of a catalog may change by themselves, or are not in one place."""
    problems = [
        f"{CATALOG.name}: {name} is {version!r}, which is no one version"
        for name, version in catalog.get("versions", {}).items()
        if not isinstance(version, str) or not _PINNED.fullmatch(version)
    ]
    for kind in ("libraries", "plugins"):
        for name, entry in catalog.get(kind, {}).items():
            version = entry.get("version") if isinstance(entry, dict) else None
            reference = version.get("ref") if isinstance(version, dict) else None
            if reference not in catalog.get("versions", {}):
                problems.append(f"{CATALOG.name}: {name} refers to no version of the catalog")
    return problems


def unknown(used: set[str], catalog: dict[str, Any]) -> list[str]:
    """Return the names that build files use and a catalog has not, and the other way round."""
    known = {name.replace("-", ".") for name in catalog.get("libraries", {})}
    known |= {"plugins." + name.replace("-", ".") for name in catalog.get("plugins", {})}
    problems = [f"libs.{name} is not in {CATALOG.name}" for name in sorted(used - known)]
    return problems + [f"libs.{name} is never used" for name in sorted(known - used)]


def malformed(text: str) -> list[str]:
    """Return brackets that do not match, and versions that a build file sets by itself."""
    code = _COMMENT.sub("", _STRING.sub('""', text))
    problems = []
    open_brackets: list[str] = []
    for character in code:
        if character in _PAIRS.values():
            open_brackets.append(character)
        elif character in _PAIRS and (
            not open_brackets or open_brackets.pop() != _PAIRS[character]
        ):
            problems.append(f"a {character} without its {_PAIRS[character]}")
    problems += [f"a {character} that is never closed" for character in open_brackets]
    problems += [
        f"{literal} has its version outside {CATALOG.name}"
        for literal in _STRING.findall(text)
        if re.fullmatch(r'"[\w.-]+:[\w.-]+:[^"]+"', literal)
    ]
    return problems


def _catalog(repository: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((repository / CATALOG).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ArtifactError(f"{CATALOG} is no TOML: {error}.", remedy="Correct it.") from error


def _check_wrapper(text: str) -> list[str]:
    url = re.search(r"^distributionUrl=(.*)$", text, re.MULTILINE)
    if url is None or not re.search(r"/gradle-\d+\.\d+(\.\d+)?-bin\.zip$", url[1]):
        return [f"{WRAPPER.name} names no one version of Gradle"]
    return [] if url[1].startswith("https") else [f"{WRAPPER.name} does not use https"]


def _check_modules(repository: Path) -> list[str]:
    text = (repository / SETTINGS).read_text(encoding="utf-8")
    included = re.search(r"^include\((.*)\)$", text, re.MULTILINE)
    modules = re.findall(r'":(\w+)"', included[1]) if included else []
    built = {path.parent.name for path in BUILDS[1:]}
    if set(modules) != built:
        return [f"{SETTINGS.name} includes {modules}, not {sorted(built)}"]
    return []


def _check_agreement(repository: Path, catalog: dict[str, Any]) -> list[str]:
    """Return where a version is said in two places, and otherwise."""
    problems = []
    versions = catalog.get("versions", {})
    if versions.get("kotlin") != KOTLIN.version:
        problems.append(
            f"Gradle's Kotlin is {versions.get('kotlin')}, this check's {KOTLIN.version}"
        )
    source = (repository / LITERT_SOURCE).read_text(encoding="utf-8")
    said = re.search(r'LITERT_VERSION = "([^"]*)"', source)
    if said is None or said[1] != versions.get("litert"):
        problems.append(f"{LITERT_SOURCE.name} says another LiteRT than {CATALOG.name}")
    values = app_values(repository)
    if not int(values["minSdk"]) <= int(values["targetSdk"]) <= int(values["compileSdk"]):
        problems.append("minSdk, targetSdk and compileSdk are not in this order")
    return problems
