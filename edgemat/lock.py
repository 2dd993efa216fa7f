"""Locks: what one process at a time works on."""

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
    """Hold the lock of a folder, which is made; raises as :func:`hold_lock`."""
    with hold_lock(folder / LOCK, at_work=f"in {folder}"):
        yield


@contextmanager
def hold_file(path: Path) -> Iterator[None]:
    """Hold the lock of a file that is replaced as a whole: a hidden one beside it, `.NAME.lock`.

    Raises as :func:`hold_lock`.
    """
    with hold_lock(path.with_name(f".{path.name}.lock"), at_work=f"on {path}"):
        yield


@contextmanager
def hold_lock(lock: Path, *, at_work: str) -> Iterator[None]:
    """Hold a lock, a file that is made and stays; the system frees it when the process ends.

    Parameters
    ----------
    at_work:
        Where, for the message: "in FOLDER".

    Raises
    ------
    UsageError
        When another process holds it.
    DiskError
        When nothing can be written there.
    """
    with explain_os_errors(lock.parent):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("ab")
    with file:
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _TAKEN:
                raise UsageError(
                    f"Another process is at work {at_work}.",
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
