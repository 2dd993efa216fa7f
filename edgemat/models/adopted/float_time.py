"""The time that what stays in float takes before anything is converted: in torch, on this machine.

An estimate, for whether it is worth rewriting: `edgemat verify` measures the operators of the file
that was made of it, in LiteRT.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx

from edgemat.models.narrowing import function_of

WARMUP, RUNS = 1, 5


def float_times(calls: Sequence[fx.Node]) -> dict[Any, float]:
    """Return the milliseconds of calls with random tensors of their shapes, summed by operator.

    On one thread, as phones run what their delegates leave out; the median of each.
    """
    known: dict[str, float] = {}
    totals: dict[Any, float] = defaultdict(float)
    with _one_thread(), torch.no_grad():
        for node in calls:
            signature = repr((node.target, fx.map_arg((node.args, node.kwargs), _kind)))
            if signature not in known:
                known[signature] = _latency_ms(node)
            totals[node.target] += known[signature]
    return dict(totals)


def _latency_ms(node: fx.Node) -> float:
    args, kwargs = fx.map_arg((node.args, node.kwargs), _random)
    call = function_of(node)
    for _ in range(WARMUP):
        call(*args, **kwargs)
    samples = []
    for _ in range(RUNS):
        started = time.perf_counter_ns()
        call(*args, **kwargs)
        samples.append(time.perf_counter_ns() - started)
    return statistics.median(samples) / 1e6


def _kind(node: fx.Node) -> str:
    """Return what decides on the time of an operator that takes the result of `node`."""
    value = node.meta["val"]
    return f"{value.dtype} {tuple(value.shape)}"


def _random(node: fx.Node) -> Tensor:
    value = node.meta["val"]
    if value.dtype.is_floating_point:
        return torch.rand(value.shape, dtype=value.dtype)
    return torch.zeros(value.shape, dtype=value.dtype)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
