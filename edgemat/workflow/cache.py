"""The cache of a run: a step runs unless its result is there and whole.

RUN/stages/KEY.json   {"record": what the step ended in, "sha256": of that,
                       "title": of the step, "seconds": that it took}
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from edgemat.artifacts.artifact import Artifact
from edgemat.errors import ArtifactError, DiskError
from edgemat.files import write_json
from edgemat.lock import work_alone
from edgemat.terminal import err, plain
from edgemat.workflow.imports import Source
from edgemat.workflow.step import SOURCE, Destination, Step, StepRecord


class Cache:
    """The results of a run's steps so far; in a ``with`` no other process works in the folder.

    Parameters
    ----------
    folder:
        Of the run.
    source:
        The code that the steps run.

    Raises
    ------
    DiskError
        When the folder is a file.
    """

    def __init__(self, folder: Path, *, source: Source = SOURCE) -> None:
        self.folder = folder
        self.artifacts = folder / "artifacts"
        self.ran: list[str] = []
        self._named = False
        self._source = source
        if folder.exists() and not folder.is_dir():
            raise DiskError(
                f"{folder} is a file; a run needs a folder.", remedy="Give another --output."
            )
        self._alone = ExitStack()

    def __enter__(self) -> Self:
        self._alone.enter_context(work_alone(self.folder))
        for leftover in self.artifacts.glob(".*"):  # of a run that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._alone.close()

    def run(self, step: Step) -> StepRecord:
        """Return what a step ends in: as it was recorded, or by running it.

        The record must be whole, so must an artefact that it names, and its files be there, for it
        to count.
        """
        file = self._file(step)
        known = self._read(file)
        if known is not None:
            err.print(f"[dim]{step.title}: up to date[/dim]")
            return known
        started = time.monotonic()
        work = self.folder / "work" / file.stem
        if not work.exists():
            self._name_unfinished(step)
        record = step.run(self._destinations(work))
        seconds = time.monotonic() - started
        told = {"title": step.title, "seconds": round(seconds, 3)}
        write_json(file, {"record": record, "sha256": _digest(record)} | told)
        shutil.rmtree(work, ignore_errors=True)
        self.ran.append(step.title)
        err.print(f"{step.title}: done in {seconds:.0f} s")
        return record

    def has(self, step: Step) -> bool:
        """Whether a step is done, and what it ended in is whole."""
        return self._read(self._file(step)) is not None

    def make(self, step: Step) -> Artifact:
        """Return the artefact that a step ends in; see :meth:`run`."""
        return self.open(self.run(step))

    def open(self, record: StepRecord) -> Artifact:
        """Return the artefact that a record names."""
        return Artifact(self.artifacts / record["artifact"], check=False)

    def _name_unfinished(self, step: Step) -> None:
        """Say once what a step that begins anew might have been expected to resume from.

        It may be the work of a later step of this run, which does resume from it.
        """
        unfinished = [] if self._named else sorted((self.folder / "work").glob("*/*"))
        if unfinished:
            left = plain(str(unfinished[0].parent))
            err.print(
                f"[yellow]{plain(step.title)} begins anew. {left} is unfinished work of another "
                "step, or of this one with other data, settings or code.[/yellow]"
            )
            self._named = True

    def _file(self, step: Step) -> Path:
        return self.folder / "stages" / f"{step.key(self._source)}.json"

    def _destinations(self, work: Path) -> Mapping[Destination, Path]:
        return {
            Destination.WORK: work,
            Destination.ARTIFACTS: self.artifacts,
            Destination.FOLDER: self.folder,
        }

    def _read(self, file: Path) -> StepRecord | None:
        """Return a record, None if there is none, or if it or what it names is not whole."""
        try:
            kept = json.loads(file.read_bytes())
            known: StepRecord = kept["record"]
            if kept["sha256"] != _digest(known):
                raise ValueError("another hash")
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, LookupError, RecursionError, OSError):
            err.print(f"[yellow]{plain(str(file))} is damaged. That step is done anew.[/yellow]")
            return None
        if "artifact" in known:
            try:
                Artifact(self.artifacts / known["artifact"])
            except ArtifactError as error:
                err.print(f"[yellow]{plain(error.message)} It is made anew.[/yellow]")
                return None
        if any(not (self.folder / name).exists() for name in known.get("files", ())):
            return None
        return known


def _digest(record: StepRecord) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
