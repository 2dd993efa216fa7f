"""The command line: `main` is what `edgemat` calls, `app` has all commands."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

INTERRUPTED = 130  # as in edgemat.terminal, whose import takes long
WHEN_INTERRUPTED = "Interrupted. What was finished is kept: the same command resumes from there."


def __getattr__(name: str) -> Any:
    if name == "app":
        from edgemat.cli.all_commands import app

        return app
    raise AttributeError(f"module 'edgemat.cli' has no attribute {name!r}")


def main() -> None:
    """Run the command line; a package that is not installed is an error like any other."""
    # Nothing is begun yet: while modules are imported, Ctrl-C ends the process at once.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, _leave)
    from edgemat.cli.commands import build_app
    from edgemat.terminal import run_app, show_error

    try:
        app = build_app(*sys.argv[1:2])
        if heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = run_app(app, interrupted=WHEN_INTERRUPTED)
    except ImportError as error:
        from edgemat.doctor import explain_missing

        missing = explain_missing(error)
        show_error(missing)
        status = missing.exit_code
    sys.exit(status)


def _leave(*_: object) -> None:
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)
