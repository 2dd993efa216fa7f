"""Environments of other tools: which are installed here, and pretended ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.convert import isolated
from edgemat.convert.isolated import Environment


def needs(environment: Environment) -> pytest.MarkDecorator:
    """Skip a test where an environment is not installed, and say how to get it."""
    return pytest.mark.skipif(
        not (isolated.ROOT / f".venv-{environment}" / "ready").is_file(),
        reason=f"it needs an environment of its own: make {environment}",
    )


def pretend(root: Path, environment: Environment, script: str) -> None:
    """Install an environment whose Python is a shell script."""
    python = root / f".venv-{environment}" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    (root / f".venv-{environment}" / "ready").touch()
