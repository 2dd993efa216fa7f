"""The core's tests on the JVM, and the app's types against android.jar and our stubs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edgemat.bench.result import read_results
from edgemat.errors import ArtifactError, EdgematError
from tools.android.toolchain import COMMAND, KotlinToolchain, join, run
from tools.finding import Finding

DEMO = Path("android_demo")
APP = DEMO / "app/src/main"
CORE = DEMO / "core/src"
STUBS = DEMO / "stubs"
STEP_TIMES = Path(__file__).with_name("StepTimes.kt")
PACKAGE = "dev.edgemat.demo"
_PASSED = re.compile(r"^OK \((\d+) tests?\)", re.MULTILINE)


@dataclass(frozen=True)
class Build:
    """A build of the app, step by step, in a scratch folder."""

    toolchain: KotlinToolchain
    repository: Path
    scratch: Path

    @property
    def core(self) -> Path:
        """The core's classes."""
        return self.scratch / "core"

    @property
    def app(self) -> Path:
        """The app's classes."""
        return self.scratch / "app"

    @property
    def written(self) -> Path:
        """The benchmark result that the core's tests write."""
        return self.scratch / "results.json"

    def compile_core(self) -> Finding:
        """Compile the core with nothing but what Android has."""
        title = "The core compiles without Android, and without what only a JDK has"
        said = self.toolchain.kotlinc(
            "-no-jdk", "-module-name", "core", "-d", self.core,
            self.repository / CORE / "main/kotlin",
            classpath=[self.toolchain.android_jar],
        )  # fmt: skip
        count = len(list((self.repository / CORE / "main").rglob("*.kt")))
        return Finding(title, said is None, said or f"{count} files, warnings are errors")

    def test_core(self) -> Finding:
        """Run the core's unit tests on the JVM, against what Python computed."""
        title = "The core passes its tests on the JVM"
        tests = self.scratch / "core-tests"
        said = self.toolchain.kotlinc(
            # as Gradle does it, so that tests see what is internal
            f"-Xfriend-paths={self.core}", "-module-name", "core", "-d", tests,
            self.repository / CORE / "test/kotlin",
            classpath=[self.core, *self.toolchain.test_jars],
        )  # fmt: skip
        if said is not None:
            return Finding(title, False, said)
        names = sorted(
            ".".join(path.relative_to(tests).with_suffix("").parts)
            for path in tests.rglob("*Test.class")
        )
        classes = [tests, self.core, self.toolchain.stdlib, *self.toolchain.test_jars]
        done = run(
            "java", "-cp", join(classes),
            f"-Dedgemat.vectors={self.repository / 'tests/vectors'}",
            f"-Dedgemat.models={self.repository / APP / 'assets/models'}",
            f"-Dedgemat.written={self.written}",
            "org.junit.runner.JUnitCore", *names,
        )  # fmt: skip
        passed = _PASSED.search(done.stdout)
        detail = f"{passed[1]} tests, against tests/vectors" if passed else done.stdout
        return Finding(title, done.returncode == 0 and passed is not None, detail)

    def read_written(self) -> Finding:
        """Read what the core's tests wrote, as `edgemat bench import` does."""
        title = "edgemat bench import reads the results that the core writes"
        try:
            results = read_results(self.written)
        except EdgematError as error:
            return Finding(title, False, str(error))
        return Finding(title, True, ", ".join(result.name for result in results))

    def time_steps(self, runs: int) -> str:
        """Return what the core's steps took on the JVM, as `tools/step_times.py` reads it.

        Raises
        ------
        ArtifactError
            When the core or the program does not compile or fails.
        """
        built = self.compile_core()
        said = None if built.ok else built.detail
        program = self.scratch / "step-times"
        if said is None:
            said = self.toolchain.kotlinc(
                f"-Xfriend-paths={self.core}", "-module-name", "core", "-d", program, STEP_TIMES,
                classpath=[self.core],
            )  # fmt: skip
        if said is None:
            classes = join([program, self.core, self.toolchain.stdlib])
            done = run("java", "-cp", classes, "dev.edgemat.core.StepTimesKt", str(runs))
            if done.returncode == 0:
                return done.stdout
            said = done.stdout
        raise ArtifactError(f"The core's steps do not run: {said}", remedy=f"Run {COMMAND}.")

    def compile_app(self) -> Finding:
        """Compile the app's sources; :meth:`tools.android.apk.Apk.link` has made R.java."""
        title = "The app's sources agree with the core, android.jar and our stubs"
        stubs = self.scratch / "stubs"
        said = self._compile_stubs(stubs)
        if said is None:
            said = self.toolchain.kotlinc(
                "-no-jdk", "-module-name", "app", "-d", self.app,
                self.repository / APP / "kotlin", self.scratch / "gen",
                classpath=[stubs, self.core, self.toolchain.android_jar],
            )  # fmt: skip
        count = len(list((self.repository / APP).rglob("*.kt")))
        detail = f"{count} files, API 23 and {STUBS.name}/; LiteRT itself was not there"
        return Finding(title, said is None, said or detail)

    def _compile_stubs(self, target: Path) -> str | None:
        sources = sorted((self.repository / STUBS).rglob("*.java"))
        done = run(
            "javac", "-nowarn", "-Xlint:-options", "--release", "8",
            "-cp", self.toolchain.android_jar, "-d", target, *sources,
        )  # fmt: skip
        if done.returncode != 0:
            return done.stdout
        return self.toolchain.kotlinc(
            "-no-jdk",
            "-module-name",
            "litert",
            "-d",
            target,
            self.repository / STUBS / "litert",
            classpath=[self.toolchain.android_jar],
        )
