"""`python -m tools.ios check`: all that can be checked of the iOS app here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgemat.errors import GateFailed
from edgemat.terminal import out, run_app
from tools.finding import Finding
from tools.ios import project, swift, texts
from tools.ios.toolchain import DOWNLOAD, fetch_toolchain, find_toolchain

REPOSITORY = Path(__file__).parents[2]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def check(
    if_there: Annotated[
        bool, typer.Option("--if-there", help="Skip what needs Swift where there is none.")
    ] = False,
) -> int:
    """Check core, app, project and texts; fetch Swift where there is none."""
    steps: list[Callable[[], Finding]] = [
        lambda: texts.check_texts(REPOSITORY),
        lambda: project.check_resources(REPOSITORY),
        lambda: project.check_project(REPOSITORY),
    ]
    toolchain = find_toolchain() if if_there else fetch_toolchain(out.print)
    if toolchain is not None:
        steps += [
            lambda: swift.check_format(toolchain, REPOSITORY),
            lambda: swift.test_core(toolchain, REPOSITORY),
            lambda: swift.check_types(toolchain, REPOSITORY),
        ]
    failed = False
    for step in steps:
        finding = step()
        failed |= not finding.ok
        out.print(finding.text, markup=False, highlight=False, soft_wrap=True)
    if toolchain is None:
        out.print(
            f"skipped MattingCore's tests and the app's types: there is no Swift here "
            f"(make ios-check fetches it, {DOWNLOAD})"
        )
    out.print("Nothing of this ran on a phone, in a simulator or in Xcode.")
    return GateFailed.exit_code if failed else 0


@app.command()
def toolchain() -> None:
    """Fetch Swift where there is none, and say which it is."""
    found = fetch_toolchain(out.print)
    version = found.run(REPOSITORY, "swift", "--version").stdout
    out.print(version.strip(), markup=False)


if __name__ == "__main__":
    raise SystemExit(run_app(app))
