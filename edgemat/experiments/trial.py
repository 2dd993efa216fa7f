"""One network of a series: trained epoch by epoch, from wherever it was stopped, and judged."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgemat.errors import TrainingError
from edgemat.experiments.fit import Loss, create_seeded, flushed_denormals, take_step
from edgemat.experiments.protocol import SeriesProtocol, Subject
from edgemat.training.state import reading_state, write_state


@dataclass(frozen=True)
class Trial:
    """What all networks of a series learn from, and what they are judged by.

    Attributes
    ----------
    models:
        Networks that are compared unless others are named.
    data:
        The pictures, in words, for people.
    pixels:
        What tells them from others of the same words: see :func:`hash_pixels`.
    epoch:
        Gives the batches of an epoch: of a seed, an epoch and a protocol. The same arguments give
        the same batches.
    judge:
        Returns the figures of a trained network, by name.
    score:
        The figure by which networks are ranked.
    more_is_better:
        Of the score.
    """

    subject: Subject
    models: tuple[str, ...]
    data: str
    pixels: str
    epoch: Callable[[int, int, SeriesProtocol], Iterator[tuple[Tensor, Tensor]]]
    loss: Loss
    judge: Callable[[nn.Module], dict[str, float]]
    score: str
    more_is_better: bool = True


def hash_pixels(pictures: Iterable[NDArray[Any]]) -> str:
    """Return 16 hex digits of the SHA-256 of arrays, their shapes and their order."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(f"{picture.dtype.str} {picture.shape} ".encode())
        digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()[:16]


def run_trial(
    trial: Trial,
    model: str,
    seed: int,
    protocol: SeriesProtocol,
    *,
    state: Path,
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, float], float]:
    """Train a network and judge it; an epoch that was finished before is not trained again.

    Parameters
    ----------
    state:
        File of the epochs that are done. One of another run is not used. It stays until the caller
        has kept the figures.
    progress:
        Called with the epochs done.

    Returns
    -------
    tuple
        The figures by name, and the seconds of training, those before an interruption counted in.

    Raises
    ------
    TrainingError
        When the loss or a figure is not finite, or the file of the state is damaged.
    """
    network = create_seeded(model, seed, width=protocol.width)
    optimizer = protocol.create_optimizer(network)
    run = {
        "subject": trial.subject,
        "data": trial.data,
        "pixels": trial.pixels,
        "model": model,
        "seed": seed,
        "protocol": protocol.model_dump_json(),
    }
    done, seconds = _resume(state, run, network, optimizer)
    for epoch in range(done, protocol.epochs):
        start = time.monotonic()
        for group in optimizer.param_groups:
            group["lr"] = protocol.rate(epoch)
        _train(network, optimizer, trial.epoch(seed, epoch, protocol), trial.loss)
        seconds += time.monotonic() - start
        write_state(
            state,
            run
            | {"epoch": epoch + 1, "seconds": seconds}
            | {"network": network.state_dict(), "optimizer": optimizer.state_dict()},
        )
        if progress is not None:
            progress(epoch + 1)
    network.eval()
    figures = trial.judge(network)
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"The {name} of {model} from seed {seed} is {value}.",
                remedy="Take another seed, or leave that network out.",
            )
    return figures, seconds


def _resume(
    state: Path, run: dict[str, Any], network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, float]:
    """Return the epochs that are done and their seconds; the network is then as it was."""
    if not state.exists():
        return 0, 0.0
    with reading_state(state) as kept:
        if any(kept.get(key) != value for key, value in run.items()):
            return 0, 0.0
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        return int(kept["epoch"]), float(kept["seconds"])


def _train(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[tuple[Tensor, Tensor]],
    loss: Loss,
) -> None:
    network.train()
    with flushed_denormals():
        for step, batch in enumerate(batches):
            take_step(network, optimizer, batch, loss, step)
