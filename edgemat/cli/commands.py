"""The table of all commands. Each imports what it needs when it runs: `--help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from edgemat.cli import (
    artifacts,
    comparing,
    compressing,
    costs,
    data,
    evaluating,
    experiments,
    importing,
    inventory,
    measuring,
    own,
    peers,
    photo,
    quality,
    recipes,
    serving,
)

app = typer.Typer(
    name="edgemat",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib import metadata

        typer.echo(f"edgemat {metadata.version('edgemat')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Which edgemat."),
    ] = False,
) -> None:
    """Image matting on phones: train, quantize, convert, prove, measure."""


for command in (
    photo.matte,
    own.adopt,
    own.check,
    serving.serve,
    artifacts.export,
    recipes.run,
    recipes.train,
    evaluating.evaluate,
    compressing.prune,
    compressing.sensitivity,
    compressing.quantize,
    artifacts.convert,
    artifacts.verify,
    measuring.bench,
    costs.memory,
    costs.throughput,
    measuring.devices,
    measuring.history,
    measuring.report,
    measuring.compare,
    measuring.gate,
    comparing.frontier,
    comparing.roofline,
    comparing.opinions,
    quality.quality,
    quality.bias,
    quality.flicker,
    artifacts.card,
    inventory.models,
    inventory.doctor,
):
    app.command()(command)
app.command("import")(importing.import_)
app.add_typer(data.app, name="data")
app.add_typer(experiments.app, name="experiments")
app.add_typer(peers.app, name="peers")
