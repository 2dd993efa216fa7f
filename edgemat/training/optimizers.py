"""The optimisers of the thesis: SGD, Adam and AdamW, with a learning rate for each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from edgemat.errors import UsageError
from edgemat.training.schedule import ParameterGroup, Schedule


def create_optimizer(groups: Sequence[ParameterGroup], schedule: Schedule) -> torch.optim.Optimizer:
    """Return the schedule's optimiser of the parameters that are trained.

    Each of its groups holds its own full learning rate as ``full_rate``.

    Raises
    ------
    UsageError
        For a group whose steps go by sizes, with another optimiser than Adam.
    """
    groups = [_trained(group) for group in groups]
    if schedule.optimizer == "adam":
        return ScaledAdam(groups, schedule.learning_rate, weight_decay=schedule.weight_decay)
    if any(group.sizes is not None for group in groups):
        raise UsageError(
            f"{schedule.optimizer} does not go by sizes.", remedy='Write optimizer = "adam".'
        )
    rates = _with_rates(groups, schedule.learning_rate)
    if schedule.optimizer == "adamw":
        return torch.optim.AdamW(
            rates, lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
    return torch.optim.SGD(
        rates,
        lr=schedule.learning_rate,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
    )


class ScaledAdam(torch.optim.Adam):
    """Adam whose steps are multiplied by the sizes of a group's parameters, where it has them."""

    def __init__(
        self, groups: Sequence[ParameterGroup], learning_rate: float, *, weight_decay: float = 0.0
    ) -> None:
        super().__init__(_with_rates(groups, learning_rate), weight_decay=weight_decay)
        self._sized = [
            (parameter, size.to(parameter.device))
            for group in groups
            for parameter, size in zip(group.parameters, group.sizes or (), strict=False)
        ]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        before = [parameter.clone() for parameter, _ in self._sized]
        super().step(closure)
        for (parameter, size), old in zip(self._sized, before, strict=True):
            parameter.copy_(old + (parameter - old) * size)


def _with_rates(groups: Sequence[ParameterGroup], learning_rate: float) -> list[dict[str, Any]]:
    return [{"params": g.parameters, "full_rate": learning_rate * g.rate} for g in groups]


def _trained(group: ParameterGroup) -> ParameterGroup:
    """Return the group without what is held as it is."""
    if all(parameter.requires_grad for parameter in group.parameters):
        return group
    kept = [n for n, parameter in enumerate(group.parameters) if parameter.requires_grad]
    sizes = None if group.sizes is None else [group.sizes[n] for n in kept]
    return ParameterGroup([group.parameters[n] for n in kept], group.rate, sizes)
