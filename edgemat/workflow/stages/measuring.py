"""Measuring: what a run's files take on one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgemat.artifacts.artifact import Artifact
from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.transports import open_device
from edgemat.bench.protocol import Protocol
from edgemat.bench.store import RunStore
from edgemat.progress import share_bar
from edgemat.terminal import err

if TYPE_CHECKING:
    from edgemat.workflow.step import StepRecord

HISTORY = "runs.sqlite"


def measure_stage(
    files: Mapping[str, Artifact],
    device: str,
    *,
    delegate: str,
    threads: Sequence[int],
    protocol: Protocol,
    folder: Path,
) -> StepRecord:
    """Measure files against each other on one device, and keep the results in the run's history.

    Parameters
    ----------
    files:
        By the names that the results give them.
    device:
        As a user writes it: "host", "adb", ...
    delegate:
        Who is to compute.
    folder:
        Of the run.
    """
    models = [BenchModel.open(file.path, name) for name, file in files.items()]
    request = Request(models, threads, delegate, protocol)
    with share_bar(f"measuring on {device}") as show:
        results = open_device(device, say=err.print).measure(request, progress=show)
    store = RunStore(folder / HISTORY)
    for result in results:
        store.append(result)
    return {"results": [result.to_json() for result in results]}
