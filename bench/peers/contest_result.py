"""The result of a run, and its file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from edgemat.bench.peers.contestants import ContestantFacts
from edgemat.bench.peers.entries import Absent
from edgemat.bench.peers.pictures import PhotoSet
from edgemat.bench.peers.scores import PictureScore, summarise_scores
from edgemat.bench.peers.sheet import Strip
from edgemat.bench.peers.speed import photo_protocol
from edgemat.bench.protocol import Measurement, Protocol
from edgemat.bench.result import Circumstances
from edgemat.files import sha256_tree, size_bytes

SCHEMA = 1


@dataclass(frozen=True)
class ContestSettings:
    """The settings of a run.

    Attributes
    ----------
    protocol:
        Of the networks' latencies.
    photo_runs:
        Measured runs of a whole photograph, per contestant.
    costs:
        Whether latency and memory are measured at all.
    strips:
        Photographs on each sheet.
    ignore_below:
        Share of a picture below which people do not count: on a screen, in a bus, far away.
    """

    threads: int = 1
    protocol: Protocol = field(default_factory=Protocol)
    photo_runs: int = 4
    costs: bool = True
    strips: int = 8
    ignore_below: float = 0.0


@dataclass(frozen=True)
class Failure:
    """One contestant that could not do one photograph."""

    contestant: str
    photo: str
    reason: str


@dataclass
class SetResult:
    """The scores on one folder.

    Attributes
    ----------
    scores:
        Contestant to its scores, photograph by photograph; empty without truth.
    skipped:
        Name and reason of every picture that was not used, those of the set included.
    """

    photos: PhotoSet
    scores: dict[str, list[PictureScore]]
    strips: list[Strip] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the set as a mapping that JSON can hold."""
        return {
            "name": self.photos.name,
            "folder": str(self.photos.folder),
            "part": self.photos.part,
            "truth": self.photos.truth,
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
            "failures": [asdict(failure) for failure in self.failures],
            "scores": {
                name: {
                    "mean": summarise_scores(scores).to_json(),
                    "photos": [one.to_json() for one in scores],
                }
                for name, scores in self.scores.items()
                if scores
            },
        }


@dataclass
class Costs:
    """The scores on the photograph `photo`; the rest is keyed by contestant."""

    photo: str = ""
    megapixels: float = 0.0
    network: dict[str, Measurement] = field(default_factory=dict)
    whole: dict[str, Measurement] = field(default_factory=dict)
    memory_bytes: dict[str, int | None] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class ContestResult:
    """All that a run found; `order` has the contestants as the tables do, the absent included.

    Attributes
    ----------
    int8_dot_product:
        Of the processor; without one, int8 is no faster here than float.
    """

    settings: ContestSettings
    order: tuple[str, ...]
    facts: dict[str, ContestantFacts]
    absent: Absent
    sets: tuple[SetResult, ...]
    costs: Costs
    where: Circumstances
    int8_dot_product: bool

    def to_json(self) -> dict[str, Any]:
        """Return the run as a mapping that JSON can hold."""
        return {
            "schema": SCHEMA,
            "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "threads": self.settings.threads,
            "ignore_below": self.settings.ignore_below,
            "protocol": self.settings.protocol.to_json(),
            "photo_protocol": photo_protocol(self.settings.photo_runs).to_json(),
            "costs_photo": {"name": self.costs.photo, "megapixels": self.costs.megapixels},
            "costs_failures": [asdict(failure) for failure in self.costs.failures],
            "circumstances": self.where.model_dump(mode="json"),
            "int8_dot_product": self.int8_dot_product,
            "contestants": [self._contestant_json(name) for name in self.order],
            "sets": [result.to_json() for result in self.sets],
        }

    def size_bytes(self, name: str) -> int | None:
        """Return the size of a contestant's files; None where it has none or is absent."""
        facts = self.facts.get(name)
        if facts is None or facts.file is None:
            return None
        return size_bytes(facts.file) + (size_bytes(facts.refiner) if facts.refiner else 0)

    def _contestant_json(self, name: str) -> dict[str, Any]:
        if name not in self.facts:
            return {"name": name, "absent": self.absent[name]}
        facts = self.facts[name]
        return {
            "name": name,
            "absent": None,
            "licence": facts.licence,
            "runtime": facts.runtime,
            "input_size": facts.input_size,
            "takes_trimap": facts.takes_trimap,
            "bytes": self.size_bytes(name),
            "sha256": None if facts.file is None else sha256_tree(facts.file),
            "refiner_sha256": None if facts.refiner is None else sha256_tree(facts.refiner),
            "network_latency": _measurement_json(self.costs.network.get(name)),
            "whole_latency": _measurement_json(self.costs.whole.get(name)),
            "peak_memory_bytes": self.costs.memory_bytes.get(name),
        }


def _measurement_json(measured: Measurement | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {
        **measured.latency.to_json(),
        "samples_ms": list(measured.samples_ms),
        "verdict": measured.verdict,
        "reason": "; ".join(measured.unsteady),
    }
