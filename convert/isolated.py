"""Tools whose packages cannot lie beside edgemat's: each runs in an environment of its own.

``make onnx2tf`` and ``make old-runtime`` install them beside the sources, in the versions that
``convert/onnx2tf.txt`` and ``convert/old-runtime.txt`` pin.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from edgemat.errors import MissingToolError

Environment = Literal["onnx2tf", "old-runtime"]

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 3600
# The first line of what a Python exception says, or of what onnx2tf prints in its place.
_TELLING = re.compile(r"(\w+\.)*\w*(Error|Exception|ERROR)\b.*")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def find_python(environment: Environment) -> Path:
    """Return the Python of an environment.

    Raises
    ------
    MissingToolError
        When the environment is not installed, or only in part.
    """
    folder = ROOT / f".venv-{environment}"
    if not (folder / "ready").is_file():
        raise MissingToolError(
            f"The environment {folder.name} is not installed.",
            remedy=f"Run, in edgemat's source folder: make {environment}",
        )
    return folder / "bin" / "python"


def run_isolated(
    environment: Environment, arguments: Sequence[str], *, cwd: Path, timeout_s: float = TIMEOUT_S
) -> str | None:
    """Run Python in an environment; return None where it succeeded, else why not, in one line.

    Parameters
    ----------
    arguments:
        Of Python. It sees neither the caller's PYTHONPATH nor `cwd` on its path.

    Raises
    ------
    MissingToolError
        When the environment is not installed.
    """
    command = [str(find_python(environment)), "-I", *arguments]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=os.environ | quiet,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {timeout_s:g} s"
    return None if done.returncode == 0 else explain_failure(done.returncode, done.stdout)


def explain_failure(status: int, said: str) -> str:
    """Return the line of a failed process' output that says most."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    lines = [line.strip() for line in _COLOURS.sub("", said).splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.match(line)]
    return (telling or lines or [f"exit status {status}"])[-1]
