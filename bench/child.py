"""Work that is measured in a process of its own, so that its peak of memory is its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from edgemat.errors import MissingToolError


def run_child(
    module: str, task: dict[str, Any], *, measures: str, timeout_s: float, remedy: str
) -> Any:
    """Run ``python -m MODULE TASK`` and return the last line that it prints, a value in JSON.

    Parameters
    ----------
    measures, remedy:
        What is measured, and what to do when that fails, for the message.
    timeout_s:
        Seconds after which the process is ended.

    Raises
    ------
    MissingToolError
        When the process dies, for example for lack of memory, or takes too long.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, json.dumps(task)],
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingToolError(
            f"The process that measures {measures} took more than {timeout_s:g} s.", remedy=remedy
        ) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        reason = lines[-1] if lines else f"exit status {error.returncode}"
        raise MissingToolError(
            f"The process that measures {measures} failed: {reason}.", remedy=remedy
        ) from error
    return json.loads(done.stdout.splitlines()[-1])
