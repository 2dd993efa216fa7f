"""What is to be cut out, and into which files: checked before any work begins."""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgemat.errors import EdgematError, UsageError
from edgemat.files import shorten
from edgemat.images import check_image_name
from edgemat.matting.video.formats import check_video_name, is_video

PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".bmp", ".gif", ".ppm"),
    *(".heic", ".heif", ".jxl"),
)
"""Of files in a folder that are taken for pictures; others are passed over."""


@dataclass(frozen=True)
class Job:
    """A picture or a video, and where its result goes.

    Attributes
    ----------
    trimap, mask:
        Of the picture, if one is given.
    trimap_out:
        Where the trimap that the matte suggests is written.
    problem:
        Why nothing is done about it: what is wrong with this file alone stops no other.
    """

    source: Path
    target: Path
    trimap: Path | None = None
    mask: Path | None = None
    trimap_out: Path | None = None
    problem: EdgematError | None = field(default=None, compare=False)

    @property
    def is_video(self) -> bool:
        """True where the source's name is that of a video."""
        return is_video(self.source)

    @property
    def written(self) -> list[Path]:
        """The files that are written."""
        return [path for path in (self.target, self.trimap_out) if path is not None]

    @property
    def read(self) -> list[Path]:
        """The files that are read."""
        return [path for path in (self.source, self.trimap, self.mask) if path is not None]

    @property
    def is_done(self) -> bool:
        """True where the result is there, however made, and not older than what it is made of."""
        if not all(path.is_file() for path in (*self.written, *self.read)):
            return False
        changed = max(path.stat().st_mtime for path in self.read)
        return all(path.stat().st_mtime >= changed for path in self.written)


@dataclass(frozen=True)
class Naming:
    """How results are called.

    Attributes
    ----------
    output:
        The file, or for several sources the folder.
    suffix:
        Of pictures in that folder.
    transparent:
        Results have an alpha channel.
    trimap, mask, trimap_out:
        Files for one picture, folders with files of the same names for several.
    """

    output: Path
    suffix: str = ".png"
    transparent: bool = True
    trimap: Path | None = None
    mask: Path | None = None
    trimap_out: Path | None = None


def is_one(jobs: Sequence[Job], naming: Naming) -> bool:
    """Return whether what is written is one file, and not a folder of them."""
    return len(jobs) == 1 and jobs[0].target == naming.output


def plan(sources: Sequence[Path], naming: Naming, *, may_be_empty: bool = False) -> list[Job]:
    """Return a job for each file that the sources name.

    Parameters
    ----------
    sources:
        Files, folders (with those within) and patterns. Names below a folder are kept.
    may_be_empty:
        Nothing that can be cut out may be there yet.

    Returns
    -------
    list of Job
        Those of files whose results would have one name, and of videos with a trimap or a mask,
        have a `problem`.

    Raises
    ------
    UsageError
        Nothing is found, every job has a problem, a result's name is impossible, or that of a file
        that is read.
    """
    if len(sources) == 1 and _is_one_file(sources[0]) and not naming.output.is_dir():
        partners = naming.trimap, naming.mask, naming.trimap_out
        jobs = [Job(sources[0], naming.output, *partners)]
    else:
        found = _found(sources, naming.output)
        if not found and not may_be_empty:
            raise UsageError(
                f"There are no pictures in {shorten(sources[0])}.",
                remedy=f"Those count whose names end in {', '.join(PICTURE_SUFFIXES)}.",
            )
        jobs = [_in_folder(file, name, naming) for file, name in found]
    jobs = _told_apart([_checked(job, transparent=naming.transparent) for job in jobs])
    problems = [job.problem for job in jobs if job.problem is not None]
    if problems and len(problems) == len(jobs) and not may_be_empty:
        raise problems[0]
    return jobs


def _told_apart(jobs: Sequence[Job]) -> list[Job]:
    """Refuse results that would replace what is read; who would replace each other has a problem.

    None of the latter is done, so that which of them a result is of depends on no order.
    """
    read = {path.resolve() for job in jobs for path in job.read}
    writers: defaultdict[Path, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.problem is not None:  # it writes nothing
            continue
        for path in job.written:
            if path.resolve() in read:
                raise UsageError(
                    f"{path} would be written over, and it is read.",
                    remedy="Give -o or --trimap-out another name or folder.",
                )
            writers[path].append(job)
        if job.target == job.trimap_out:
            raise UsageError(
                f"{job.target} would be the result and its trimap.",
                remedy="Give --trimap-out another name or folder.",
            )
    return [replace(job, problem=job.problem or _clash(job, writers)) for job in jobs]


def _clash(job: Job, writers: defaultdict[Path, list[Job]]) -> UsageError | None:
    """Return what is wrong where a job is not the only writer of its files."""
    for path in job.written:
        for other in writers[path]:
            if other != job:
                return UsageError(
                    f"{job.source} and {other.source} would both become {path}.",
                    remedy="Rename one of them, or give their folders one by one.",
                )
    return None


def _found(sources: Sequence[Path], output: Path) -> list[tuple[Path, Path]]:
    """Return all files with the names that they keep."""
    if output.exists() and not output.is_dir():
        raise UsageError(
            f"{output} is a file, and several results go into a folder.",
            remedy="Give -o another name.",
        )
    return list(dict.fromkeys(pair for source in sources for pair in _expand(source, output)))


def _expand(source: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    if source.is_dir():
        if output.resolve() == source.resolve():
            raise UsageError(
                f"Results in {source} itself would be taken for its pictures.",
                remedy="Give -o another folder.",
            )
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source)
            hidden = any(part.startswith(".") for part in name.parts)
            is_result = output.resolve() in path.resolve().parents
            if path.is_file() and _is_known(path) and not hidden and not is_result:
                yield path, name
    elif _is_one_file(source):
        yield source, Path(source.name)
    else:
        matched = sorted(Path(path) for path in glob.glob(str(source), recursive=True))
        if not matched:
            raise UsageError(f"Nothing is called {source}.", remedy="Check the pattern.")
        for path in matched:
            yield from _expand(path, output)


def _is_one_file(source: Path) -> bool:
    """Return whether a source is meant as a file: it is one, or is no folder and no pattern."""
    return source.is_file() or not (source.is_dir() or glob.has_magic(str(source)))


def _is_known(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES or is_video(path)


def _in_folder(source: Path, name: Path, naming: Naming) -> Job:
    suffix = naming.suffix
    if is_video(source):
        suffix = ".mov" if naming.transparent else ".mp4"
    trimap_out = naming.trimap_out
    return Job(
        source,
        naming.output / name.with_suffix(suffix),
        None if naming.trimap is None else _partner(name, naming.trimap),
        None if naming.mask is None else _partner(name, naming.mask),
        None if trimap_out is None else trimap_out / name.with_suffix(".png"),
    )


def _partner(name: Path, given: Path) -> Path:
    """Return the file of that name in a folder, whatever its suffix; what is given, if a file."""
    if not given.is_dir():
        return given
    for suffix in (name.suffix, *PICTURE_SUFFIXES):
        found = given / name.with_suffix(suffix)
        if found.is_file():
            return found
    return given / name.with_suffix(".png")  # which is missing: said when it is its turn


def _checked(job: Job, *, transparent: bool) -> Job:
    """Refuse impossible names of results; a video with a trimap or a mask has a problem."""
    if job.is_video:
        check_video_name(job.target, transparent=transparent)
        if (job.trimap, job.mask, job.trimap_out) != (None, None, None):
            problem = UsageError(
                f"{job.source} is a video, and trimaps and masks are for pictures.",
                remedy="Leave --trimap, --mask and --trimap-out out.",
            )
            return replace(job, problem=problem)
    else:
        check_image_name(job.target, transparent=transparent)
    if job.trimap_out is not None:
        check_image_name(job.trimap_out)
    return job
