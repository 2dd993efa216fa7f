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
# as torchrun tells them; of all processes, and of those on this machine
_RANK, _COUNT, _LOCAL_RANK = "RANK", "WORLD_SIZE", "LOCAL_RANK"


def is_helper() -> bool:
    """Whether this process was started beside another that writes what comes out."""
    return int(os.environ.get(_COUNT, "1")) > 1 and os.environ.get(_RANK) != "0"


def own_device(device: torch.device) -> torch.device:
    """Return the GPU of this process, where `device` is any; each on a machine takes its own.

    Raises
    ------
    UsageError
        When this machine has fewer GPUs than processes.
    """
    if device.type != "cuda" or device.index is not None:
        return device
    number, available = int(os.environ.get(_LOCAL_RANK, "0")), torch.cuda.device_count()
    if available == 0:  # who asks for one is told so when it is used
        return device
    if number >= available:
        raise UsageError(
            f"This is process {number + 1} of a machine with {available} GPUs.",
            remedy=f"Start torchrun with --nproc_per_node={available}, or train with --device cpu.",
        )
    return torch.device("cuda", number)


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
def joined(place: torch.device) -> Iterator[Processes]:
    """Join the processes that `torchrun` started, inside the block; alone without it.

    Parameters
    ----------
    place:
        This process' device: GPUs exchange gradients by NCCL, all others by gloo.
    """
    count = int(os.environ.get(_COUNT, "1"))
    if count == 1 or not distributed.is_available():
        yield Processes()
        return
    on_gpu = place.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(place)  # NCCL sends what is no tensor through the current one
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
