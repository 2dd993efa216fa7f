"""The facts of a network: its class and its task, and what the thesis prints of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from edgemat.errors import UsageError
from edgemat.models.network import Network

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
class Printed:
    """The size of a network as the thesis prints it.

    >>> from edgemat.models import Printed
    >>> Printed("6.4", parameters=5.90, operations=6.53).chapter
    6

    Attributes
    ----------
    table:
        Where: "3.4" is in chapter 3.
    parameters:
        Learnable parameters, in millions; None where the table has none.
    operations:
        In 2**30, at 224x224; None where the table has none.
    """

    table: str
    _: KW_ONLY
    parameters: float | None = None
    operations: float | None = None

    @property
    def chapter(self) -> int:
        """The chapter that the table is in."""
        return int(self.table.split(".")[0])


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """One network, of the thesis or made from one of its.

    >>> from edgemat.models import ModelInfo
    >>> from edgemat.models.pspm_slim import PSPMSlim
    >>> mine = ModelInfo(name="mine", network=PSPMSlim, config={"width": 0.5}, task="portrait")
    >>> mine.in_channels, mine.stride, mine.thesis
    (3, 16, None)

    Attributes
    ----------
    name:
        What :func:`edgemat.models.create_model` calls it.
    network:
        Its class; ``config`` are the arguments that make this one of it.
    task:
        "trimap": the input is RGB and a trimap; "portrait": RGB alone; the others are the further
        tasks of chapters 3 and 4.
    thesis:
        Where the thesis reports it, and what it prints there; None for edgemat's own networks and
        for forms that only the authors' code has.
    undeployable:
        Why it has no deploy form; None where it has one.
    note:
        Where its figures differ from the thesis', and why.
    """

    name: str
    network: type[Network]
    task: Task
    thesis: Printed | None = None
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
        return self.network.stride

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
            raise self.no_matting()
        return cast(MattingTask, self.task)

    def no_matting(self) -> UsageError:
        """Return what is raised where a matting network is wanted, and this is none."""
        return UsageError(f"{self.name} is no matting network.", remedy=f"It does {self.task}.")

    @property
    def why_not(self) -> str | None:
        """Why it has no deploy form; None where it has one."""
        return self.undeployable if self.is_matting else "Only matting networks have a deploy form."


def index_networks(
    prefix: str,
    network: type[Network],
    *,
    task: Task,
    table: str,
    parameters: float,
    printed: Mapping[str, tuple[float, float]],
    digits: int = 6,
    notes: Mapping[str, str] = MappingProxyType({}),
) -> tuple[ModelInfo, ...]:
    """Return the rows of a table of chapter 3 in which index networks are added to one network.

    Parameters
    ----------
    prefix:
        Of their names; the sampling's follows.
    parameters:
        Of the network without one, in millions.
    printed:
        By sampling, as in :func:`edgemat.models.blocks.sampling.create_sampling`: the parameters
        that it adds, and all operations in 2**30.
    digits:
        Decimals of a million to which the sum of both is known.
    notes:
        By sampling, for rows that differ.
    """
    return tuple(
        ModelInfo(
            name=f"{prefix}-{sampling}",
            network=network,
            config={"sampling": sampling},
            task=task,
            thesis=Printed(
                table, parameters=round(parameters + added / 1e6, digits), operations=operations
            ),
            note=notes.get(sampling),
        )
        for sampling, (added, operations) in printed.items()
    )
