"""An APK without Gradle: linked, dexed, aligned and signed with a key of the moment, then read."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from tools.android.gradle import app_values
from tools.android.kotlin import APP, PACKAGE, Build
from tools.android.toolchain import run
from tools.finding import Finding, finding

NEEDED = ("AndroidManifest.xml", "resources.arsc", "classes.dex")
_PASSWORD = "pass:edgemat"  # of a key that is gone with the scratch folder
_CUSTOM = re.compile(r"\binvoke-(?:custom|polymorphic)\b")


@dataclass(frozen=True)
class Apk:
    """The app's APK, made of a :class:`Build`."""

    build: Build

    @property
    def path(self) -> Path:
        """The signed APK."""
        return self.build.scratch / "app.apk"

    def link(self) -> Finding:
        """Compile and link resources, manifest and assets; write R.java."""
        title = "Resources, manifest and assets link"
        values = app_values(self.build.repository)
        source = self.build.repository / APP
        scratch = self.build.scratch
        manifest = scratch / "AndroidManifest.xml"
        text = (source / "AndroidManifest.xml").read_text(encoding="utf-8")
        # Gradle names the package in its own file, aapt2 wants it here.
        manifest.write_text(text.replace("<manifest ", f'<manifest package="{PACKAGE}" ', 1))
        compiled = scratch / "resources.zip"
        assets = ("-A", source / "assets") if (source / "assets").is_dir() else ()
        steps = (
            ("compile", "--dir", source / "res", "-o", compiled),
            (
                "link", "-I", self.build.toolchain.framework, "--manifest", manifest,
                "--java", scratch / "gen", *assets, "-0", ".tflite", "-0", ".bin",
                "--version-code", values["versionCode"], "--version-name", values["versionName"],
                "--min-sdk-version", values["minSdk"],
                "--target-sdk-version", values["targetSdk"], "-o", self._linked, compiled,
            ),
        )  # fmt: skip
        for step in steps:
            done = self.build.toolchain.native("aapt2", *step)
            if done.returncode != 0:
                return Finding(title, False, done.stdout)
        return Finding(title, True, "by aapt2, against the framework of Android 10")

    def pack(self) -> Finding:
        """Make dex code of the classes, and an aligned, signed APK."""
        title = "An APK is built, aligned and signed"
        for step in (self._compile_r, self._dex, self._align, self._sign):
            said = step()
            if said is not None:
                return Finding(title, False, said)
        detail = f"{self.path.stat().st_size / 1e6:.1f} MB, without LiteRT's own code"
        return Finding(title, True, detail)

    def check(self) -> Finding:
        """Verify signature and alignment; look for code that dx leaves unfit for Android."""
        toolchain = self.build.toolchain
        problems = []
        verified = toolchain.java("apksigner", "verify", "--min-sdk-version", "26", self.path)
        if verified.returncode != 0:
            problems.append(f"the signature is wrong: {verified.stdout.strip()}")
        if toolchain.native("zipalign", "-c", "-p", "4", self.path).returncode != 0:
            problems.append("it is not aligned")
        dump = toolchain.native("dexdump", "-d", self.path).stdout
        problems += unfit_code(dump)
        with zipfile.ZipFile(self.path) as archive:
            files = archive.infolist()
        problems += unfit_files(files)
        models = [one.filename for one in files if one.filename.endswith(".tflite")]
        classes = dump.count("Class descriptor")
        detail = f"{len(files)} files, {classes} classes, no invoke-custom, "
        detail += (
            f"{len(models)} models" if models else "no models (edgemat export --to android_demo)"
        )
        return finding("The APK is whole, verified, aligned", problems, detail)

    def _compile_r(self) -> str | None:
        sources = sorted((self.build.scratch / "gen").rglob("*.java"))
        done = run(
            "javac", "-nowarn", "-Xlint:-options", "--release", "8", "-d", self.build.app, *sources
        )
        return done.stdout if done.returncode != 0 else None

    def _dex(self) -> str | None:
        stdlib = self.build.scratch / "kotlin-stdlib.jar"
        done = self.build.toolchain.desugar(self.build.toolchain.stdlib, stdlib)
        if done.returncode != 0:
            return done.stdout
        done = self.build.toolchain.java(
            "dx", "--dex", "--min-sdk-version=26", f"--output={self._dexed}",
            self.build.app, self.build.core, stdlib,
        )  # fmt: skip
        return done.stdout if done.returncode != 0 else None

    def _align(self) -> str | None:
        with zipfile.ZipFile(self._linked, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.write(self._dexed, "classes.dex")
        done = self.build.toolchain.native("zipalign", "-f", "-p", "4", self._linked, self.path)
        return done.stdout if done.returncode != 0 else None

    def _sign(self) -> str | None:
        store = self.build.scratch / "key.p12"
        steps: tuple[Callable[[], CompletedProcess[str]], ...] = (
            lambda: run(
                "keytool", "-genkeypair", "-keystore", store, "-storetype", "PKCS12",
                "-storepass", _PASSWORD.removeprefix("pass:"), "-alias", "check",
                "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=edgemat check",
            ),
            lambda: self.build.toolchain.java(
                "apksigner", "sign", "--ks", store, "--ks-pass", _PASSWORD,
                "--min-sdk-version", "26", self.path,
            ),
        )  # fmt: skip
        for step in steps:
            done = step()
            if done.returncode != 0:
                return done.stdout
        return None

    @property
    def _linked(self) -> Path:
        return self.build.scratch / "linked.apk"

    @property
    def _dexed(self) -> Path:
        return self.build.scratch / "classes.dex"


def unfit_code(dump: str) -> list[str]:
    """Return what a disassembly has that Android cannot run."""
    found = len(_CUSTOM.findall(dump))
    problems = [f"{found} invoke-custom in classes.dex"] if found else []
    if "Class descriptor" not in dump:
        problems.append("classes.dex cannot be read")
    return problems


def unfit_files(files: Iterable[zipfile.ZipInfo]) -> list[str]:
    """Return what is missing in an APK, or packed otherwise than LiteRT can read it."""
    listed = {one.filename: one for one in files}
    problems = [f"{name} is missing" for name in NEEDED if name not in listed]
    return problems + [
        f"{name} is compressed, so that LiteRT cannot map it into memory"
        for name, one in listed.items()
        if name.endswith(".tflite") and one.compress_type != zipfile.ZIP_STORED
    ]
