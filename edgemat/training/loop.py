"""Training: a plain loop that can be killed at any step and ends in the same weights, bit for bit.

Step k reads items kB..kB+B-1 of an endless data stream whose items are pure functions of (seed,
index), so the data need no state; the checkpoint holds weights, optimizer and the generators that
dropout draws from.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from edgemat.errors import TrainingError, UsageError
from edgemat.files import write_text
from edgemat.models.info import MattingTask
from edgemat.models.network import AnyNetwork
from edgemat.progress import progress_bar
from edgemat.training.generators import generator_states, restore_generators
from edgemat.training.holding import held, hold_statistics, norms
from edgemat.training.interrupt import ignore_interrupts, interrupts_held_back
from edgemat.training.losses import Loss
from edgemat.training.optimizers import create_optimizer
from edgemat.training.processes import Processes, joined, own_device
from edgemat.training.schedule import ParameterGroup, Phase, Schedule
from edgemat.training.selection import Selection
from edgemat.training.state import reading_state, write_state
from edgemat.training.step import Stepper

CHECKPOINT, LOG = "checkpoint.pt", "training.jsonl"
LOG_EVERY = 10


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" takes CUDA, then Apple's GPU, then the CPU.

    Of several processes on one machine each takes a GPU of its own.

    Raises
    ------
    UsageError
        When there is no such device, or this machine lacks it, or has fewer GPUs than processes.
    """
    if name != "auto":
        try:
            device = own_device(torch.device(name))
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise UsageError(
                f"This machine cannot train on the device {name!r}.", remedy="Use auto or cpu."
            ) from error
        return device
    if torch.cuda.is_available():
        return own_device(torch.device("cuda"))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def train(
    network: AnyNetwork,
    data: Dataset[dict[str, Tensor]],
    *,
    task: MattingTask,
    schedule: Schedule,
    folder: Path,
    before: Sequence[Phase] = (),
    encoder: nn.Module | None = None,
    groups: Sequence[ParameterGroup] | None = None,
    fixed: Sequence[nn.Module] = (),
    teacher: nn.Module | None = None,
    selection: Selection[AnyNetwork] | None = None,
    seed: int = 1,
    device: str = "auto",
    title: str = "training",
) -> AnyNetwork:
    """Train `network`, in place, and return it in eval mode on the CPU.

    Parameters
    ----------
    network:
        Returns a :class:`MattingOutput`.
    data:
        Map-style; items as :class:`edgemat.data.dataset.MattingDataset` gives them.
    folder:
        Holds the checkpoint and the log (JSON lines); training resumes from one found there.
    before:
        Phases that come before `data` and the schedule's steps, usually with smaller pictures.
    encoder:
        The part of `network` that the schedule's ``encoder_rate`` and ``bn = "encoder"`` mean.
    groups:
        What is trained, and how fast; by default all of it, the encoder at its own rate.
    fixed:
        Parts that stay as they are: parameters, and means and variances.
    teacher:
        A trained network, in eval mode, whose mattes `network` shall also come near.
    selection:
        Judges the network now and then; what comes back is the best, instead of the last.

    Raises
    ------
    TrainingError
        When the loss is not finite. The last checkpoint is kept.
    ValueError
        When the schedule speaks of an encoder, and none is given.
    """
    by_itself = (groups is None and schedule.encoder_rate != 1) or schedule.bn == "encoder"
    if encoder is None and by_itself:
        raise ValueError("The schedule treats the encoder by itself: pass it as `encoder`.")
    place = pick_device(device)
    network.to(place).train()
    if schedule.bn == "frozen":
        hold_statistics(network)
    elif schedule.bn == "encoder" and encoder is not None:
        fixed = (*fixed, *norms(encoder))
    if teacher is not None:
        teacher.to(place)
    phases = (*before, Phase(data, schedule.steps, schedule.batch))
    with held(fixed), joined(place) as processes:
        torch.manual_seed(seed + processes.rank)  # dropout draws from it, on GPUs as well
        groups = _encoder_and_rest(network, encoder, schedule) if groups is None else groups
        stepper = Stepper(
            network,
            create_optimizer(groups, schedule),
            schedule,
            task=task,
            place=place,
            processes=processes,
            teacher=teacher,
        )
        _go_through(phases, stepper, folder, selection, title)
        if selection is None:
            stepper.finish()
        elif processes.is_first:
            selection.restore(network)
        processes.share_weights(network)
    return network.cpu().eval()


def _go_through(
    phases: Sequence[Phase],
    stepper: Stepper[AnyNetwork],
    folder: Path,
    selection: Selection[AnyNetwork] | None,
    title: str,
) -> None:
    """Take all steps that are left, from the checkpoint in `folder` on."""
    schedule, processes = stepper.schedule, stepper.processes
    first, log = _resume(folder, stepper)
    total = sum(phase.steps for phase in phases)
    batches = _batches(phases, first, schedule, processes)
    with interrupts_held_back() as heed, progress_bar(title, total) as show:
        for step in range(first, total):
            heed()
            batch = {key: value.to(stepper.place) for key, value in next(batches).items()}
            loss = stepper.step(batch, step, total)
            _require_finite(loss, step, folder)
            if step % LOG_EVERY == 0 or step == total - 1:
                log.append({"step": step} | {k: round(v, 6) for k, v in loss.values().items()})
            if selection is not None and selection.is_due(step, total) and processes.is_first:
                log.append({"step": step, "val_sad": selection.judge(stepper.result, step)})
            if (step + 1) % schedule.checkpoint_every == 0 or step == total - 1:
                _save(folder, stepper, step + 1, log)
            show(step + 1)


def _encoder_and_rest(
    network: nn.Module, encoder: nn.Module | None, schedule: Schedule
) -> list[ParameterGroup]:
    seen = [] if encoder is None else list(encoder.parameters())
    known = set(seen)
    others = [parameter for parameter in network.parameters() if parameter not in known]
    return [ParameterGroup(seen, schedule.encoder_rate), ParameterGroup(others, 1.0)]


class _Window(Dataset[dict[str, Tensor]]):
    """Items first*B.. of an endless data set: what a resumed run still has to read.

    Of each batch, a process of several reads its share.
    """

    def __init__(self, phase: Phase, first: int, processes: Processes, parts: int) -> None:
        self.data, self.batch, self.first = phase.data, phase.batch, first
        self.share, self.rank = processes.share_of(phase.batch, parts), processes.rank
        self.count = (phase.steps - first) * self.share

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        step, place = divmod(index, self.share)
        return self.data[(self.first + step) * self.batch + self.rank * self.share + place]


def _batches(
    phases: Sequence[Phase], first: int, schedule: Schedule, processes: Processes
) -> Iterator[dict[str, Tensor]]:
    """Yield this process' share of the batches of all phases in order, from step `first` on."""
    for phase in phases:
        done, first = min(first, phase.steps), max(0, first - phase.steps)
        if done == phase.steps:
            continue
        window = _Window(phase, done, processes, schedule.accumulate)
        loader = DataLoader(
            window,
            batch_size=window.share,
            num_workers=schedule.workers,
            worker_init_fn=ignore_interrupts,
            # the loader draws a seed for its workers: not from the generator that dropout uses
            generator=torch.Generator().manual_seed(0),
        )
        with warnings.catch_warnings():
            # JAX, which the converter to TFLite brings, warns of every fork; workers don't use it
            warnings.filterwarnings("ignore", message="os.fork", category=RuntimeWarning)
            batches = iter(loader)
        yield from batches


def _require_finite(loss: Loss, step: int, folder: Path) -> None:
    if torch.isfinite(loss.total):
        return
    checkpoint = folder / CHECKPOINT
    kept = f"The last good checkpoint is {checkpoint}." if checkpoint.exists() else ""
    raise TrainingError(
        f"The loss is not finite at step {step}: {loss.values()}. {kept}".strip(),
        remedy="Lower learning_rate or lengthen warmup in the recipe.",
    )


def _save(folder: Path, stepper: Stepper[Any], step: int, log: list[dict[str, float]]) -> None:
    generators = stepper.processes.gathered(generator_states(stepper.place))
    if not stepper.processes.is_first:
        return
    random = generators[0] if len(generators) == 1 else generators
    write_state(folder / CHECKPOINT, stepper.state() | {"step": step, "random": random, "log": log})
    write_text(folder / LOG, "".join(json.dumps(line) + "\n" for line in log))


def _resume(folder: Path, stepper: Stepper[Any]) -> tuple[int, list[dict[str, float]]]:
    """Resume from the checkpoint that the first process finds."""
    path, processes = folder / CHECKPOINT, stepper.processes
    if not processes.told(path.exists()):
        return 0, []
    reading: AbstractContextManager[dict[str, Any]] = nullcontext({})
    if processes.is_first:
        reading = reading_state(path)
    with reading as found:
        state = processes.told(found)
        stepper.load(state)
        generators = state["random"] if isinstance(state["random"], list) else [state["random"]]
        if len(generators) != processes.count:
            raise TrainingError(
                f"{path} is of a training on {len(generators)} processes, not {processes.count}.",
                remedy="Start as many, or delete it: the training then begins anew.",
            )
        restore_generators(generators[processes.rank], stepper.place)
        return int(state["step"]), list(state["log"])
