"""Compile the runner and pack it with what it needs: ``python -m edgemat.bench.runner.build``."""

from __future__ import annotations

import functools
import importlib.util
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from edgemat.bench.runner.bundle import (
    LOADERS,
    PACKAGE,
    PLUGIN_SOURCE,
    SOURCES,
    Bundle,
    bundle_of,
    plugin_path,
)
from edgemat.bench.runner.wheel import download_command
from edgemat.errors import EdgematError, MissingToolError
from edgemat.files import atomic_path
from edgemat.folders import part_folder

FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion"]
# libLiteRt.so names symbols of libraries that only the device's loader brings together
LINK = ["-lLiteRt", "-lm", "-Wl,--allow-shlib-undefined"]
# qemu brings the functions that the plugin calls; nothing else is needed
PLUGIN = ["-shared", "-fPIC", "-nostdlib", "-fvisibility=hidden"]
LITERT = "libLiteRt.so"
LIBRARIES = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
PACKAGES = {
    "aarch64": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross",
    "x86_64": "gcc-x86-64-linux-gnu libc6-dev-amd64-cross libstdc++6-amd64-cross",
}


def build(architecture: str) -> Bundle:
    """Compile and pack the runner for one architecture, unless it is there.

    Raises
    ------
    MissingToolError
        When there is no compiler, or the runtime's library cannot be had.
    """
    bundle = bundle_of(architecture)
    if bundle.archive.is_file():
        return bundle
    compiler = find_compiler(architecture)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fetch_litert(architecture, folder)
        sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
        program = ["-o", str(folder / "runner"), *sources, f"-L{folder}"]
        _run([*compiler, *FLAGS, *program, *LINK])
        for library in (*LIBRARIES, LOADERS[architecture]):
            shutil.copy(_library(compiler, library, architecture), folder / library)
        with atomic_path(bundle.archive) as temporary, tarfile.open(temporary, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
    return bundle


def build_plugin() -> Path:
    """Compile the plugin that counts instructions in qemu, unless it is there.

    Raises
    ------
    MissingToolError
        When there is no compiler.
    """
    plugin = plugin_path()
    if not plugin.is_file():
        compiler = find_compiler(platform.machine())
        with atomic_path(plugin) as temporary:
            _run([*compiler, *FLAGS, *PLUGIN, "-o", str(temporary), str(PLUGIN_SOURCE)])
    return plugin


def find_compiler(architecture: str) -> list[str]:
    """Return the command of a C compiler for an architecture.

    Raises
    ------
    MissingToolError
        When there is none.
    """
    private = part_folder("cross")
    name = f"{architecture}-linux-gnu-gcc"
    if platform.machine() == architecture and shutil.which("gcc"):
        return ["gcc"]
    if shutil.which(name):
        return [name]
    if (found := private / "usr" / "bin" / f"{name}-12").exists():
        # The package expects to lie in /, so it is told where its libraries and headers are.
        headers = private / "usr" / f"{architecture}-linux-gnu" / "include"
        libraries = private / "usr" / "lib" / "x86_64-linux-gnu"
        environment = ["env", f"LD_LIBRARY_PATH={libraries}"]
        return [*environment, str(found), f"--sysroot={private}", "-isystem", str(headers)]
    packages = "gcc" if platform.machine() == architecture else PACKAGES[architecture]
    remedy = f"Install it (Debian, Ubuntu): apt-get install {packages}"
    if architecture == "aarch64":
        remedy += ", or have it in a folder of your own: python -m tools.parts cross"
    raise MissingToolError(f"There is no C compiler for {architecture}.", remedy=remedy)


def _fetch_litert(architecture: str, folder: Path) -> None:
    """Put the runtime's library for an architecture into a folder."""
    if platform.machine() == architecture:
        spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
        if spec is not None and spec.origin is not None:
            shutil.copy(Path(spec.origin).with_name(LITERT), folder)
            return
    with tempfile.TemporaryDirectory() as name:
        _run(download_command(architecture, Path(name)))
        (wheel,) = Path(name).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"{PACKAGE.replace('-', '_')}/{LITERT}")
    (folder / LITERT).write_bytes(content)


def _library(compiler: list[str], name: str, architecture: str) -> Path:
    """Return the file of a library for the compiler's target."""
    found = _run([*compiler, f"-print-file-name={name}"]).strip()
    if "/" not in found:  # the bare name comes back when there is none
        raise MissingToolError(
            f"The library {name} for {architecture} is missing.",
            remedy=f"Install it (Debian, Ubuntu): apt-get install {PACKAGES[architecture]}",
        )
    return Path(found)


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingToolError(
            f"{Path(command[0]).name} failed: {last}.",
            remedy="See the message; the network and a C compiler are needed.",
        ) from error


def main() -> int:
    """Build all bundles and the plugin; exit status 3 when one cannot be built."""
    status = 0
    works: dict[str, Callable[[], Path]] = {
        architecture: functools.partial(_archive, architecture) for architecture in LOADERS
    }
    works["plugin for qemu"] = build_plugin
    for name, work in works.items():
        try:
            print(f"{name}: {work()}")
        except EdgematError as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = error.exit_code
    return status


def _archive(architecture: str) -> Path:
    return build(architecture).archive


if __name__ == "__main__":
    sys.exit(main())
