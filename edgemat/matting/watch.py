"""A folder that is watched: what comes into it is cut out when it has been written to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edgemat.matting.batch import Batch, Outcome
from edgemat.matting.jobs import Job

PAUSE_S = 1.0

Glance = tuple[int, int]


def watch(
    batch: Batch,
    plan: Callable[[], list[Job]],
    *,
    pause_s: float = PAUSE_S,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Yield what became of each file that comes; what is there already is done first.

    A file is taken when its size and time stay the same for a pause. One that failed is tried again
    when it changes, or when another no longer stands in its way.

    Parameters
    ----------
    plan:
        Returns the jobs of what is there now.
    is_over:
        Asked before every pause.
    """
    before: dict[Path, Glance] = {}
    failed: dict[Path, tuple[Glance, str]] = {}
    while not is_over():
        now = {job: glance for job in plan() if (glance := _glance(job.source)) is not None}
        ready = [
            job
            for job, glance in now.items()
            if before.get(job.source) == glance
            and failed.get(job.source) != (glance, str(job.problem))
            and not batch.is_done(job)
        ]
        told = {job: str(job.problem) for job in ready}  # who shows an error adds to its words
        for outcome in batch.run(ready):
            if outcome.error is not None:
                failed[outcome.job.source] = now[outcome.job], told[outcome.job]
            yield outcome
        before = {job.source: glance for job, glance in now.items()}
        time.sleep(pause_s)


def _glance(path: Path) -> Glance | None:
    """Return size and time of a file, or None where it is gone."""
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    return told.st_size, told.st_mtime_ns
