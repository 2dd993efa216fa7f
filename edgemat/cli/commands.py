"""The table of all commands. Each imports what it needs when it runs: `--help` answers at once."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

# Not a string, which the readers of imports would take for a module that is loaded here.
PROGRAM = __name__.partition(".")[0]

# In the order of `--help`: the module, and the function, which names the command.
_COMMANDS = (
    ("edgemat.cli.photo", "matte"),
    ("edgemat.cli.own", "adopt"),
    ("edgemat.cli.own", "check"),
    ("edgemat.cli.serving", "serve"),
    ("edgemat.cli.artifacts", "export"),
    ("edgemat.cli.recipes", "run"),
    ("edgemat.cli.recipes", "train"),
    ("edgemat.cli.evaluating", "evaluate"),
    ("edgemat.cli.compressing", "prune"),
    ("edgemat.cli.compressing", "sensitivity"),
    ("edgemat.cli.compressing", "quantize"),
    ("edgemat.cli.artifacts", "convert"),
    ("edgemat.cli.artifacts", "verify"),
    ("edgemat.cli.measuring", "bench"),
    ("edgemat.cli.costs", "memory"),
    ("edgemat.cli.costs", "throughput"),
    ("edgemat.cli.measuring", "devices"),
    ("edgemat.cli.measuring", "history"),
    ("edgemat.cli.measuring", "report"),
    ("edgemat.cli.measuring", "compare"),
    ("edgemat.cli.measuring", "gate"),
    ("edgemat.cli.comparing", "frontier"),
    ("edgemat.cli.comparing", "roofline"),
    ("edgemat.cli.comparing", "opinions"),
    ("edgemat.cli.quality", "quality"),
    ("edgemat.cli.quality", "bias"),
    ("edgemat.cli.quality", "flicker"),
    ("edgemat.cli.artifacts", "card"),
    ("edgemat.cli.inventory", "models"),
    ("edgemat.cli.inventory", "doctor"),
    ("edgemat.cli.importing", "import_"),
)
# Group of commands, to the module whose `app` it is.
_GROUPS = {
    "data": "edgemat.cli.data",
    "experiments": "edgemat.cli.experiments",
    "peers": "edgemat.cli.peers",
}


def build_app(word: str | None = None) -> typer.Typer:
    """Return the command line.

    Parameters
    ----------
    word:
        The first word of what was typed. Where it is a command's name, that command alone is built,
        since typer takes longer for all of them than `edgemat matte` for a small photograph.
    """
    app = typer.Typer(name=PROGRAM, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(main)
    named = {function.strip("_"): (module, function) for module, function in _COMMANDS}
    known = word in named or word in _GROUPS
    for name, (module, function) in named.items():
        if not known or name == word:
            app.command(name)(getattr(importlib.import_module(module), function))
    for name, module in _GROUPS.items():
        if not known or name == word:
            app.add_typer(importlib.import_module(module).app, name=name)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib import metadata

        typer.echo(f"{PROGRAM} {metadata.version(PROGRAM)}")
        raise typer.Exit


def main(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Which edgemat."),
    ] = False,
) -> None:
    """Image matting on phones: train, quantize, convert, prove, measure."""
