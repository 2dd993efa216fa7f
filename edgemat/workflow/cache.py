"""The cache of a run: a step runs unless its result is there and whole."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.errors import ArtifactError, DiskError
from edgemat.files import write_json
from edgemat.terminal import err
from edgemat.workflow.imports import Source
from edgemat.workflow.step import SOURCE, Place, Record, Step


class Cache:
    """The results of a run's steps so far.

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
        self._source = source
        if folder.exists() and not folder.is_dir():
            raise DiskError(
                f"{folder} is a file; a run needs a folder.", remedy="Give another --output."
            )
        for leftover in self.artifacts.glob(".*"):  # of a run that was killed
            shutil.rmtree(leftover, ignore_errors=True)

    def run(self, step: Step) -> Record:
        """Return what a step ends in: as it was recorded, or by running it.

        An artefact that the record names must be whole, and its files be there, for it to count.
        """
        key = step.key(self._source)
        file = self.folder / "stages" / f"{key}.json"
        known = self._read(file)
        if known is not None:
            err.print(f"[dim]{step.title}: up to date[/dim]")
            return known
        started = time.monotonic()
        work = self.folder / "work" / key
        record = step.run(self._places(work))
        write_json(file, record)
        shutil.rmtree(work, ignore_errors=True)
        self.ran.append(step.title)
        err.print(f"{step.title}: done in {time.monotonic() - started:.0f} s")
        return record

    def make(self, step: Step) -> Artifact:
        """Return the artefact that a step ends in; see :meth:`run`."""
        return self.open(self.run(step))

    def open(self, record: Record) -> Artifact:
        """Return the artefact that a record names."""
        return Artifact(self.artifacts / record["artifact"], check=False)

    def _places(self, work: Path) -> Mapping[Place, Path]:
        return {Place.WORK: work, Place.ARTIFACTS: self.artifacts, Place.FOLDER: self.folder}

    def _read(self, file: Path) -> Record | None:
        """Return a record, None if there is none, or if what it names is not there or not whole."""
        try:
            known: Record = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if "artifact" in known:
            try:
                Artifact(self.artifacts / known["artifact"])
            except ArtifactError as error:
                err.print(f"[yellow]{error.message} It is made anew.[/yellow]")
                return None
        if any(not (self.folder / name).exists() for name in known.get("files", ())):
            return None
        return known
