"""Manifest and resources: well-formed, every name there, every control labelled."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tools.android.texts import ANDROID, MAIN
from tools.finding import Finding, finding

PACKAGE = "dev.edgemat.demo"
PERMISSIONS = {"android.permission.CAMERA"}
"""All that the app may ask for: photographs come and go by the system's own choosers."""
# What speaks for itself: a text, or a control that is labelled by its own text.
_PICTURES = ("ImageView", "ImageButton", "SeekBar")
_TOUCH = ("Button", "RadioButton", "SeekBar", "Spinner")
_LEAST_DP = 48
# The edited photograph's label says what its background is, which the code knows.
_DESCRIBED_BY_CODE = {"edit_photo"}
_NAME = re.compile(r"@(\+?)(\w+)/([\w.]+)")


def check_resources(repository: Path) -> Finding:
    """Read every XML file of the app."""
    problems: list[str] = []
    trees: dict[Path, ElementTree.Element] = {}
    main = repository / MAIN
    for path in sorted(main.rglob("*.xml")):
        try:
            trees[path] = ElementTree.parse(path).getroot()
        except ElementTree.ParseError as error:
            problems.append(f"{path.relative_to(repository)} is no XML: {error}")
    manifest = trees.get(main / "AndroidManifest.xml")
    if manifest is not None:
        problems += check_manifest(manifest, main)
    known = _known(main, trees)
    for path, tree in trees.items():
        problems += [f"{path.name}: {problem}" for problem in dangling(tree, known)]
        if path.parent.name == "layout":
            problems += [f"{path.name}: {problem}" for problem in unlabelled(tree)]
    light, dark = (_colours(trees.get(main / "res" / name / "colors.xml"))
                   for name in ("values", "values-night"))  # fmt: skip
    problems += [f"values-night has {name}, which is no colour" for name in sorted(dark - light)]
    problems += _check_classes(trees, main)
    detail = f"{len(trees)} files; {len(light)} colours, {len(dark)} of them other in the dark"
    return finding("Manifest and resources are whole, controls labelled", problems, detail)


def check_manifest(manifest: ElementTree.Element, main: Path) -> list[str]:
    """Return what is wrong with the manifest: classes, permissions, what is exported."""
    problems = []
    asked = {one.get(ANDROID + "name") for one in manifest.iter("uses-permission")}
    problems += [f"the manifest asks for {name}" for name in sorted(map(str, asked - PERMISSIONS))]
    problems += [f"the manifest lacks {name}" for name in sorted(PERMISSIONS - asked)]
    for activity in manifest.iter("activity"):
        name = activity.get(ANDROID + "name", "")
        source = (PACKAGE + name).replace(".", "/") + ".kt"
        if not (main / "kotlin" / source).is_file():
            problems.append(f"the manifest names {name}, which does not exist")
        if activity.get(ANDROID + "exported") not in ("true", "false"):
            problems.append(f"the manifest does not say whether {name} is exported")
    launched = [one for one in manifest.iter("category")
                if one.get(ANDROID + "name") == "android.intent.category.LAUNCHER"]  # fmt: skip
    if len(launched) != 1:
        problems.append(f"{len(launched)} activities can be launched, not one")
    return problems


def dangling(tree: ElementTree.Element, known: set[tuple[str, str]]) -> list[str]:
    """Return the resources that a file refers to and that are nowhere."""
    values = [value for element in tree.iter() for value in element.attrib.values()]
    values += [element.text or "" for element in tree.iter("item")]
    found = (_NAME.fullmatch(value.strip()) for value in values)
    return [
        f"@{match[2]}/{match[3]} does not exist"
        for match in found
        if match and not match[1] and (match[2], match[3]) not in known
    ]


def unlabelled(layout: ElementTree.Element) -> list[str]:
    """Return the controls that a screen reader could not name, or that are small to touch."""
    problems = []
    labelled = {one.get(ANDROID + "labelFor", "").rpartition("/")[2] for one in layout.iter()}
    for element in layout.iter():
        kind = element.tag.rpartition(".")[2]
        name = element.get(ANDROID + "id", kind).rpartition("/")[2]
        hidden = element.get(ANDROID + "importantForAccessibility") == "no"
        described = element.get(ANDROID + "contentDescription") or name in labelled
        if kind in (*_PICTURES, "Spinner", "TrimapView") and not (
            hidden or described or name in _DESCRIBED_BY_CODE
        ):
            problems.append(f"{name} has no label")
        height = re.fullmatch(r"(\d+)dp", element.get(ANDROID + "layout_height", ""))
        if kind in _TOUCH and height and int(height[1]) < _LEAST_DP:
            problems.append(f"{name} is lower than {_LEAST_DP} dp")
    return problems


def _known(main: Path, trees: dict[Path, ElementTree.Element]) -> set[tuple[str, str]]:
    known = set()
    for path, tree in trees.items():
        folder = path.parent.name.partition("-")[0]
        if folder == "values":
            known |= {(one.tag, one.get("name", "")) for one in tree}
        elif path.parent != main:
            known.add((folder, path.stem))
        for element in tree.iter():
            match = _NAME.fullmatch(element.get(ANDROID + "id", ""))
            if match:
                known.add(("id", match[3]))
    return known


def _colours(tree: ElementTree.Element | None) -> set[str]:
    return set() if tree is None else {one.get("name", "") for one in tree.iter("color")}


def _check_classes(trees: dict[Path, ElementTree.Element], main: Path) -> list[str]:
    """Return the views of our own that a layout names and that are nowhere."""
    own = {
        element.tag
        for path, tree in trees.items()
        if path.parent.name == "layout"
        for element in tree.iter()
        if element.tag.startswith(PACKAGE)
    }
    return [
        f"a layout names {name}, which does not exist"
        for name in sorted(own)
        if not (main / "kotlin" / (name.replace(".", "/") + ".kt")).is_file()
    ]
