"""Shared by all command lines: consoles, `--json`, and errors as a sentence and an exit status.

Below all command lines (edgemat's and the tools'), and light: `--help` loads it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from edgemat.errors import EdgematError, EdgematWarning
from edgemat.files import explained

INTERRUPTED = 130  # the exit status that shells know for Ctrl-C

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]


def run_app(
    app: typer.Typer, arguments: Sequence[str] | None = None, *, interrupted: str = ""
) -> int:
    """Run a command line; every error of a user is a sentence on stderr, never a traceback.

    Parameters
    ----------
    arguments:
        Words after the program's name; by default those of this process.
    interrupted:
        What to say after Ctrl-C.

    Returns
    -------
    int
        The exit status: what the command returned, 0 when that is None, an error's ``exit_code``,
        or 130 after Ctrl-C.
    """
    try:
        with _notes_shown():
            status = app(arguments, standalone_mode=False)
    except EdgematError as error:
        show_error(error)
        return error.exit_code
    except OSError as error:  # a path that the system refuses
        refused = explained(error)
        show_error(refused)
        return refused.exit_code
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:
        # typer's own usage errors know how to show themselves; anything else is a bug of edgemat
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()
        return int(error.exit_code)
    if status == INTERRUPTED and interrupted:  # so does typer hand a KeyboardInterrupt on
        err.print(interrupted)
    return status if isinstance(status, int) else 0


@contextlib.contextmanager
def _notes_shown() -> Iterator[None]:
    """Print what edgemat warns of as a line on stderr, once each; other warnings as Python does."""
    usual = warnings.showwarning
    shown: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, EdgematWarning):
            usual(message, category, *place, **more)
        elif str(message) not in shown:
            shown.add(str(message))
            err.print(
                f"[yellow]Note:[/yellow] {plain(str(message))}", highlight=False, soft_wrap=True
            )

    with warnings.catch_warnings():
        warnings.simplefilter("always", EdgematWarning)
        warnings.showwarning = show
        yield


def show_error(error: EdgematError) -> None:
    """Print what is wrong, and on a line of its own what to do about it, to stderr."""
    err.print(f"[red]Error:[/red] {plain(error.message)}", highlight=False, soft_wrap=True)
    if error.remedy:
        err.print(plain(error.remedy), highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """Escape rich's markup: paths may hold brackets."""
    return text.replace("[", r"\[")


def print_json(value: Any) -> None:
    """Write one JSON value to stdout."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True) + "\n")
