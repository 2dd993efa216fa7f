"""A training on several processes, as `torchrun` starts them; alone it is one process of one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from edgemat.errors import UsageError
from edgemat.training.losses import Loss

T = TypeVar("T")
_RANK, _COUNT = "RANK", "WORLD_SIZE"  # as torchrun tells them


def is_helper() -> bool:
    """Whether this process was started beside another that writes what comes out."""
    return int(os.environ.get(_COUNT, "1")) > 1 and os.environ.get(_RANK) != "0"


@dataclass(frozen=True)
class Processes:
    """How many processes train one network, and which this is.

    Attributes
    ----------
    rank:
        This one's number. The first alone writes files and judges.
    count:
        Of all; each takes as many pictures of every batch.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share_of(self, batch: int, parts: int = 1) -> int:
        """Return how many pictures of a batch each process takes, in so many parts.

        Raises
        ------
        UsageError
            When they cannot be shared evenly: the mean over processes and parts would be no mean
            over pictures.
        """
        if batch % (self.count * parts):
            in_parts = "" if parts == 1 else f" in {parts} parts each"
            raise UsageError(
                f"A batch of {batch} pictures is not shared evenly by {self.count} processes"
                f"{in_parts}.",
                remedy=f"Give a batch that is a multiple of {self.count * parts}.",
            )
        return batch // self.count

    def wrapped(self, network: nn.Module) -> nn.Module:
        """Return the network as it is called in training, gradients exchanged.

        Batch normalisation sees each process' own pictures, and the first one's mean and variance
        are kept; where it is held, several processes compute what one would.
        """
        if self.count == 1:
            return network
        return DistributedDataParallel(network, find_unused_parameters=True)

    def mean(self, loss: Loss) -> Loss:
        """Return the mean of each process' losses."""
        if self.count == 1:
            return loss
        values = torch.stack([loss.total, *loss.parts.values()])
        distributed.all_reduce(values)
        total, *parts = values / self.count
        return Loss(total, dict(zip(loss.parts, parts, strict=True)))

    def told(self, value: T) -> T:
        """Return what the first process has as `value`."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    def gathered(self, value: T) -> list[T]:
        """Return the value that each process has, in order."""
        if self.count == 1:
            return [value]
        values: list[T | None] = [None] * self.count
        distributed.all_gather_object(values, value)
        return values  # type: ignore[return-value]  # all are filled by now

    def share_weights(self, network: nn.Module) -> None:
        """Give all processes the first one's weights, in place."""
        if self.count > 1:
            for value in network.state_dict().values():
                distributed.broadcast(value, src=0)


@contextlib.contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that `torchrun` started, inside the block; alone without it."""
    count = int(os.environ.get(_COUNT, "1"))
    if count == 1 or not distributed.is_available():
        yield Processes()
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
