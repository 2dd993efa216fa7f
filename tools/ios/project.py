"""The Xcode project, read by PyPI's pbxproj, and the app's plists and assets."""

from __future__ import annotations

import json
import plistlib
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from PIL import Image

from edgemat.errors import MissingToolError
from edgemat.folders import cache_folder
from tools.finding import Finding, finding

DEMO = Path("ios_demo")
PROJECT = DEMO / "MattingDemo.xcodeproj" / "project.pbxproj"
SCHEME = PROJECT.parent / "xcshareddata" / "xcschemes" / "MattingDemo.xcscheme"
RESOURCES = DEMO / "MattingDemo" / "Resources"
READER = "pbxproj==4.3.3"
ICON_SIDE = 1024
# Keys of the plist that the sources rely on, and of what type.
EXPECTED: dict[str, type] = {
    "NSCameraUsageDescription": str,
    "NSPhotoLibraryAddUsageDescription": str,
    "UIFileSharingEnabled": bool,
    "LSSupportsOpeningDocumentsInPlace": bool,
}
# Compiled by the checks alone: what Apple's frameworks are called.
STUBS = "Stubs"
# Runs in the check's own environment: reads the project with pbxproj and prints it as JSON.
_READ = """
import json, sys
from pbxproj import XcodeProject
project = XcodeProject.load(sys.argv[1])
def plain(value):
    if hasattr(value, "get_keys"):
        return {key: plain(value[key]) for key in value.get_keys()}
    return [plain(item) for item in value] if isinstance(value, list) else str(value)
print(json.dumps({
    "root": str(project.rootObject), "version": str(project.objectVersion),
    "objects": {str(one.get_id()): plain(one) for one in project.objects.get_objects_in_section(
        *project.objects.get_sections())},
}))
"""


def check_project(repository: Path) -> Finding:
    """Load the project; follow every reference and every path in it."""
    loaded = _load(repository / PROJECT)
    objects: dict[str, dict[str, Any]] = loaded["objects"]
    problems = [
        f"{name} refers to {reference}, which is not in the project"
        for name, value in objects.items()
        for reference in _references(value)
        if reference not in objects
    ]
    for value in objects.values():
        path = value.get("path") or value.get("relativePath")
        generated = value.get("sourceTree") == "BUILT_PRODUCTS_DIR"
        if path and not generated and not (repository / DEMO / path).exists():
            problems.append(f"{value['isa']} names {path}, which does not exist")
    problems += _strays(repository / DEMO, objects)
    problems += _scheme_problems((repository / SCHEME).read_bytes(), objects)
    settings = _merged_settings(objects)
    wanted = {"IPHONEOS_DEPLOYMENT_TARGET": "17.0", "SWIFT_VERSION": "6.0"}
    problems += [
        f"{key} is {settings.get(key)}, not {value}"
        for key, value in wanted.items()
        if settings.get(key) != value
    ]
    plist = settings.get("INFOPLIST_FILE", "")
    if not (repository / DEMO / plist).is_file():
        problems.append(f"INFOPLIST_FILE names {plist!r}, which does not exist")
    detail = f"{len(objects)} objects, read by {READER}; Xcode has not opened it"
    return finding("The Xcode project is whole", problems, detail)


def check_resources(repository: Path) -> Finding:
    """Read plists, the privacy manifest, the icon and the asset catalogs."""
    problems: list[str] = []
    info = _plist(repository / DEMO / "Config" / "Info.plist", problems)
    for key, kind in EXPECTED.items():
        if not isinstance(info.get(key), kind) or not info[key]:
            problems.append(f"Info.plist lacks {key}")
    privacy = _plist(repository / RESOURCES / "PrivacyInfo.xcprivacy", problems)
    if privacy.get("NSPrivacyTracking") is not False:
        problems.append("PrivacyInfo.xcprivacy does not say that nobody is tracked")
    catalogs = sorted((repository / RESOURCES).rglob("Contents.json"))
    for path in catalogs:
        for entry in json.loads(path.read_text(encoding="utf-8")).get("images", []):
            name = entry.get("filename")
            if name is None or not (path.parent / name).is_file():
                problems.append(f"{path.parent.name} names {name}, which does not exist")
            elif path.parent.name == "AppIcon.appiconset":
                with Image.open(path.parent / name) as icon:
                    if icon.size != (ICON_SIDE, ICON_SIDE):
                        problems.append(f"{name} is {icon.size}, not {ICON_SIDE} px")
                    if icon.mode != "RGB":
                        problems.append(f"{name} is {icon.mode}; icons have no transparency")
    detail = f"2 plists, {len(catalogs)} asset catalogs"
    return finding("Plists, privacy manifest and assets are whole", problems, detail)


def _plist(path: Path, problems: list[str]) -> dict[str, Any]:
    """Return a plist's content; nothing, and a problem more, where it is none."""
    try:
        content: dict[str, Any] = plistlib.loads(path.read_bytes())
    except FileNotFoundError:
        problems.append(f"{path.name} does not exist")
    except (plistlib.InvalidFileException, ExpatError, ValueError) as error:
        problems.append(f"{path.name} is no plist: {error}")
    else:
        return content
    return {}


def _scheme_problems(text: bytes, objects: dict[str, dict[str, Any]]) -> list[str]:
    """Return what is wrong with the scheme: what it builds, and that it runs optimised code."""
    try:
        scheme = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return [f"{SCHEME.name} is no XML: {error}"]
    problems = [
        f"{SCHEME.name} builds {target}, which is not in the project"
        for target in {one.get("BlueprintIdentifier") for one in scheme.iter("BuildableReference")}
        if target not in objects
    ]
    launch = scheme.find("LaunchAction")
    if launch is None or launch.get("buildConfiguration") != "Release":
        problems.append(f"{SCHEME.name} does not run the Release build, which is what is measured")
    return problems


def _strays(demo: Path, objects: dict[str, dict[str, Any]]) -> list[str]:
    """Return the sources that no folder or package of the project takes in."""
    taken = [
        demo / (value.get("path") or value["relativePath"])
        for value in objects.values()
        if value["isa"] in ("PBXFileSystemSynchronizedRootGroup", "XCLocalSwiftPackageReference")
    ]
    taken.append(demo / STUBS)
    return [
        f"{path.relative_to(demo)} is in no folder that the project builds"
        for path in sorted(demo.rglob("*.swift"))
        if not any(folder in path.parents for folder in taken)
    ]


def _references(value: Any) -> list[str]:
    """Return everything that looks like an object's name, 24 hexadecimal digits."""
    if isinstance(value, dict):
        return [name for item in value.values() for name in _references(item)]
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    return [value] if re.fullmatch(r"[0-9A-F]{24}", str(value)) else []


def _merged_settings(objects: dict[str, dict[str, Any]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for value in objects.values():
        if value["isa"] == "XCBuildConfiguration":
            merged |= value.get("buildSettings", {})
    return merged


def _load(path: Path) -> dict[str, Any]:
    python = _environment()
    done = subprocess.run(
        [python, "-c", _READ, str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        raise MissingToolError(
            f"{path.name} cannot be read: {' '.join(last)}", remedy="Open it in Xcode and save it."
        )
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def _environment() -> str:
    """Return the Python of an environment that has pbxproj; made once, in the cache."""
    folder = cache_folder() / "ios-check"
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    ready = folder / READER
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", READER]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MissingToolError(
                f"{READER}, which reads Xcode projects, cannot be installed.",
                remedy="Check the network, then run the same command again.",
            )
        ready.touch()
    return str(python)
