"""The command line. Every command imports what it needs when it runs: `--help` answers at once."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from edgemat import tables
from edgemat.cli import artifacts, data, machine, photo, recipes
from edgemat.cli.common import err
from edgemat.errors import EdgematError

INTERRUPTED = 130

app = typer.Typer(
    name="edgemat",
    help="Image matting on phones: train, quantize, convert, prove, measure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    photo.matte,
    artifacts.export,
    recipes.run,
    recipes.train,
    artifacts.evaluate,
    artifacts.quantize,
    artifacts.convert,
    artifacts.verify,
    artifacts.gate,
    machine.bench,
    machine.quality,
    machine.bias,
    artifacts.card,
    machine.models,
    machine.doctor,
):
    app.command()(command)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line; every error is a sentence and an exit status, never a traceback."""
    try:
        status = app(standalone_mode=False)
    except EdgematError as error:
        _fail(error)
    except ImportError as error:
        from edgemat.doctor import explain_missing

        _fail(explain_missing(error))
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:
        # typer's own usage errors know how to show themselves; anything else is a bug of ours
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()
        sys.exit(error.exit_code)
    if status == INTERRUPTED:  # so does typer hand a KeyboardInterrupt on
        err.print("Interrupted. What was finished is kept: the same command goes on from there.")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(error: EdgematError) -> NoReturn:
    err.print(f"[red]Error:[/red] {tables.plain(error.message)}", highlight=False, soft_wrap=True)
    if error.remedy:
        err.print(tables.plain(error.remedy), highlight=False, soft_wrap=True)
    sys.exit(error.exit_code)
