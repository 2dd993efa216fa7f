"""Peak memory of work that is done in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from edgemat.errors import MissingToolError

TIMEOUT_S = 600


def run_child(module: str, task: dict[str, Any], *, name: str, remedy: str) -> Any:
    """Run ``python -m MODULE TASK`` and return the last line that it prints, a value in JSON.

    Parameters
    ----------
    name, remedy:
        Of what is measured, and what to do when it fails, for the message.

    Raises
    ------
    MissingToolError
        When the process dies, for example for lack of memory.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, json.dumps(task)],
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        lines = str(error.stderr or "").strip().splitlines()
        reason = lines[-1] if lines else type(error).__name__
        raise MissingToolError(
            f"The process that measures the memory of {name} failed: {reason}.", remedy=remedy
        ) from error
    return json.loads(done.stdout.splitlines()[-1])
