"""How long and by what optimiser networks of a series are trained: as in the thesis, or shorter.

Protocols are files in `protocols/`: those of the thesis, and short ones, which take minutes on one
core instead of days: fewer pictures, narrower networks, Adam. Their learning rates fall after the
same shares of their epochs. What they show is an order, not the thesis' figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self, get_args

import torch
from pydantic import Field, model_validator
from torch import nn

from edgemat.errors import UsageError, nearest
from edgemat.section import Section, wrong
from edgemat.toml import check_section, override, read_toml

Subject = Literal["reconstruct", "denoise", "segment", "depth", "portraits"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
FOLDER = Path(__file__).parent / "protocols"


class SeriesProtocol(Section):
    """What every network of a series sees, and how it learns.

    Attributes
    ----------
    epochs, samples:
        Passes, and the pictures, patches or composites of each.
    batch:
        Samples of a step.
    momentum:
        Of SGD alone.
    falls:
        Epochs after which the learning rate is a tenth of what it was.
    width:
        Multiplier of the networks' channels; 1 is the thesis'.
    weight_decay:
        Of the optimiser.
    begin:
        What a new network gives: anything, or its input, where that is what it corrects.
    """

    name: str
    epochs: int = Field(ge=1)
    samples: int = Field(ge=1)
    batch: int = Field(ge=2)
    optimizer: Literal["sgd", "adam"]
    momentum: float = Field(default=0.9, ge=0, lt=1)
    learning_rate: float = Field(gt=0)
    falls: tuple[int, ...] = ()
    width: float = Field(default=1.0, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    begin: Literal["random", "identity"] = "random"

    @model_validator(mode="after")
    def _whole_batches(self) -> Self:
        if self.samples % self.batch:
            raise wrong(
                f"{self.samples} samples are no whole batches of {self.batch}",
                "let one be a multiple of the other",
            )
        return self

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return self.samples // self.batch

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return float(self.learning_rate * 0.1 ** sum(fall <= epoch for fall in self.falls))

    def create_optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Return the optimiser of all parameters."""
        rate, decay = self.learning_rate, self.weight_decay
        if self.optimizer == "adam":
            return torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay)
        return torch.optim.SGD(
            network.parameters(), lr=rate, momentum=self.momentum, weight_decay=decay
        )


def protocol_names(subject: Subject) -> tuple[str, ...]:
    """Return what protocols edgemat brings for a subject."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob(f"*/{subject}.toml")))


def read_protocol(subject: Subject, name: str, changes: Sequence[str] = ()) -> SeriesProtocol:
    """Read a protocol.

    Parameters
    ----------
    name:
        "short" or "thesis", or the path of a .toml file.
    changes:
        Values to set, KEY=VALUE each: see :func:`edgemat.toml.override`. They become part of its
        name, sorted, for it is another protocol then.

    Raises
    ------
    UsageError
        When there is none of that name, or for a wrong key or value, which is named.
    """
    path = Path(name)
    if path.suffix != ".toml":
        known = protocol_names(subject)
        if name not in known:
            raise UsageError(
                f"There is no protocol {name!r} of {subject}.",
                remedy=f"{nearest(name, known)} Or give the path of a .toml file.",
            )
        path = FOLDER / name / f"{subject}.toml"
    values = read_toml(path, what="protocol")
    override(values, changes)
    protocol = check_section(path, SeriesProtocol, values)
    return protocol.model_copy(update={"name": " ".join([protocol.name, *sorted(changes)])})
