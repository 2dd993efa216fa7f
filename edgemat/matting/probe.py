"""Strangers' .tflite files are run in a child process before they are loaded here.

LiteRT believes what a file says of itself. One that is damaged, or made to, ends the process that
loads it, without an exception that could be caught, or asks for all memory that there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from edgemat.artifacts.artifact import CONVERT_AGAIN
from edgemat.artifacts.shipped import SHELF
from edgemat.errors import ArtifactError, EdgematError
from edgemat.files import sha256_file
from edgemat.matting.runtime import TfliteModel

MEMORY_BYTES, MEMORY_PER_BYTE = 1 << 30, 4
"""Memory for running a file once, and besides for each of its bytes: phones give apps less."""
SECONDS = 60.0
REFUSED = 9
"""Exit status of the child where edgemat's own sentence says what is wrong."""
_safe: set[str] = set()


def require_safe(path: Path) -> None:
    """Load and run a file once in a child process, if it was not yet in this one's time.

    What edgemat brings is known to be safe.

    Raises
    ------
    ArtifactError
        When the child crashes, takes more than a gigabyte or a minute, or refuses the file.
    """
    if SHELF in path.resolve().parents or not os.path.isfile(path):  # the latter is said elsewhere
        return
    content = sha256_file(path)
    if content not in _safe:
        _run_in_child(path)
        _safe.add(content)


def _run_in_child(path: Path) -> None:
    command = [sys.executable, "-m", "edgemat.matting.probe", str(path)]
    # each thread of numpy's BLAS would take memory of its own
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{path} takes more than {SECONDS:.0f} s to be run once.",
            remedy="Take a smaller network, or convert it again.",
        ) from error
    if done.returncode == REFUSED:
        message, _, remedy = done.stdout.decode(errors="replace").rstrip("\n").partition("\n")
        raise ArtifactError(message, remedy=remedy)
    if done.returncode:
        raise ArtifactError(
            f"{path} makes the LiteRT runtime crash, or takes more than a gigabyte of memory.",
            remedy=CONVERT_AGAIN,
        )


def main(path: str) -> int:
    """Load a file and run it once on nothing; returns the exit status."""
    _limit_memory(MEMORY_BYTES + MEMORY_PER_BYTE * Path(path).stat().st_size)
    try:
        model = TfliteModel(Path(path))
        model.run(np.zeros(model.input_shape, np.float32))
    except EdgematError as error:
        sys.stdout.write(f"{error.message}\n{error.remedy}\n")
        return REFUSED
    return 0


def _limit_memory(limit: int) -> None:
    if sys.platform != "linux":  # elsewhere the limit does not hold, or is not there
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
