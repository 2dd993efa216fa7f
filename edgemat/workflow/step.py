"""A step of a run: a function, the very arguments that it gets, and the key made of both.

No argument can be forgotten in the key: whatever the function is called with is in it, unless the
step says why the result does not depend on it. The code that the function runs is in it as well;
which that is, is read from the imports of its module (see imports.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar

from edgemat.artifacts.artifact import Artifact
from edgemat.workflow.identity import describe, describe_call
from edgemat.workflow.imports import Source

T = TypeVar("T")
SOURCE = Source(Path(__file__).parents[2], "edgemat")


class StepRecord(TypedDict, total=False):
    """The end of a step, as it is written down.

    Attributes
    ----------
    artifact:
        Name of what it made in the run's ``artifacts``.
    files:
        Names of what it made in the run's folder.
    model:
        Name of the artefact that made the pictures.
    layers:
        ``LayerTable.to_json()`` of each way in which a converted file ran.
    results:
        ``Result.to_json()`` of each measurement.
    """

    artifact: str
    files: list[str]
    model: str
    layers: list[dict[str, Any]]
    results: list[dict[str, Any]]


class Destination(Enum):
    """A folder that a step may write to. The result is the same wherever it is: no key holds it."""

    WORK = "unfinished work of this step alone, for a killed run to resume from"
    ARTIFACTS = "finished artefacts"
    FOLDER = "the run's folder, which the report is in"


@dataclass(frozen=True)
class Drawn(Generic[T]):
    """An argument that is computed once, and not before a step that takes it runs."""

    call: partial[T]

    @cached_property
    def value(self) -> T:
        return self.call()


@dataclass(frozen=True)
class Step:
    """One stage for one model, or for the whole run.

    Attributes
    ----------
    stage:
        "train", "quantize", ...
    title:
        For whoever waits.
    call:
        The stage's function and its arguments. It returns an artefact, or a record.
    drawn:
        More arguments; in the key stands how they are computed.
    destinations:
        More arguments: folders, which the cache gives.
    unkeyed:
        Those arguments of `call` that the result does not depend on, and why it does not.
    reads:
        What the function reads beside the values of its arguments.
    threads:
        Of torch while the step runs, where it computes with torch: sums depend on how they are
        split.
    """

    stage: str
    title: str
    call: partial[Artifact] | partial[StepRecord]
    drawn: Mapping[str, Drawn[Any]] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    unkeyed: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[object, ...] = ()
    threads: int | None = None

    def key(self, source: Source = SOURCE) -> str:
        """Return what tells this step apart from all others, 16 hex digits.

        Parameters
        ----------
        source:
            The code that counts.
        """
        code = {one.func.__module__ for one in (self.call, *(d.call for d in self.drawn.values()))}
        content = {
            "stage": self.stage,
            "call": describe_call(self.call, without=self.unkeyed),
            "drawn": {name: describe_call(one.call) for name, one in self.drawn.items()},
            "reads": describe(self.reads),
            "threads": self.threads,
            "code": source.sha256(*sorted(code)),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def run(self, folders: Mapping[Destination, Path]) -> StepRecord:
        """Call the function; an artefact that it returns is recorded by name."""
        given = {name: folders[destination] for name, destination in self.destinations.items()}
        with _torch_threads(self.threads):
            drawn = {name: one.value for name, one in self.drawn.items()}
            made = self.call(**drawn, **given)
        return {"artifact": made.path.name} if isinstance(made, Artifact) else made


@contextmanager
def _torch_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with so many threads, and afterwards with as many as before."""
    if count is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
