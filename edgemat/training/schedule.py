"""The schedule of a training, its phases, and the groups of parameters that it moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn
from torch.utils.data import Dataset

BatchNorm = Literal["frozen", "running"]

DETAIL_RAMP = 0.6
"""Share of a portrait network's training in which the losses on detail come in."""


@dataclass(frozen=True)
class Schedule:
    """Length and rates of a training, and the weights of its losses.

    Attributes
    ----------
    encoder_rate:
        Factor on the encoder's learning rate: 0.01 for ImageNet weights in the thesis.
    detail_ramp:
        Share of a portrait network's training in which the losses on detail come in; 0 for a
        network that is trained already.
    distillation_weight:
        Of the distance to a teacher's answers, where there is a teacher.
    gradient_weight, affinity_weight:
        Of the losses on detail. For portraits the thesis has 10 and 10; where few steps must do,
        the affinity loss, which no true matte brings to zero, keeps edges from getting sharp.
        Trimap networks have no affinity loss, and by default (None) no gradient loss.
    bn:
        "running" moves the mean and variance of batch normalisation with every batch; "frozen"
        keeps those that the network comes with: no more changes than the learning rate allows.
    autocast:
        "bf16" computes convolutions in bfloat16; "auto" does where the device has it in hardware.
    """

    steps: int
    batch: int
    learning_rate: float = 1e-3
    encoder_rate: float = 1.0
    warmup: int = 50
    gradient_weight: float | None = None
    affinity_weight: float = 10.0
    detail_ramp: float = DETAIL_RAMP
    distillation_weight: float = 1.0
    bn: BatchNorm = "running"
    autocast: Literal["none", "bf16", "auto"] = "none"
    checkpoint_every: int = 50
    workers: int = 1

    def factor(self, step: int, total: int | None = None) -> float:
        """Learning rate of `step` over the full one: linear warm-up, then half a cosine.

        `total` counts the steps of all phases; by default this schedule's own.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, (total or self.steps) - self.warmup)
        return 0.5 * (1 + math.cos(math.pi * done))


class ParameterGroup(NamedTuple):
    """Parameters that learn at `rate` times the schedule's learning rate.

    Attributes
    ----------
    sizes:
        For each parameter a tensor that broadcasts to it, and that its steps are multiplied by: a
        learning rate then is a share of the size, whatever the parameter's unit.
    """

    parameters: list[nn.Parameter]
    rate: float
    sizes: list[Tensor] | None = None


class Phase(NamedTuple):
    """A part of the training with pictures of one size: its data, steps and batch."""

    data: Dataset[dict[str, Tensor]]
    steps: int
    batch: int
