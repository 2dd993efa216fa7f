"""Give pictures back through a sampling: the reconstruction of Table 3.2.

The thesis trains for 100 epochs of 60,000 pictures by SGD with an L1 loss (section 4.8.1), as
:func:`reconstruction_trial` does; in :func:`run_reconstruction` Adam sees a thousand batches of
twenty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.data.small_pictures import SIDE, SmallPictures
from edgemat.experiments.fidelity import Fidelity, fidelity
from edgemat.experiments.fit import Batches, Fitted, compare_networks, known_models
from edgemat.experiments.protocol import SeriesProtocol
from edgemat.experiments.trial import Trial, hash_pixels, order_of_epoch
from edgemat.images import U8
from edgemat.models import list_models

BATCH, LEARNING_RATE = 20, 5e-3
TESTED = 1000
"""At most so many pictures are judged."""
MODELS = tuple(info.name for info in list_models() if info.task == "reconstruction")


def run_reconstruction(
    pictures: SmallPictures,
    *,
    models: Sequence[str] = MODELS,
    steps: int = 1000,
    width: float = 1.0,
    seed: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> list[Fitted]:
    """Train each network to give its input back, and compare.

    Parameters
    ----------
    width:
        Multiplier of the networks' channels.
    progress:
        Called with a network's name and its steps done.

    Raises
    ------
    UsageError
        For a network that is none of reconstruction.
    """
    names = known_models("reconstruction", models)
    test = _prepared(pictures.test[:TESTED])
    return compare_networks(
        names,
        batches=lambda: _batches(pictures.train, seed),
        judge=lambda network: _judge(network, test),
        steps=steps,
        learning_rate=LEARNING_RATE,
        loss=F.l1_loss,
        width=width,
        seed=seed,
        progress=progress,
    )


def reconstruction_trial(pictures: SmallPictures, *, data: str) -> Trial:
    """Return the experiment of Tables 3.2 and 4.1 for a series, as section 4.8.1 describes it.

    Parameters
    ----------
    data:
        The pictures, in words.
    """
    test = _prepared(pictures.test[:TESTED])
    return Trial(
        subject="reconstruct",
        models=MODELS,
        data=f"{data}, {len(pictures.train)} pictures; the first {len(test)} of its test judged",
        pixels=hash_pixels([pictures.train, pictures.test[:TESTED]]),
        epoch=lambda seed, epoch, protocol: _epoch(pictures.train, seed, epoch, protocol),
        loss=F.l1_loss,
        judge=lambda network: asdict(_judge(network, test)),
        score="psnr",
    )


def _epoch(
    pictures: U8, seed: int, epoch: int, protocol: SeriesProtocol
) -> Iterator[tuple[Tensor, Tensor]]:
    for part in order_of_epoch(len(pictures), seed, epoch, protocol):
        x = _prepared(pictures[np.sort(part)])
        yield x, x


def _judge(network: nn.Module, test: Tensor) -> Fidelity:
    with torch.inference_mode():
        found = torch.cat([network(part) for part in test.split(BATCH)]).clamp(0, 1)
    return fidelity(list(found[:, 0].numpy()), list(test[:, 0].numpy()))


def _batches(pictures: U8, seed: int) -> Batches:
    random = np.random.default_rng(seed)
    while True:
        x = _prepared(pictures[np.sort(random.integers(len(pictures), size=BATCH))])
        yield x, x


def _prepared(pictures: U8) -> Tensor:
    """Return N,1,32,32 in 0..1."""
    x = torch.from_numpy(pictures.astype(np.float32))[:, None] / 255
    return F.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False)
