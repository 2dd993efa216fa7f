"""The core's tests and the app's types, by a Swift compiler."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edgemat.errors import ArtifactError
from tools.finding import Finding
from tools.ios.toolchain import SwiftToolchain

APP = "ios_demo/MattingDemo"
CORE = "ios_demo/MattingCore"
STUBS = "ios_demo/Stubs"
STEP_TIMES = "tools/ios/StepTimes.swift"
FORMAT = "ios_demo/.swift-format"
# Each may import those before it.
MODULES = (
    "CoreGraphics", "Darwin", "UniformTypeIdentifiers", "CryptoKit", "ImageIO", "CoreVideo",
    "CoreML", "CoreAI", "AVFoundation", "UIKit", "Photos", "SwiftUI", "PhotosUI", "Charts",
)  # fmt: skip
_VERSION = re.compile(r"Swift version (\d+(?:\.\d+)+)")
_TESTS = re.compile(r"Test run with (\d+) tests passed")


def test_core(toolchain: SwiftToolchain, repository: Path) -> Finding:
    """Run `swift test` in the core's package."""
    done = toolchain.run(
        repository, "swift", "test", "--package-path", CORE, "--scratch-path", _build(toolchain)
    )
    passed = _TESTS.search(done.stdout)
    detail = f"{passed[1]} tests, against tests/vectors" if passed else done.stdout
    ok = done.returncode == 0 and passed is not None
    return Finding("MattingCore builds and passes its tests", ok, detail)


def check_types(toolchain: SwiftToolchain, repository: Path) -> Finding:
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


def build_step_times(toolchain: SwiftToolchain, repository: Path) -> Callable[[int], str]:
    """Compile the core with the program that measures its steps; return what runs it.

    Raises
    ------
    ArtifactError
        When it does not compile; when it is run and fails.
    """
    program = f"{toolchain.scratch}/step-times"
    sources = sorted((repository / CORE / "Sources").rglob("*.swift"))
    toolchain.run(repository, "mkdir", "-p", toolchain.scratch)
    command = (
        "swiftc", "-O", "-whole-module-optimization", "-swift-version", "6", "-parse-as-library",
        "-module-name", "MattingCore", "-o", program, STEP_TIMES,
        *(str(path.relative_to(repository)) for path in sources),
    )  # fmt: skip

    def run(*command: str) -> str:
        done = toolchain.run(repository, *command)
        if done.returncode != 0:
            raise ArtifactError(
                f"The core's steps do not run: {done.stdout}", remedy="Run make ios-check."
            )
        return done.stdout

    run(*command)
    return lambda runs: run(program, str(runs))


def version(toolchain: SwiftToolchain, repository: Path) -> str:
    """Return the compiler's name and version, for example Swift 6.0.3."""
    told = _VERSION.search(toolchain.run(repository, "swift", "--version").stdout)
    return f"Swift {told[1]}" if told else "Swift"


def check_format(toolchain: SwiftToolchain, repository: Path) -> Finding:
    """Run `swift format lint` on the core, the app and what measures the core."""
    done = toolchain.run(
        repository, "swift", "format", "lint", "--strict", "--recursive",
        "--configuration", FORMAT, CORE, APP, STEP_TIMES,
    )  # fmt: skip
    title = "swift-format has nothing to say"
    return Finding(title, done.returncode == 0, "" if done.returncode == 0 else done.stdout)


def _build(toolchain: SwiftToolchain) -> str:
    return f"{toolchain.scratch}/core"
