"""Data to train on, and data that stand for a SIGKILL."""

from __future__ import annotations

from torch import Tensor
from torch.utils.data import Dataset

from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import PORTRAIT_KINDS, ProceduralSource

SIZE = 64


class Killed(Exception):
    """Stands for a SIGKILL in the middle of a step."""


class Fatal(Dataset[dict[str, Tensor]]):
    """Kills the training when it reads item `at`."""

    def __init__(self, data: Dataset[dict[str, Tensor]], at: int) -> None:
        self.data, self.at = data, at

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if index >= self.at:
            raise Killed
        return self.data[index]


def data() -> MattingDataset:
    source = ProceduralSource(1, size=(SIZE, SIZE), kinds=PORTRAIT_KINDS)
    return MattingDataset(source, size=(SIZE, SIZE), seed=1, length=10_000)
