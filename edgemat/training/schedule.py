"""The schedule of a training, its phases, and the groups of parameters that it moves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn
from torch.utils.data import Dataset

from edgemat.artifacts.vocabulary import BatchNorm

Decay = Literal["cosine", "step", "poly", "constant"]
Optimizer = Literal["adam", "adamw", "sgd"]
Autocast = Literal["none", "bf16", "fp16", "auto"]

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
        "encoder" keeps all of the encoder's layers of it, scale and shift as well, as the thesis
        fixes those of its backbones.
    autocast:
        "bf16" computes convolutions in bfloat16; "auto" does where the device has it in hardware;
        "fp16" in half precision, with a loss that is scaled.
    momentum:
        Of SGD.
    decay, epoch, milestones, drop, power, hold:
        How the learning rate falls: see :meth:`factor`.
    accumulate:
        Parts that a batch is gone through in, where memory does not hold all of it at once. Batch
        normalisation sees the parts.
    average:
        Decay of a moving average of the weights, which is then what comes out; 0 for none.
    losses:
        Weights of the losses by :data:`edgemat.training.terms.TERMS`; None for the task's own.
    unknown:
        Whose unknown region the losses look at: the truth's, or that of the network's trimap.
    prior:
        "none" hides the trimap from a network that takes one: all of it is unknown.
    affinity_norm:
        Of eq. 6.9: the root of the mean square, or "frobenius", of the sum, as printed.
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
    autocast: Autocast = "none"
    checkpoint_every: int = 50
    workers: int = 1
    optimizer: Optimizer = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    decay: Decay = "cosine"
    epoch: int = 1
    milestones: tuple[int, ...] = ()
    drop: float = 0.1
    power: float = 0.9
    hold: int = 1
    accumulate: int = 1
    average: float = 0.0
    losses: Mapping[str, float] | None = None
    unknown: Literal["truth", "estimated"] = "truth"
    prior: Literal["trimap", "none"] = "trimap"
    affinity_norm: Literal["mean", "frobenius"] = "mean"

    def factor(self, step: int, total: int | None = None) -> float:
        """Learning rate of `step` over the full one: linear warm-up, then what `decay` says.

        "cosine" falls along half a cosine; "step" by `drop` at every of `milestones`; "poly" is
        (1 - step / total) ** `power`, reckoned anew every `hold` epochs; "constant" stays.
        Milestones count epochs of `epoch` steps.

        Parameters
        ----------
        total:
            The steps of all phases; by default this schedule's own.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        total = total or self.steps
        match self.decay:
            case "cosine":
                done = (step - self.warmup) / max(1, total - self.warmup)
                return 0.5 * (1 + math.cos(math.pi * done))
            case "step":
                passed = sum(step >= milestone * self.epoch for milestone in self.milestones)
                return float(self.drop**passed)
            case "poly":
                every = self.hold * self.epoch
                return float((1 - step // every * every / total) ** self.power)
            case "constant":
                return 1.0


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
