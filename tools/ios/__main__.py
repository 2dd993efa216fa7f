"""`python -m tools.ios check` and `... time`: what can be checked of the iOS app here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edgemat.errors import GateFailed
from edgemat.terminal import out, run_app
from tools.finding import check_all, say
from tools.ios import project, swift, texts
from tools.ios.toolchain import DOWNLOAD, fetch_toolchain, find_toolchain
from tools.step_times import Program, time_command

REPOSITORY = Path(__file__).parents[2]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def check(
    if_there: Annotated[
        bool, typer.Option("--if-there", help="Skip what needs Swift where there is none.")
    ] = False,
) -> int:
    """Check core, app, project and texts; fetch Swift where there is none."""
    ok = check_all(
        lambda: texts.check_texts(REPOSITORY),
        lambda: project.check_resources(REPOSITORY),
        lambda: project.check_project(REPOSITORY),
    )
    toolchain = find_toolchain() if if_there else fetch_toolchain(out.print)
    if toolchain is None:
        say(
            "skipped MattingCore's tests and the app's types: there is no Swift here "
            f"(make ios-check fetches it, {DOWNLOAD})"
        )
    else:
        ok &= check_all(
            lambda: swift.check_format(toolchain, REPOSITORY),
            lambda: swift.test_core(toolchain, REPOSITORY),
            lambda: swift.check_types(toolchain, REPOSITORY),
        )
    say("Nothing of this ran on a phone, in a simulator or in Xcode.")
    return 0 if ok else GateFailed.exit_code


@app.command()
def toolchain() -> None:
    """Fetch Swift where there is none, and say which it is."""
    found = fetch_toolchain(out.print)
    version = found.run(REPOSITORY, "swift", "--version").stdout
    say(version.strip())


@contextmanager
def _step_times() -> Iterator[Program]:
    found = fetch_toolchain(out.print)
    yield swift.build_step_times(found, REPOSITORY), swift.version(found, REPOSITORY)


app.command("time")(time_command("ios", _step_times))


if __name__ == "__main__":
    raise SystemExit(run_app(app))
