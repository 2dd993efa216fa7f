"""What training costs on this machine: the loader beside the steps, convolutions, memory, growth.

Each configuration is measured in a process of its own, so that its peak of memory is its own:

    loader       pictures a second from the loader's processes, with nobody to wait for
    training     pictures a second that steps take, their batch ready before them
    convolutions their share of a step's time on the processor, forwards and backwards

    python -m edgemat.bench.throughput JSON      the work of one such process; prints JSON
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader

from edgemat.bench.child import run_child
from edgemat.bench.devices.host import peak_rss_bytes
from edgemat.data.dataset import MattingDataset
from edgemat.data.held_out import for_training
from edgemat.data.open import open_data
from edgemat.data.sections import PEOPLE, DataSection
from edgemat.errors import UsageError
from edgemat.models import create_matting, model_info
from edgemat.scoring.validation import default_data
from edgemat.training.interrupt import ignore_interrupts
from edgemat.training.optimizers import create_optimizer
from edgemat.training.processes import Processes
from edgemat.training.schedule import ParameterGroup, Schedule
from edgemat.training.step import Stepper

ENDLESS = 1 << 30
ROUNDS = 2
"""At least so many batches of each of the loader's processes are timed."""
LINKS = 10_000
"""To one file; file systems have bounds, ext4's is 65,000."""
TIMEOUT_S = 3600


@dataclass(frozen=True)
class Setting:
    """A network, and the pictures that it is trained on.

    Attributes
    ----------
    size, batch:
        Side of the pictures, px, and how many a step has.
    source:
        "people", "procedural" or a folder of mattes.
    cores:
        The loader's processes when it is alone, and the threads of training when that is.
    steps:
        That are measured, after one that is not; of the loader at least :data:`ROUNDS` batches of
        each process.
    """

    architecture: str
    width: float = 1.0
    size: int = 256
    batch: int = 8
    source: str = "people"
    cores: int = 2
    steps: int = 4


@dataclass(frozen=True)
class Throughput:
    """What one setting costs.

    Attributes
    ----------
    loader_per_s, training_per_s:
        Pictures a second, each alone on all cores.
    convolution_share:
        Of a step's time on the processor, in 0..1.
    peak_mb:
        Millions of bytes of the process that trains; without those of the loader's processes. None
        where no system call tells.
    """

    setting: Setting
    loader_per_s: float
    training_per_s: float
    convolution_share: float
    peak_mb: float | None

    @property
    def ratio(self) -> float:
        """How many times what training consumes the loader gives."""
        return self.loader_per_s / self.training_per_s

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self) | {"ratio": self.ratio}


@dataclass(frozen=True)
class OpenedFolder:
    """How long a folder of so many mattes takes to open: its files are found, paired and split."""

    mattes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


def grow(
    setting: Setting, *, sizes: Sequence[int] = (), batches: Sequence[int] = ()
) -> list[Setting]:
    """Return a setting, and the same with other sizes and with other batches.

    Raises
    ------
    UsageError
        For a network that is none of matting, a size that it does not take, or data that cannot be
        opened: before processes start.
    """
    stride = create_matting(setting.architecture, width=setting.width).stride
    for size in (setting.size, *sizes):
        if size % stride:
            raise UsageError(
                f"{setting.architecture} takes sides of multiples of {stride} px, not {size}.",
                remedy=f"Give --size {math.ceil(size / stride) * stride}.",
            )
    task = model_info(setting.architecture).matting_task
    open_data(_data(setting, task), seed=1, size=(setting.size, setting.size))
    others = [replace(setting, size=size) for size in sizes]
    others += [replace(setting, batch=batch) for batch in batches]
    return list(dict.fromkeys([setting, *others]))


def measure_growth(
    wanted: Sequence[Setting], *, progress: Callable[[int, int], None] | None = None
) -> list[Throughput]:
    """Measure settings that :func:`grow` gave.

    Raises
    ------
    MissingToolError
        When a process dies, for example for lack of memory, or takes more than an hour.
    """
    found = []
    for done, one in enumerate(wanted, start=1):
        told = run_child(
            "edgemat.bench.throughput",
            asdict(one),
            measures=f"a training of {one.architecture} on {one.batch} pictures of {one.size} px",
            timeout_s=TIMEOUT_S,
            remedy="Give a smaller --size or --batch, or fewer --steps.",
        )
        found.append(Throughput(one, **told))
        if progress is not None:
            progress(done, len(wanted))
    return found


def measure_opening(counts: Sequence[int]) -> list[OpenedFolder]:
    """Measure how long folders of so many mattes take to open, all of them one small picture."""
    return [OpenedFolder(count, _seconds_to_open(count)) for count in counts]


def measure_here(setting: Setting) -> dict[str, Any]:
    """Measure a setting in this process; returns the figures of :class:`Throughput`."""
    torch.set_num_threads(setting.cores)
    batches = _batches(setting)
    first = next(batches)
    loader = setting.batch * _rate(batches, workers=setting.cores, least=setting.steps)
    del batches  # and with it the loader's processes

    stepper = _stepper(setting)
    stepper.step(first, 0, setting.steps)
    start = time.monotonic()
    for number in range(setting.steps):
        stepper.step(first, number, setting.steps)
    training = setting.steps * setting.batch / (time.monotonic() - start)
    peak = peak_rss_bytes()
    return {
        "loader_per_s": loader,
        "training_per_s": training,
        "convolution_share": _convolution_share(stepper, first, setting),
        "peak_mb": None if peak is None else peak / 1e6,
    }


def _rate(batches: Iterator[Any], *, workers: int, least: int) -> float:
    """Return batches a second of a loader's processes, of at least so many.

    As many come at once as there are processes: what is timed are whole rounds of them.
    """
    for _ in range(2 * workers):  # what they make beforehand
        next(batches)
    count = max(ROUNDS, math.ceil(least / workers)) * workers
    start = time.monotonic()
    for _ in range(count):
        next(batches)
    return count / (time.monotonic() - start)


def _data(setting: Setting, task: str) -> DataSection:
    return for_training(default_data(task, setting.source))


def _batches(setting: Setting) -> Iterator[dict[str, Tensor]]:
    """Yield batches as a training's loader does, without end."""
    task = model_info(setting.architecture).matting_task
    size = (setting.size, setting.size)
    data = MattingDataset(
        open_data(_data(setting, task), seed=1, size=size),
        size=size,
        seed=1,
        length=ENDLESS,
        views="people" if task == "portrait" else "edges",
    )
    loader = DataLoader(
        data,
        batch_size=setting.batch,
        num_workers=setting.cores,
        worker_init_fn=ignore_interrupts,
    )
    yield from loader


def _stepper(setting: Setting) -> Stepper[Any]:
    torch.manual_seed(1)
    network = create_matting(setting.architecture, width=setting.width)
    network = network.to(memory_format=torch.channels_last).train()
    schedule = Schedule(steps=setting.steps, batch=setting.batch)
    return Stepper(
        network,
        create_optimizer([ParameterGroup(list(network.parameters()), 1.0)], schedule),
        schedule,
        task=model_info(setting.architecture).matting_task,
        place=torch.device("cpu"),
        processes=Processes(),
    )


def _convolution_share(stepper: Stepper[Any], batch: dict[str, Tensor], setting: Setting) -> float:
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        stepper.step(batch, 0, setting.steps)
    rows = [(row.key, row.self_cpu_time_total) for row in profiled.key_averages()]
    inside = sum(spent for name, spent in rows if "conv" in name)
    return float(inside / sum(spent for _, spent in rows))


def _seconds_to_open(count: int) -> float:
    """Open a folder whose mattes are links to a few copies of one."""
    person = sorted(PEOPLE.glob("*.webp"))[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(count):
            matte = folder / f"{number}.webp"
            if number % LINKS == 0:
                copy = shutil.copyfile(person, matte)
            else:
                _link(copy, matte)
        start = time.monotonic()
        source = open_data(DataSection(source=str(folder), part="train"), seed=1, size=(64, 64))
        source[0]
        return time.monotonic() - start


def _link(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # a file system without links, or with fewer
        shutil.copyfile(file, name)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure_here(Setting(**json.loads(sys.argv[1])))) + "\n")
