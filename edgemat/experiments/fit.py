"""Train networks on batches made as they go, quickly, and compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from edgemat.callbacks import Count
from edgemat.errors import TrainingError, UsageError, nearest
from edgemat.experiments.fidelity import Fidelity
from edgemat.models import create_model, list_models
from edgemat.models.info import Task

LossFunction = Callable[[Any, Tensor], Tensor]
"""Of what a network gives, and what it should."""
Batches = Iterator[tuple[Tensor, Tensor]]
JUDGES_SEED = 1 << 20
"""Of what judges, beside training's: each stream of drawn pictures has its own."""


@dataclass(frozen=True)
class Fitted:
    """The result of one network."""

    model: str
    fidelity: Fidelity

    def to_json(self) -> dict[str, Any]:
        """Return name and figures."""
        return {"model": self.model} | asdict(self.fidelity)


def compare_networks(
    names: Sequence[str],
    *,
    batches: Callable[[], Batches],
    judge: Callable[[nn.Module], Fidelity],
    steps: int,
    learning_rate: float,
    loss: LossFunction,
    width: float = 1.0,
    seed: int = 1,
    begin: Callable[[nn.Module], object] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> list[Fitted]:
    """Train each network alike, and judge it.

    Parameters
    ----------
    batches:
        Gives the same batches anew to every network.
    judge:
        Tells how like the originals a trained network's pictures are.
    width:
        Multiplier of the networks' channels.
    begin:
        Called with every network before it is trained.
    progress:
        Called with a network's name and its steps done.
    """
    fitted = []
    for name in names:
        network = create_seeded(name, seed, width=width)
        if begin is not None:
            begin(network)
        fit(
            network,
            batches(),
            steps=steps,
            learning_rate=learning_rate,
            loss=loss,
            progress=progress and partial(progress, name),
        )
        fitted.append(Fitted(name, judge(network)))
    return fitted


def fit(
    network: nn.Module,
    batches: Batches,
    *,
    steps: int,
    learning_rate: float,
    loss: LossFunction,
    progress: Count | None = None,
) -> None:
    """Train `network` in place with Adam and one cycle of the learning rate; ends in eval mode.

    Parameters
    ----------
    batches:
        Inputs and what is to come out.
    learning_rate:
        The highest; it rises for a tenth of the steps and falls to nothing.

    Raises
    ------
    TrainingError
        When the loss is no longer finite.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps + 1, pct_start=0.1
    )
    network.train()
    with flushed_denormals():
        _loop(network, batches, optimizer, schedule, steps, loss, progress)
    network.eval()


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Count the smallest numbers as 0: with dying activations, steps took three times as long."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _loop(
    network: nn.Module,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    steps: int,
    loss: LossFunction,
    progress: Count | None,
) -> None:
    for step in range(steps):
        take_step(network, optimizer, next(batches), loss, step)
        schedule.step()
        if progress is not None:
            progress(step + 1)


def take_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: tuple[Tensor, Tensor],
    loss: LossFunction,
    step: int,
) -> None:
    """Learn from one batch: what the network is given, and what it should give.

    Raises
    ------
    TrainingError
        When the loss of this `step` is no longer finite.
    """
    x, wanted = batch
    value = loss(network(x), wanted)
    if not torch.isfinite(value):
        raise TrainingError(
            f"The loss is {value.item()} at step {step}.",
            remedy="Lower the learning rate, or take another seed.",
        )
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    optimizer.step()


def known_models(task: Task, names: Sequence[str]) -> tuple[str, ...]:
    """Return `names` when all are networks for `task`.

    Raises
    ------
    UsageError
        For the first that is not; the nearest names are offered.
    """
    known = [info.name for info in list_models() if info.task == task]
    for name in names:
        if name not in known:
            raise UsageError(
                f"There is no network {name!r} for {task}.", remedy=nearest(name, known)
            )
    return tuple(names)


def create_seeded(name: str, seed: int, *, width: float = 1.0, **config: Any) -> nn.Module:
    """Build a network from its own seed, so that the order of models does not matter."""
    torch.manual_seed(seed)
    return create_model(name, width=width, **config)
