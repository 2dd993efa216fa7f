"""`edgemat run` and `edgemat train`: do what a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import DeviceOption, OutputOption, show_artifacts
from edgemat.errors import GateFailed
from edgemat.terminal import AsJson, out, print_json

Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE of the recipe, such as models.0.train.steps=10."),
]


def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/quickstart.toml.")],
    output: OutputOption = None,
    device: DeviceOption = "auto",
    changes: Changes = None,
    as_json: AsJson = False,
) -> int:
    """Do all that a recipe says: train, quantize, convert, verify, measure, judge, report."""
    from edgemat.workflow.api.recipes import run as run_recipe

    result = run_recipe(recipe, output=output, device=device, changes=changes or ())
    if as_json:
        print_json(
            {
                "report": str(result.report.resolve()),
                "artifacts": [str(path) for path in result.artifacts],
                "did_nothing": result.did_nothing,
                "gates": [
                    {"model": r.model, "file": r.file, "scope": r.scope} | r.verdict.to_json()
                    for r in result.gates
                ],
            }
        )
    else:
        tables.show_run(out, result)
    return GateFailed.exit_code if result.failed else 0


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe.")],
    output: OutputOption = None,
    device: DeviceOption = "auto",
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """Train the networks of a recipe, and nothing else."""
    from edgemat.workflow.api.recipes import train as train_recipe

    trained = train_recipe(recipe, output=output, device=device, changes=changes or ())
    show_artifacts(trained, as_json)
