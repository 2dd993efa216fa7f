"""One network of a series: trained epoch by epoch, from wherever it was stopped, and judged."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgemat.errors import TrainingError, UsageError
from edgemat.experiments.fit import LossFunction, create_seeded, flushed_denormals, take_step
from edgemat.experiments.protocol import SeriesProtocol, Subject
from edgemat.files import sha256_file
from edgemat.training.holding import held
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
    config:
        Arguments of every network, such as how many classes there are.
    begin:
        Gives a new network the weights that it starts from; by default they are random.
    fixed:
        Returns the parts of a network that training leaves as they are.
    identity:
        Makes a new network give its input back; None where a protocol cannot ask for that.
    """

    subject: Subject
    models: tuple[str, ...]
    data: str
    pixels: str
    epoch: Callable[[int, int, SeriesProtocol], Iterator[tuple[Tensor, Tensor]]]
    loss: LossFunction
    judge: Callable[[nn.Module], dict[str, float]]
    score: str
    more_is_better: bool = True
    config: Mapping[str, Any] = field(default_factory=dict)
    begin: Callable[[nn.Module], object] = lambda network: None
    fixed: Callable[[nn.Module], Sequence[nn.Module]] = lambda network: ()
    identity: Callable[[nn.Module], object] | None = None


def order_of_epoch(
    count: int, seed: int, epoch: int, protocol: SeriesProtocol
) -> NDArray[np.int64]:
    """Return which of `count` samples an epoch shows: steps x batch; none twice before all were."""
    rounds = -(-protocol.samples // count)
    random = np.random.default_rng([seed, epoch])
    order = np.concatenate([random.permutation(count) for _ in range(rounds)])
    return order[: protocol.samples].reshape(-1, protocol.batch)


def hash_pixels(pictures: Iterable[NDArray[Any]]) -> str:
    """Return 16 hex digits of the SHA-256 of arrays, their shapes and their order."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(f"{picture.dtype.str} {picture.shape} ".encode())
        digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()[:16]


def hash_files(paths: Iterable[Path]) -> str:
    """Return 16 hex digits of the SHA-256 of files' contents and their order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(sha256_file(path).encode())
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
    UsageError
        For a protocol that begins with the identity where networks do not correct their input.
    TrainingError
        When the loss or a figure is not finite, or the file of the state is damaged.
    """
    network = create_seeded(model, seed, width=protocol.width, **trial.config)
    trial.begin(network)
    if protocol.begin == "identity":
        if trial.identity is None:
            raise UsageError(
                f"Networks of {trial.subject} do not correct their input.",
                remedy='Leave begin = "identity" out of the protocol.',
            )
        trial.identity(network)
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
        network.train()
        with held(trial.fixed(network)), flushed_denormals():
            for step, batch in enumerate(trial.epoch(seed, epoch, protocol)):
                take_step(network, optimizer, batch, trial.loss, step)
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
