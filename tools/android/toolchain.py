"""Kotlin's compiler from npm and Android's build tools from Debian, in folders of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemat.bench.peers.catalog import Package, PackageMember
from edgemat.bench.peers.fetch import fetch as fetch_packages
from edgemat.errors import MissingToolError
from edgemat.folders import part_folder
from tools.parts import fetch as fetch_part

COMMAND = "make android-check"
DOWNLOAD = "130 MB"
KOTLIN = Package(
    "npm",
    "kotlin-compiler",
    "2.4.20",  # of android_demo/gradle/libs.versions.toml; tools.android.gradle compares them
    "Apache-2.0",
    tuple(
        PackageMember(f"package/lib/{name}.jar", f"lib/{name}.jar", sha256)
        for name, sha256 in {
            "kotlin-compiler": "038d406cc51d5fe3f6b5a16366a3f083b783bceb9e576e3103e695c3ce04e0fa",
            "kotlin-stdlib": "2226de463d309d4a5500a481320b3dea515a6981dcae1def531fbc158884e25f",
            "kotlin-test": "fa281d657898a34f6b0c7383f374f0a0161e61b6cea0095f135d917721d63f22",
            "kotlin-test-junit": "8a5c498fa3cc04f451498cd4ff9d5d81cc6e9f08d6b5ab1cb39f6db09ea69d1e",
            "kotlin-script-runtime": (
                "fc5a19df78be445d84e8352e0d01098a6a8181324aa50c6f7bf850338e81e1b4"
            ),
            "kotlin-reflect": "b4aac2a4686ffdc110602ce153e4a90ffd7f37fa86fcca9d3b3aa39c08f8c2fc",
            "kotlinx-coroutines-core-jvm": (
                "9860906a1937490bf5f3b06d2f0e10ef451e65b95b269f22daf68a3d1f5065c5"
            ),
            "annotations-13.0": "ace2a10dc8e2d5fd34925ecac03e4988b2c0f851650c94b8cef49ba1bd111478",
        }.items()
    ),
)
JAVA = ("java", "javac", "keytool")
# Otherwise lambdas and joined strings become `invoke-custom`: dx passes that on as it is, and
# Android has not got the classes that it would need.
PLAIN_BYTECODE = ("-Xlambdas=class", "-Xsam-conversions=class", "-Xstring-concat=inline")


@dataclass(frozen=True)
class KotlinToolchain:
    """The folder in which Kotlin and the Debian packages are unpacked."""

    kotlin: Path
    debian: Path

    @property
    def android_jar(self) -> Path:
        """The platform's API, of level 23."""
        return self._sdk / "platforms" / "android-23" / "android.jar"

    @property
    def framework(self) -> Path:
        """The platform's resources, of level 29."""
        return self.debian / "usr/share/android-framework-res/framework-res.apk"

    @property
    def stdlib(self) -> Path:
        """Kotlin's standard library."""
        return self.kotlin / "lib" / "kotlin-stdlib.jar"

    @property
    def test_jars(self) -> tuple[Path, ...]:
        """JUnit, and kotlin.test on top of it."""
        java = self.debian / "usr/share/java"
        kotlin = (self.kotlin / "lib" / f"kotlin-test{end}.jar" for end in ("", "-junit"))
        return (*kotlin, java / "junit4.jar", java / "hamcrest-all.jar")

    def kotlinc(self, *arguments: str | Path, classpath: Sequence[Path]) -> str | None:
        """Compile; return what the compiler says where it fails, else None."""
        done = run(
            "java", "-Xmx1g", "-cp", join([self.kotlin / "lib" / "kotlin-compiler.jar"]),
            "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-kotlin-home", self.kotlin,
            "-no-stdlib", "-no-reflect", "-jvm-target", "1.8", "-Werror", *PLAIN_BYTECODE,
            "-cp", join([self.stdlib, *classpath]), *arguments,
        )  # fmt: skip
        return done.stdout if done.returncode != 0 else None

    def native(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of the SDK's programs."""
        return run(*self.native_command(name), *arguments)

    def native_command(self, name: str) -> list[str]:
        """Return how one of the SDK's programs starts: by the C library fetched with it."""
        libraries = self.debian / "usr/lib/x86_64-linux-gnu"
        own = self.debian / "lib/x86_64-linux-gnu"
        usr = self.debian / "usr/lib"
        path = join([own, libraries, libraries / "android", usr, usr / "p7zip"])
        program = self._build_tools / name
        return [str(own / "ld-linux-x86-64.so.2"), "--library-path", path, str(program)]

    def java(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of the SDK's programs that are in Java: dx or apksigner."""
        return run("java", "-Xmx1g", "-cp", join(self._jars(name)), _MAIN[name], *arguments)

    def desugar(self, source: Path, target: Path) -> subprocess.CompletedProcess[str]:
        """Make classes of a jar's lambdas; with the library for bytecode in Kotlin's compiler."""
        program = Path(__file__).with_name("Desugar.java")
        return run("java", "-cp", self.kotlin / "lib" / "kotlin-compiler.jar", program, source,
                   target)  # fmt: skip

    def _jars(self, name: str) -> list[Path]:
        java = self.debian / "usr/share/java"
        if name == "dx":
            return [java / "com.android.dx.jar"]
        return [java / "apksigner.jar", java / "apksig.jar"]

    @property
    def _sdk(self) -> Path:
        return self.debian / "usr/lib/android-sdk"

    @property
    def _build_tools(self) -> Path:
        return self._sdk / "build-tools/debian"


_MAIN = {
    "dx": "com.android.dx.command.Main",
    "apksigner": "com.android.apksigner.ApkSignerTool",
}


def find_toolchain() -> KotlinToolchain | None:
    """Return the toolchain that is there already, None where a part of it is missing."""
    return None if missing() else _toolchain()


def missing() -> str:
    """Return what of the toolchain is not there, empty where it is whole."""
    lacking = [name for name in JAVA if shutil.which(name) is None]
    if lacking:
        return f"a JDK ({', '.join(lacking)})"
    toolchain = _toolchain()
    if not all((toolchain.kotlin / member.file).is_file() for member in KOTLIN.members):
        return "Kotlin's compiler"
    return "" if toolchain.android_jar.exists() else "Android's build tools"


def fetch_toolchain(say: Callable[[str], object]) -> KotlinToolchain:
    """Return the toolchain; fetch what is not there.

    Raises
    ------
    MissingToolError
        When there is no JDK, when this is no Debian on x86-64, or when the machine is offline.
    """
    what = missing()
    if what.startswith("a JDK"):
        raise MissingToolError(
            f"The Android app's check needs {what}, which is not installed.",
            remedy="Install one (Debian, Ubuntu): apt-get install openjdk-17-jdk-headless",
        )
    toolchain = _toolchain()
    if what:
        say(f"Fetching Kotlin from npm and Android's tools from Debian: {DOWNLOAD}, once.")
        _, errors = fetch_packages(toolchain.kotlin, packages=[KOTLIN])
        if errors:
            raise errors[0]
        fetch_part("android")
    return toolchain


def java_version() -> str:
    """Return the JDK's version, for example 17.0.16."""
    told = re.search(r'version "([^"]+)"', run("java", "-version").stdout)
    return told[1] if told else "of unknown version"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command; its stderr is in stdout."""
    return subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def join(paths: Sequence[Path]) -> str:
    """Return a path list as Java and the loader take it."""
    return os.pathsep.join(map(str, paths))


def _toolchain() -> KotlinToolchain:
    return KotlinToolchain(part_folder(f"kotlin-{KOTLIN.version}"), part_folder("android"))
