"""Which tensor of an int8 file is which of the frozen model.

Tensors carry no names that survive conversion. They are told apart by what they are: the grid, the
shape and, among equals, the integers that they hold for one picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from edgemat.convert.backend import Backend, GridTensor, channels_last
from edgemat.images import F32
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.quantize.frozen import FrozenFakeQuantize
from edgemat.quantize.spec import StoredGrid, TensorQuant


@dataclass(frozen=True)
class FrozenTensor:
    """What one quantizer of a frozen model gave in one of its calls."""

    quant: TensorQuant
    tensor: GridTensor


@dataclass(frozen=True)
class BothRuns:
    """A frozen model and its file after one picture.

    Attributes
    ----------
    quants:
        All grids of the frozen model.
    own:
        What it computed with them, weights included, in their order.
    found:
        The file's quantized activations, for each way in which this machine runs it.
    """

    quants: tuple[TensorQuant, ...]
    own: tuple[FrozenTensor, ...]
    found: Mapping[str, Sequence[GridTensor]]


def run_both(path: Path, backend: Backend, frozen: nn.Module, x: F32) -> BothRuns:
    """Run a picture, 1,H,W,C in 0..1, through a frozen model and the file that was made of it.

    The model computes in the arithmetic of the file's own kernels.
    """
    quants = tuple(m.quant for m in frozen.modules() if isinstance(m, FrozenFakeQuantize))
    with backend.arithmetic():
        own = tuple(_frozen_tensors(frozen, x))
    return BothRuns(quants, own, backend.layers(path, x))


def _frozen_tensors(frozen: nn.Module, x: F32) -> list[FrozenTensor]:
    found: list[FrozenTensor] = []
    calls: dict[FrozenFakeQuantize, int] = {}

    def keep(quantizer: FrozenFakeQuantize, _: Any, output: Tensor) -> None:
        quant = quantizer.quant
        # one quantizer serves several places, in the order of its calls
        place = quant.places[min(calls.get(quantizer, 0), len(quant.places) - 1)]
        calls[quantizer] = calls.get(quantizer, 0) + 1
        values = integers(output, quant)
        found.append(FrozenTensor(quant, GridTensor(place.operator, quant.stored, values)))

    quantizers = [m for m in frozen.modules() if isinstance(m, FrozenFakeQuantize)]
    handles = [quantizer.register_forward_hook(keep) for quantizer in quantizers]
    try:
        torch_predictor(frozen)(x)
    finally:
        for handle in handles:
            handle.remove()
    return found


def integers(tensor: Tensor, quant: TensorQuant) -> npt.NDArray[np.int32]:
    """Return a tensor of torch as the integers of :class:`GridTensor`."""
    values = tensor.detach().double().numpy()
    grid = quant.stored
    if quant.axis is None:
        return channels_last(
            np.rint(values / grid.scales[0]).astype(np.int32) + grid.zero_points[0]
        )
    outputs_first = np.moveaxis(values, quant.axis, 0)
    shape = (-1, *[1] * (values.ndim - 1))
    steps = np.rint(outputs_first / np.reshape(grid.scales, shape)).astype(np.int32)
    return channels_last(steps + np.reshape(grid.zero_points, shape).astype(np.int32))


def pair_tensors(own: Sequence[GridTensor], found: Sequence[GridTensor]) -> dict[int, GridTensor]:
    """Return what each tensor of `own`, by its number, is among those `found` in a file.

    Only tensors of one grid and shape are paired, each once, so that the sum of their differences
    is the least. A tensor that no one is left for is left out.
    """
    groups = _by_key(found)
    pairs: dict[int, GridTensor] = {}
    for key, numbers in _by_key(own).items():
        others = [found[number] for number in groups.get(key, [])]
        distances = [[_distance(own[number], other) for other in others] for number in numbers]
        if others:
            for row, column in zip(*linear_sum_assignment(distances), strict=True):
                pairs[numbers[row]] = others[column]
    return pairs


def pair_activations(
    own: Sequence[GridTensor], found: Sequence[GridTensor]
) -> dict[int, GridTensor]:
    """Do as :func:`pair_tensors` with what a model and its file computed of one picture.

    A model rounds one tensor once for each who takes it, and a file has it but once: the others of
    equal ones are left out, where the file has not as many. What else it has on their grid, such as
    a maximum that the model does not round, is none of them.
    """
    contents = [_content(one) for one in own]
    first: dict[tuple[Any, bytes], int] = {}
    for number, content in enumerate(contents):
        first.setdefault(content, number)
    distinct = list(first.values())
    among = pair_tensors([own[number] for number in distinct], found)
    pairs = {distinct[place]: other for place, other in among.items()}
    taken = {id(other) for other in among.values()}
    free: dict[tuple[Any, bytes], list[GridTensor]] = {}
    for other in found:
        if id(other) not in taken:
            free.setdefault(_content(other), []).append(other)
    for number, content in enumerate(contents):
        partner = pairs.get(first[content])
        if number not in pairs and partner is not None and free.get(_content(partner)):
            pairs[number] = free[_content(partner)].pop()
    return pairs


def _content(one: GridTensor) -> tuple[Any, bytes]:
    """Return what is the same of equal tensors alone."""
    return one.key, hashlib.sha256(one.values.tobytes()).digest()


def _distance(one: GridTensor, other: GridTensor) -> float:
    return float(np.abs(one.values - other.values).mean())


def _by_key(found: Iterable[GridTensor]) -> dict[tuple[StoredGrid, tuple[int, ...]], list[int]]:
    groups: dict[tuple[StoredGrid, tuple[int, ...]], list[int]] = {}
    for number, one in enumerate(found):
        groups.setdefault(one.key, []).append(number)
    return groups
