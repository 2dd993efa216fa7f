"""One step of a training: the losses of a batch, in parts or shared, and what they move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any, Generic, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from edgemat.doctor import cpu_has_bfloat16
from edgemat.models.info import MattingTask
from edgemat.models.network import AnyNetwork
from edgemat.training.losses import Loss
from edgemat.training.objective import compute_loss
from edgemat.training.processes import Processes
from edgemat.training.schedule import Schedule


def has_bfloat16(device: torch.device) -> bool:
    """Return whether `device` computes in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and cpu_has_bfloat16()


class Stepper(Generic[AnyNetwork]):
    """A network with all that a step moves: its optimiser, loss scale and moving average.

    Parameters
    ----------
    network:
        On its device already.
    """

    def __init__(
        self,
        network: AnyNetwork,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        *,
        task: MattingTask,
        place: torch.device,
        processes: Processes,
        teacher: nn.Module | None = None,
    ) -> None:
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.task, self.place, self.teacher = task, place, teacher
        self.processes = processes
        self.scaler = torch.amp.GradScaler(place.type, enabled=schedule.autocast == "fp16")
        self.average = None
        if schedule.average:
            average = get_ema_multi_avg_fn(schedule.average)
            self.average = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
        self._called = processes.wrapped(network)

    @property
    def result(self) -> AnyNetwork:
        """The network as it would come out now: the moving average, where there is one."""
        return self.network if self.average is None else cast(AnyNetwork, self.average.module)

    def finish(self) -> None:
        """Give the network the weights that come out."""
        if self.average is not None:
            self.network.load_state_dict(self.average.module.state_dict())

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it."""
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.scaler.is_enabled():
            state["scaler"] = self.scaler.state_dict()
        if self.average is not None:
            state["average"] = self.average.state_dict()
        return state

    def load(self, state: Mapping[str, Any]) -> None:
        """Resume from what :meth:`state` returned."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def step(self, batch: Mapping[str, Tensor], number: int, total: int) -> Loss:
        """Take step `number` of `total` on a batch; returns its losses, over all processes."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["full_rate"] * self.schedule.factor(number, total)
        self.optimizer.zero_grad(set_to_none=True)
        parts = list(_parts(batch, self.schedule.accumulate))
        losses = []
        for index, part in enumerate(parts):
            with self._last_alone(index == len(parts) - 1):
                loss = self._loss(part, number, total)
                self.scaler.scale(loss.total / len(parts)).backward()
            losses.append(_detached(loss))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return self.processes.mean(_mean(losses))

    def _loss(self, batch: dict[str, Tensor], number: int, total: int) -> Loss:
        with self._precision():
            return compute_loss(
                self._called,
                batch,
                self.task,
                schedule=self.schedule,
                progress=number / total,
                teacher=self.teacher,
                step=number,
            )

    def _precision(self) -> Any:
        wanted = self.schedule.autocast
        if wanted == "fp16":
            return torch.autocast(self.place.type, torch.float16)
        if wanted == "bf16" or (wanted == "auto" and has_bfloat16(self.place)):
            return torch.autocast(self.place.type, torch.bfloat16)
        return nullcontext()

    def _last_alone(self, is_last: bool) -> Any:
        """Let processes exchange gradients once a batch, not for each of its parts."""
        if is_last or not isinstance(self._called, DistributedDataParallel):
            return nullcontext()
        return self._called.no_sync()


def _parts(batch: Mapping[str, Tensor], count: int) -> Iterator[dict[str, Tensor]]:
    chunks = {key: value.chunk(count) for key, value in batch.items()}
    for index in range(len(next(iter(chunks.values())))):
        yield {key: parts[index] for key, parts in chunks.items()}


def _detached(loss: Loss) -> Loss:
    return Loss(loss.total.detach(), {name: part.detach() for name, part in loss.parts.items()})


def _mean(losses: list[Loss]) -> Loss:
    if len(losses) == 1:
        return losses[0]
    names = cast(list[str], list(losses[0].parts))
    return Loss(
        torch.stack([one.total for one in losses]).mean(),
        {name: torch.stack([one.parts[name] for one in losses]).mean() for name in names},
    )
