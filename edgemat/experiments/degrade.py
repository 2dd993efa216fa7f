"""Table 5.1: pictures degraded after they are composited, with their mattes or without.

As in the thesis: blur and JPEG, a quarter of the pictures each, and the L1 loss on alpha alone.
Its 45,000 batches of 32 are some hundred small ones here, of composites that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from edgemat.artifacts.artifact import MattingErrors
from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import OBJECT_KINDS, ProceduralSource
from edgemat.data.strong import Strong
from edgemat.experiments.fit import JUDGES_SEED, create_seeded, fit, known_models
from edgemat.experiments.portraits import judge_alphas, stack_composites
from edgemat.images import to_uint8
from edgemat.scoring.evaluate import EvaluationSet
from edgemat.training.losses import alpha_loss

SIZE, BATCH, LEARNING_RATE = 96, 8, 2e-3
SOURCE_SIDE = 192
JUDGED = 40
"""Composites that are judged, as they are and degraded; none is trained on."""
ROWS: dict[str, tuple[Strong, ...]] = {
    "as it is": (),
    "degraded, the old matte": ("degrade",),
    "degraded, its matte too": ("degrade-alpha",),
}


@dataclass(frozen=True)
class DegradationRow:
    """A row of the table: how a network was trained, and its errors in the unknown region.

    Attributes
    ----------
    clean, degraded:
        Means over composites as they are, as the thesis has them, and over degraded ones, whose
        mattes are degraded alike.
    """

    training: str
    clean: MattingErrors
    degraded: MattingErrors

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return {
            "training": self.training,
            "clean": self.clean.model_dump(),
            "degraded": self.degraded.model_dump(),
        }


def run_degradation(
    *,
    model: str = "indexnet-slim",
    steps: int = 400,
    seed: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> list[DegradationRow]:
    """Train a network three times, from the same weights and on the same composites.

    Parameters
    ----------
    model:
        A matting network that takes a trimap.
    progress:
        Called with a row's name and its steps done.

    Raises
    ------
    UsageError
        For a network that is none.
    """
    known_models("trimap", [model])
    judges = [_judged(seed, strong) for strong in ((), ROWS["degraded, its matte too"])]
    rows = []
    for name, strong in ROWS.items():
        network = create_seeded(model, seed)
        fit(
            _AlphaOf(network),
            _batches(seed, strong),
            steps=steps,
            learning_rate=LEARNING_RATE,
            loss=_loss,
            progress=progress and partial(progress, name),
        )
        network.eval()
        rows.append(DegradationRow(name, *(judge_alphas(network, judged) for judged in judges)))
    return rows


class _AlphaOf(nn.Module):
    """A network's matte alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        alpha: Tensor = self.network(x).alpha
        return alpha


def _composites(seed: int, strong: tuple[Strong, ...], length: int) -> MattingDataset:
    source = ProceduralSource(seed, size=(SOURCE_SIDE, SOURCE_SIDE), kinds=OBJECT_KINDS)
    return MattingDataset(
        source, size=(SIZE, SIZE), seed=seed, length=length, views="edges", strong=strong
    )


def _batches(seed: int, strong: tuple[Strong, ...]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs B,4,H,W, and B,2,H,W: the alpha matte, and where it is unknown."""
    data = _composites(seed, strong, 1 << 30)
    first = 0
    while True:
        yield stack_composites(data, range(first, first + BATCH))
        first += BATCH


def _loss(found: Tensor, wanted: Tensor) -> Tensor:
    return alpha_loss(found, wanted[:, :1], wanted[:, 1:])


def _judged(seed: int, strong: tuple[Strong, ...]) -> EvaluationSet:
    data = _composites(seed + JUDGES_SEED, strong, JUDGED)
    items = [data[index] for index in range(JUDGED)]
    planes = torch.stack([torch.cat([item["image"], item["trimap"]]) for item in items])
    return EvaluationSet(
        pixels=to_uint8(planes.permute(0, 2, 3, 1).numpy()),
        alphas=torch.cat([item["alpha"] for item in items]).numpy(),
        trimaps=to_uint8(torch.cat([item["trimap"] for item in items]).numpy()),
    )
