"""Put a run's models where users find them: `python -m tools.ship runs/portrait portrait`.

What was shipped under the same name before is removed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHELF, SHIPPED_TARGET
from edgemat.errors import UsageError
from edgemat.terminal import run_app

app = typer.Typer(add_completion=False)


@app.command()
def main(
    run: Annotated[Path, typer.Argument(help="Folder of a run, runs/NAME.")],
    model: Annotated[str, typer.Argument(help="Name of the model in its recipe.")],
) -> None:
    """Copy the newest float and int8 artefacts of a model to edgemat/weights."""
    for path in ship(run, model):
        print(path)


def ship(run: Path, model: str) -> list[Path]:
    """Copy both artefacts; returns where they are now.

    Raises
    ------
    UsageError
        When the run has not made them.
    """
    shipped = []
    for name in (model, f"{model}-{SHIPPED_TARGET}"):
        made = sorted((run / "artifacts").glob(f"{name}@*"), key=lambda path: path.stat().st_mtime)
        if not made:
            raise UsageError(
                f"{run} has no artefact {name}.", remedy="Run its recipe first: edgemat run."
            )
        Artifact(made[-1])  # whole?
        for old in SHELF.glob(f"{name}@*"):
            shutil.rmtree(old)
        shipped.append(Path(shutil.copytree(made[-1], SHELF / made[-1].name)))
    return shipped


if __name__ == "__main__":
    sys.exit(run_app(app))
