"""The core's tests and the app's types, by a Swift compiler."""

from __future__ import annotations

import re
from pathlib import Path

from tools.finding import Finding
from tools.ios.toolchain import Toolchain

APP = "ios_demo/MattingDemo"
CORE = "ios_demo/MattingCore"
STUBS = "ios_demo/Stubs"
FORMAT = "ios_demo/.swift-format"
# Each may import those before it.
MODULES = (
    "CoreGraphics", "Darwin", "UniformTypeIdentifiers", "CryptoKit", "ImageIO", "CoreVideo",
    "CoreML", "CoreAI", "AVFoundation", "UIKit", "Photos", "SwiftUI", "PhotosUI", "Charts",
)  # fmt: skip
_TESTS = re.compile(r"Test run with (\d+) tests passed")


def test_core(toolchain: Toolchain, repository: Path) -> Finding:
    """Run `swift test` in the core's package."""
    done = toolchain.run(
        repository, "swift", "test", "--package-path", CORE, "--scratch-path", _build(toolchain)
    )
    passed = _TESTS.search(done.stdout)
    detail = f"{passed[1]} tests, against tests/vectors" if passed else done.stdout
    ok = done.returncode == 0 and passed is not None
    return Finding("MattingCore builds and passes its tests", ok, detail)


def check_types(toolchain: Toolchain, repository: Path) -> Finding:
    """Compile the app's sources, as far as SIL, against stubs of Apple's frameworks."""
    title = "The app's sources agree with MattingCore and with our stubs"
    built = toolchain.run(
        repository, "swift", "build", "--package-path", CORE, "--scratch-path", _build(toolchain)
    )
    if built.returncode != 0:
        return Finding(title, False, built.stdout)
    stubs = f"{toolchain.scratch}/stubs"
    toolchain.run(repository, "mkdir", "-p", stubs)
    for module in MODULES:
        # Swift 5, as an SDK's headers: what they leave unsaid is not the app's fault.
        made = toolchain.run(
            repository, "swiftc", "-swift-version", "5", "-emit-module", "-parse-as-library",
            "-module-name", module, "-I", stubs, "-o", f"{stubs}/{module}.swiftmodule",
            f"{STUBS}/{module}.swift",
        )  # fmt: skip
        if made.returncode != 0:
            return Finding(title, False, made.stdout)
    sources = sorted(
        str(path.relative_to(repository)) for path in (repository / APP).rglob("*.swift")
    )
    # Not -typecheck: data races and missing returns are found in the step after it.
    done = toolchain.run(
        repository, "swiftc", "-emit-sil", "-whole-module-optimization", "-o", "/dev/null",
        "-swift-version", "6", "-warnings-as-errors", "-parse-as-library",
        "-module-name", "MattingDemo", "-I", stubs, "-I", f"{_build(toolchain)}/debug/Modules",
        f"{STUBS}/AppleFoundation.swift", *sources,
    )  # fmt: skip
    detail = f"{len(sources)} files, {len(MODULES)} stub modules, Swift 6 mode"
    return Finding(title, done.returncode == 0, detail if done.returncode == 0 else done.stdout)


def check_format(toolchain: Toolchain, repository: Path) -> Finding:
    """Run `swift format lint` on the core and the app."""
    done = toolchain.run(
        repository, "swift", "format", "lint", "--strict", "--recursive",
        "--configuration", FORMAT, CORE, APP,
    )  # fmt: skip
    title = "swift-format has nothing to say"
    return Finding(title, done.returncode == 0, "" if done.returncode == 0 else done.stdout)


def _build(toolchain: Toolchain) -> str:
    return f"{toolchain.scratch}/core"
