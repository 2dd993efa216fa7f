"""How long and by what optimiser networks of a series are trained: as in the thesis, or shorter.

A short protocol takes hours on one core instead of weeks: fewer pictures, narrower networks, Adam.
Its learning rate falls after the same shares of its epochs. What it shows is an order, not the
thesis' figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from edgemat.section import Section, wrong

Subject = Literal["reconstruct", "denoise", "portraits"]
MOMENTUM = 0.9
"""Of SGD. The thesis gives none for these experiments; its matting recipes have this."""


class SeriesProtocol(Section):
    """What every network of a series sees, and how it learns.

    Attributes
    ----------
    epochs, samples:
        Passes, and the pictures, patches or composites of each.
    batch:
        Samples of a step.
    falls:
        Epochs after which the learning rate is a tenth of what it was.
    width:
        Multiplier of the networks' channels; 1 is the thesis'.
    """

    name: str
    epochs: int = Field(ge=1)
    samples: int = Field(ge=1)
    batch: int = Field(ge=2)
    optimizer: Literal["sgd", "adam"]
    learning_rate: float = Field(gt=0)
    falls: tuple[int, ...] = ()
    width: float = Field(default=1.0, gt=0)

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
        if self.optimizer == "adam":
            return torch.optim.Adam(network.parameters(), lr=self.learning_rate)
        return torch.optim.SGD(network.parameters(), lr=self.learning_rate, momentum=MOMENTUM)


PROTOCOLS: Mapping[Subject, Mapping[str, SeriesProtocol]] = MappingProxyType(
    {
        "reconstruct": {
            # section 4.8.1
            "thesis": SeriesProtocol(
                name="thesis",
                epochs=100,
                samples=60_000,
                batch=100,
                optimizer="sgd",
                learning_rate=0.01,
                falls=(50, 70, 85),
            ),
            "short": SeriesProtocol(
                name="short",
                epochs=20,
                samples=500,
                batch=20,
                optimizer="adam",  # in so few steps, SGD does not begin to learn
                learning_rate=5e-3,
                falls=(10, 14, 17),
                width=0.5,
            ),
        },
        "denoise": {
            # section 3.6.2.1; its patches of four scales number about as many
            "thesis": SeriesProtocol(
                name="thesis",
                epochs=60,
                samples=240_000,
                batch=128,
                optimizer="adam",
                learning_rate=1e-3,
                falls=(45, 55),
            ),
            "short": SeriesProtocol(
                name="short",
                epochs=12,
                samples=400,
                batch=16,
                optimizer="adam",
                learning_rate=1e-3,
                falls=(9, 11),
                width=0.25,
            ),
        },
        "portraits": {
            "short": SeriesProtocol(
                name="short",
                epochs=10,
                samples=160,
                batch=8,
                optimizer="adam",
                learning_rate=2e-3,
                falls=(8, 9),
                width=0.25,
            ),
        },
    }
)
"""Chapter 3's protocol of mattes is `recipes/thesis/indexnet.toml`, for `edgemat train`."""
