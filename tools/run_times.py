"""What each step of a run took: `python -m tools.run_times runs/quickstart`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edgemat.errors import UsageError
from edgemat.terminal import AsJson, out, print_json, run_app


@dataclass(frozen=True)
class StepSeconds:
    """A step that is done, and how long it took."""

    title: str
    seconds: float


app = typer.Typer(add_completion=False)


@app.command()
def main(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")], as_json: AsJson = False
) -> None:
    """Print a table of the steps of a run, in the order in which they ended."""
    steps = step_seconds(run)
    total = sum(step.seconds for step in steps)
    if as_json:
        print_json({"steps": [vars(step) for step in steps], "seconds": total})
        return
    lines = ["| step | seconds | share |", "|---|---|---|"]
    for one in steps:
        share = one.seconds / total if total else 0.0
        lines.append(f"| {one.title} | {one.seconds:.1f} | {share:.1%} |")
    lines.append(f"| all | {total:.1f} | |")
    out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def step_seconds(run: Path) -> list[StepSeconds]:
    """Return the steps that a run's folder tells the time of, in the order in which they ended.

    Raises
    ------
    UsageError
        When it tells of none: no run's folder, or one of an edgemat that did not yet write it.
    """
    records = sorted((run / "stages").glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    try:
        kept = [json.loads(file.read_bytes()) for file in records]
        steps = [StepSeconds(one["title"], one["seconds"]) for one in kept if "seconds" in one]
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"A record in {run / 'stages'} is damaged.",
            remedy="`edgemat run` says which, and does that step anew.",
        ) from error
    if not steps:
        raise UsageError(
            f"{run} does not tell how long its steps took.",
            remedy="Give the folder that `edgemat run` wrote, such as runs/quickstart.",
        )
    return steps


if __name__ == "__main__":
    sys.exit(run_app(app))
