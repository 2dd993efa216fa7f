"""Many pictures and videos, one after the other or several at once; none stops the others."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from edgemat.errors import DiskError, EdgematError, ImageError, MissingToolError
from edgemat.matting.cutting import Cutter
from edgemat.matting.jobs import Job
from edgemat.matting.made import Made
from edgemat.matting.pictures import PictureSink, cut_picture
from edgemat.matting.video.cut import cut_video
from edgemat.spread import lost, spread

Advance = Callable[[float], None]
"""Called with the files that are done, also in parts of one."""


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    skipped:
        The result was there already.
    error:
        Why there is no result.
    asked_model:
        Whether a model has a part in it: none where a trimap or a mask leaves nothing open.
    """

    job: Job
    skipped: bool = False
    error: EdgematError | None = None
    asked_model: bool = True


@dataclass(frozen=True)
class Batch:
    """How files are cut out.

    Attributes
    ----------
    smoothing:
        Of videos; see :class:`~edgemat.matting.smoothing.Smoother`.
    settings:
        What else a video's result depends on, by name: with others it is begun anew.
    workers:
        Files at once.
    overwrite:
        Do what is there already again.
    ray:
        The cluster that does it; see :func:`edgemat.spread.spread`.
    made:
        The notes of the folder that results go to; None for a single file.
    """

    cutter: Cutter
    smoothing: float
    settings: dict[str, str]
    workers: int = 1
    overwrite: bool = False
    ray: str | None = None
    made: Made | None = None

    def is_done(self, job: Job) -> bool:
        """Return whether a result is there, new enough and made in the same way."""
        if job.problem is not None:  # another file's result may have its name
            return False
        return job.is_done and not (self.made is not None and self.made.otherwise(job.target))

    def run(self, jobs: Sequence[Job], progress: Advance = lambda done: None) -> Iterator[Outcome]:
        """Do all jobs and yield what became of each, as they end.

        A file that cannot be read, that has a problem, or whose matte fails, is an outcome.

        Raises
        ------
        DiskError
            A result cannot be written. It ends all.
        MissingToolError
            A package is not installed, or no cluster answers. It ends all.
        """
        for outcome in self._outcomes(jobs, progress):
            if self.made is not None and outcome.error is None and not outcome.skipped:
                self.made.note(outcome.job.target)
            yield outcome

    def _outcomes(self, jobs: Sequence[Job], progress: Advance) -> Iterator[Outcome]:
        if self.ray is not None:
            yield from self._on_cluster(jobs, self.ray, progress)
            return
        counter = _Counter(progress)

        def work(job: Job) -> Outcome:
            try:
                return self._do(job, lambda share: counter.set(job, share))
            finally:
                counter.set(job, 1.0)

        if self.workers == 1:  # in this thread, which Ctrl-C reaches at once
            yield from map(work, jobs)
        else:
            yield from _in_threads(work, jobs, self.workers)

    def _on_cluster(self, jobs: Sequence[Job], ray: str, progress: Advance) -> Iterator[Outcome]:
        # what is there is told apart here: a worker may die between writing and saying so
        there = {job for job in jobs if self.is_done(job) and not self.overwrite}
        yield from (Outcome(job, skipped=True) for job in jobs if job in there)
        left = [job for job in jobs if job not in there]
        work = partial(replace(self, overwrite=True)._do, progress=_shown_nowhere)
        found = spread(work, left, workers=self.workers, ray=ray)
        with contextlib.closing(found):
            for done, (number, outcome) in enumerate(found, start=len(there) + 1):
                progress(done)
                job = left[number]
                yield outcome or Outcome(job, error=lost(str(job.source)))

    def _do(self, job: Job, progress: Advance) -> Outcome:
        if job.problem is not None:
            return Outcome(job, error=job.problem)
        try:
            if self.is_done(job) and not self.overwrite:
                return Outcome(job, skipped=True)
            if job.is_video:
                cut_video(
                    job.source,
                    job.target,
                    self.cutter,
                    smoothing=self.smoothing,
                    settings=self.settings,
                    progress=progress,
                )
            else:
                sink = PictureSink(job.target, job.trimap_out)
                asked = cut_picture(
                    job.source,
                    sink,
                    self.cutter,
                    trimap=job.trimap,
                    mask=job.mask,
                    progress=progress,
                )
                return Outcome(job, asked_model=asked)
        except (DiskError, MissingToolError):
            raise
        except EdgematError as error:
            return Outcome(job, error=error)
        except MemoryError:
            large = ImageError("There is not enough memory for it.", remedy="Scale it down first.")
            return Outcome(job, error=large)
        return Outcome(job)


def _shown_nowhere(done: float) -> None:
    """Of a worker elsewhere, what is done of a file is not told."""


def _in_threads(
    work: Callable[[Job], Outcome], jobs: Iterable[Job], workers: int
) -> Iterator[Outcome]:
    """Yield outcomes as they come; what is not begun is dropped when something is raised."""
    waiting = iter(jobs)
    pool = ThreadPoolExecutor(workers)
    try:
        running: set[Future[Outcome]] = set()
        while True:
            more = islice(waiting, workers + 1 - len(running))
            running |= {pool.submit(work, job) for job in more}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Counter:
    """Adds up how much of each job is done, for one bar."""

    def __init__(self, progress: Advance) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._shares: dict[Job, float] = {}
        self._sum = 0.0

    def set(self, job: Job, share: float) -> None:
        """Say how much of a job is done."""
        with self._lock:
            self._sum += share - self._shares.get(job, 0.0)
            self._shares[job] = share
            self._progress(self._sum)
