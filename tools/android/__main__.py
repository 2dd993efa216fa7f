"""`python -m tools.android check` and `... time`: what can be checked of the Android app here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edgemat.errors import GateFailed
from edgemat.terminal import out, run_app
from tools.android import gradle, install, resources, texts
from tools.android.apk import Apk
from tools.android.kotlin import Build
from tools.android.toolchain import (
    COMMAND,
    DOWNLOAD,
    KotlinToolchain,
    fetch_toolchain,
    find_toolchain,
    java_version,
    missing,
)
from tools.finding import Finding, check_all, say
from tools.step_times import Program, time_command

REPOSITORY = Path(__file__).parents[2]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def check(
    if_there: Annotated[
        bool, typer.Option("--if-there", help="Skip what needs Kotlin where there is none.")
    ] = False,
) -> int:
    """Check texts, resources, Gradle files, core, app and APK; fetch Kotlin where there is none."""
    ok = check_all(
        lambda: texts.check_texts(REPOSITORY),
        lambda: resources.check_resources(REPOSITORY),
        lambda: gradle.check_gradle(REPOSITORY),
    )
    toolchain = find_toolchain() if if_there else fetch_toolchain(out.print)
    if toolchain is None:
        say(
            f"skipped the core's tests, the app's types and the APK: {missing()} is missing here "
            f"({COMMAND} fetches all but a JDK, {DOWNLOAD})"
        )
    else:
        ok &= _build(toolchain)
    say("Nothing of this ran on a phone, on Android's runtime, in Gradle or with LiteRT.")
    return 0 if ok else GateFailed.exit_code


@app.command()
def toolchain() -> None:
    """Fetch Kotlin and Android's tools where they are not there, and say where they are."""
    found = fetch_toolchain(out.print)
    say(f"{found.kotlin}\n{found.debian}")


@contextmanager
def _step_times() -> Iterator[Program]:
    found = fetch_toolchain(out.print)
    with _builder(found) as build:
        yield build.time_steps, f"Kotlin, JDK {java_version()}"


app.command("time")(time_command("android", _step_times))


@contextmanager
def _builder(toolchain: KotlinToolchain) -> Iterator[Build]:
    with tempfile.TemporaryDirectory(prefix="edgemat-android-") as scratch:
        yield Build(toolchain, REPOSITORY, Path(scratch))


def _build(toolchain: KotlinToolchain) -> bool:
    """Report what builds; a step that fails ends it, as the next ones need what it makes."""
    with _builder(toolchain) as build:
        apk = Apk(build)
        steps: tuple[Callable[[], Finding], ...] = (
            build.compile_core,
            build.test_core,
            build.read_written,
            apk.link,
            build.compile_app,
            apk.pack,
            apk.check,
            lambda: install.install_or_skip(apk),
        )
        return all(check_all(step) for step in steps)


if __name__ == "__main__":
    raise SystemExit(run_app(app))
