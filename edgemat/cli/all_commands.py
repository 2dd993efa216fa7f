"""The command line with every command, for help, documentation and tests."""

from __future__ import annotations

from edgemat.cli.commands import build_app

app = build_app()
