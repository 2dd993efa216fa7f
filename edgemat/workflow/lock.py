"""A folder in which one process at a time works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgemat.lock import hold_lock

LOCK = ".lock"


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
    with hold_lock(folder / LOCK, at_work=f"in {folder}"):
        yield
