"""The runner's archives: where they lie, and whether they are of this version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edgemat.errors import MissingToolError
from edgemat.folders import cache_folder

SOURCES = Path(__file__).parent
PLUGIN_SOURCE = SOURCES / "emulator" / "count.c"
PACKAGE = "ai-edge-litert"
LOADERS = {"aarch64": "ld-linux-aarch64.so.1", "x86_64": "ld-linux-x86-64.so.2"}
"""Architectures, as ``uname -m`` calls them, and the dynamic loader of each."""
DEVICE_ARCHITECTURE = "aarch64"
"""Of phones, and of most boards."""


@dataclass(frozen=True)
class Bundle:
    """The runner for one architecture.

    Attributes
    ----------
    archive:
        A tar file of ``runner``, its loader and its libraries, flat.
    key:
        Of the sources and the runtime: equal keys are equal runners.
    """

    archive: Path
    key: str
    architecture: str

    def command(self, folder: str) -> list[str]:
        """Return the command that starts the runner from the folder of the unpacked archive.

        It names the loader, so that a device needs no libraries of its own: Android has others.
        """
        loader = LOADERS[self.architecture]
        return [f"{folder}/{loader}", "--library-path", folder, f"{folder}/runner"]


def litert_version() -> str:
    """Return the version of the runtime that the runner is linked with."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise MissingToolError(
            "The runner needs the LiteRT runtime, which is not installed.",
            remedy=f"Install it with: pip install {PACKAGE}",
        ) from error


def bundle_of(architecture: str) -> Bundle:
    """Return the place of a bundle, whether it is there or not."""
    digest = hashlib.sha256(litert_version().encode())
    for path in sorted([*SOURCES.glob("*.[ch]"), SOURCES / "build.py"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    key = digest.hexdigest()[:16]
    return Bundle(cache_folder() / "runner" / key / f"{architecture}.tar", key, architecture)


def plugin_path() -> Path:
    """Return the place of the plugin that counts instructions in qemu, built or not."""
    key = hashlib.sha256(PLUGIN_SOURCE.read_bytes()).hexdigest()[:16]
    return cache_folder() / "emulator" / f"{key}.so"


def find_bundle(architecture: str) -> Bundle:
    """Return the bundle for an architecture.

    Raises
    ------
    MissingToolError
        When it has not been built, or cannot be built for this architecture.
    """
    if architecture not in LOADERS:
        raise MissingToolError(
            f"There is no runner for {architecture!r} processors.",
            remedy=f"Measure on a device with one of: {', '.join(LOADERS)}.",
        )
    bundle = bundle_of(architecture)
    if not bundle.archive.is_file():
        raise MissingToolError(
            f"The runner for {architecture} devices has not been built.", remedy="Run: make runner"
        )
    return bundle
