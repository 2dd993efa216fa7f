"""A training on several processes, as `torchrun` starts them; alone it is one process of one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from edgemat.errors import UsageError
from edgemat.training.losses import Loss


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

    def share_of(self, batch: int) -> int:
        """Return how many pictures of a batch each process takes.

        Raises
        ------
        UsageError
            When they cannot be shared evenly: the mean over processes would be no mean over
            pictures.
        """
        if batch % self.count:
            raise UsageError(
                f"A batch of {batch} pictures is not shared evenly by {self.count} processes.",
                remedy=f"Give a batch that is a multiple of {self.count}.",
            )
        return batch // self.count

    def wrapped(self, network: nn.Module) -> nn.Module:
        """Return the network as it is called in training, gradients exchanged.

        On CUDA batch normalisation sees the pictures of all processes; on a CPU, where torch has no
        such layer, each process sees its own, and the first one's mean and variance are kept.
        """
        if self.count == 1:
            return network
        if next(network.parameters()).is_cuda:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return DistributedDataParallel(network, find_unused_parameters=True)

    def mean(self, loss: Loss) -> Loss:
        """Return the mean of each process' losses."""
        if self.count == 1:
            return loss
        values = torch.stack([loss.total, *loss.parts.values()])
        distributed.all_reduce(values)
        total, *parts = values / self.count
        return Loss(total, dict(zip(loss.parts, parts, strict=True)))

    def wait(self) -> None:
        """Wait until all processes are here: what the first wrote is there for the others."""
        if self.count > 1:
            distributed.barrier()


@contextlib.contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that `torchrun` started, inside the block; alone without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or not distributed.is_available():
        yield Processes()
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
