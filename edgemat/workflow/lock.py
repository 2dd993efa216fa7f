"""A folder in which one process at a time works."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edgemat.errors import UsageError
from edgemat.files import explain_os_errors

LOCK = ".lock"
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def work_alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made; the system frees it when the process ends.

    Raises
    ------
    UsageError
        When another process holds it.
    DiskError
        When nothing can be written there.
    """
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("ab")
    with file:
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _TAKEN:
                raise UsageError(
                    f"Another process is at work in {folder}.",
                    remedy="Wait until it has finished, or give another --output.",
                ) from error
            # a file system without locks: then nobody can be told
        yield


def _lock(file: BinaryIO) -> None:
    """Take the lock or raise OSError at once. A forked child does not keep it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
