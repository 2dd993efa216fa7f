"""What is known of a network: where it stands in the thesis, and what was printed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from torch import nn

from edgemat.errors import UsageError
from edgemat.models.blocks.layers import MattingNetwork

Task = Literal["trimap", "portrait", "reconstruction", "denoising", "segmentation", "depth"]
# tasks whose networks are mattings: they return a MattingOutput, and recipes may train them
MattingTask = Literal["trimap", "portrait"]
MATTING_TASKS: tuple[Task, ...] = get_args(MattingTask)
IN_CHANNELS: Mapping[Task, int] = MappingProxyType(
    {
        "trimap": 4,
        "portrait": 3,
        "reconstruction": 1,
        "denoising": 1,
        "segmentation": 3,
        "depth": 3,
    }
)


CLASSICAL_METHODS = ("closed-form", "knn")
"""Ways to a matte without a network: see :mod:`edgemat.matting.classical`."""


@dataclass(frozen=True)
class ModelInfo:
    """One network, of the thesis or made from one of its.

    Attributes
    ----------
    network:
        Its class; ``config`` are the arguments that make this one of it.
    task:
        "trimap": the input is RGB and a trimap; "portrait": RGB alone; the others are the further
        tasks of chapters 3 and 4.
    table:
        Where the thesis reports it; None for a network of ours.
    thesis_parameters, thesis_operations:
        Learnable parameters, in millions, and operations, in 2**30, at 224x224, as printed there.
    undeployable:
        Why it has no deploy form; None where it has one.
    note:
        Where its figures differ from the thesis', and why.
    """

    name: str
    network: type[nn.Module]
    task: Task
    chapter: int
    table: str | None = None
    thesis_parameters: float | None = None
    thesis_operations: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    undeployable: str | None = None
    note: str | None = None

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return IN_CHANNELS[self.task]

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of it."""
        return cast(type[MattingNetwork], self.network).stride  # others have it, too

    @property
    def is_matting(self) -> bool:
        """Whether it predicts an alpha matte."""
        return self.task in MATTING_TASKS

    @property
    def matting_task(self) -> MattingTask:
        """The task of a matting network.

        Raises
        ------
        UsageError
            For a network that is not one.
        """
        if not self.is_matting:
            raise UsageError(f"{self.name} is no matting network.", remedy=f"It does {self.task}.")
        return cast(MattingTask, self.task)

    @property
    def why_not(self) -> str | None:
        """Why it has no deploy form; None where it has one."""
        return self.undeployable if self.is_matting else "Only matting networks have a deploy form."
