"""An int8 file against the frozen model, tensor by tensor, in steps of each tensor's grid (LSB)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from edgemat.convert.backend import Backend, GridTensor
from edgemat.images import F32
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.quantize.frozen import FrozenFakeQuantize
from edgemat.quantize.spec import StoredGrid
from edgemat.scoring.evaluate import EvaluationSet


@dataclass(frozen=True)
class LayerDifference:
    """One tensor of an int8 file against the frozen model, in steps of its own grid (LSB).

    Attributes
    ----------
    layer:
        Operator of the deploy form whose output it is.
    share_off:
        Share of values that differ at all, 0..1.
    """

    layer: str
    median_lsb: float
    p99_lsb: float
    max_lsb: float
    share_off: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class LayerTable:
    """Every tensor that could be told apart, in the order of the network.

    Attributes
    ----------
    unmatched:
        Tensors of the frozen model that the file does not have: the converter made one of two.
    runtime:
        What ran the file.
    """

    rows: tuple[LayerDifference, ...]
    unmatched: int
    runtime: str = ""

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LayerTable:
        """Return what :meth:`to_json` gave."""
        rows = tuple(LayerDifference(**row) for row in value["layers"])
        return cls(rows, value["unmatched"], value["runtime"])

    def first_above(self, lsb: float) -> LayerDifference | None:
        """Return the first layer whose median difference exceeds `lsb` steps."""
        return next((row for row in self.rows if row.median_lsb > lsb), None)

    def to_json(self) -> dict[str, Any]:
        first = self.first_above(1.0)
        return {
            "runtime": self.runtime,
            "unmatched": self.unmatched,
            "first_above_1_lsb": None if first is None else first.layer,
            "layers": [row.to_json() for row in self.rows],
        }


def compare_layers(
    path: Path, backend: Backend, frozen: nn.Module, data: EvaluationSet, *, picture: int = 0
) -> list[LayerTable]:
    """Run one picture through a file and the frozen model and compare tensor by tensor.

    One table for each way in which this machine runs the file. Tensors of a file carry no names
    that survive conversion: they are told apart by grid and shape, and among equals by their order.

    Parameters
    ----------
    picture:
        Which of `data`.
    """
    x = data.inputs(picture)
    own = _frozen_tensors(frozen, x)
    found = backend.layers(path, x)
    return [_compare(own, tensors, runtime) for runtime, tensors in found.items()]


def _frozen_tensors(frozen: nn.Module, x: F32) -> list[GridTensor]:
    found: list[GridTensor] = []
    calls: dict[FrozenFakeQuantize, int] = {}

    def keep(quantizer: FrozenFakeQuantize, _: Any, output: Tensor) -> None:
        quant = quantizer.quant
        if quant.kind != "activation" or output.ndim != 4:
            return
        grid = quant.stored
        # one quantizer serves several places, in the order of its calls
        place = quant.places[min(calls.get(quantizer, 0), len(quant.places) - 1)]
        calls[quantizer] = calls.get(quantizer, 0) + 1
        steps = np.rint(output.permute(0, 2, 3, 1).numpy() / grid.scales[0])
        values = steps.astype(np.int32) + grid.zero_points[0]
        found.append(GridTensor(place.operator, grid, values))

    quantizers = [m for m in frozen.modules() if isinstance(m, FrozenFakeQuantize)]
    handles = [quantizer.register_forward_hook(keep) for quantizer in quantizers]
    try:
        torch_predictor(frozen)(x)
    finally:
        for handle in handles:
            handle.remove()
    return found


# ---- which tensor is which --------------------------------------------------------------------


def _compare(ours: Sequence[GridTensor], theirs: Sequence[GridTensor], runtime: str) -> LayerTable:
    groups = _by_key(theirs)
    pairs: dict[int, GridTensor] = {}
    for key, mine in _by_key(ours).items():
        pairs.update(_pair([ours[n] for n in mine], mine, [theirs[n] for n in groups.get(key, [])]))
    rows = tuple(
        _difference(found, pairs[number]) for number, found in enumerate(ours) if number in pairs
    )
    return LayerTable(rows, len(ours) - len(rows), runtime)


def _by_key(found: Iterable[GridTensor]) -> dict[tuple[StoredGrid, tuple[int, ...]], list[int]]:
    groups: dict[tuple[StoredGrid, tuple[int, ...]], list[int]] = {}
    for number, one in enumerate(found):
        groups.setdefault(one.key, []).append(number)
    return groups


def _pair(
    ours: Sequence[GridTensor], numbers: Sequence[int], theirs: Sequence[GridTensor]
) -> dict[int, GridTensor]:
    """Pair tensors of one grid and shape in order, as many as there are on the shorter side.

    Where the numbers differ, the pairing in order with the least sum of differences is taken.
    """
    if len(ours) == len(theirs):
        return dict(zip(numbers, theirs, strict=True))
    swapped = len(ours) > len(theirs)
    short, long = (theirs, ours) if swapped else (ours, theirs)
    # best[i][j]: least sum of differences that pairs the first i of short among the first j of long
    best = np.full((len(short) + 1, len(long) + 1), np.inf)
    best[0] = 0.0
    distance = [[float(np.abs(a.values - b.values).mean()) for b in long] for a in short]
    for i in range(1, len(short) + 1):
        for j in range(i, len(long) + 1):
            best[i, j] = min(best[i, j - 1], best[i - 1, j - 1] + distance[i - 1][j - 1])
    pairs, j = {}, len(long)
    for i in range(len(short), 0, -1):
        while best[i, j] == best[i, j - 1]:
            j -= 1
        mine, other = (j - 1, short[i - 1]) if swapped else (i - 1, long[j - 1])
        pairs[numbers[mine]] = other
        j -= 1
    return pairs


def _difference(mine: GridTensor, other: GridTensor) -> LayerDifference:
    difference = np.abs(mine.values - other.values)
    return LayerDifference(
        layer=mine.name,
        median_lsb=float(np.median(difference)),
        p99_lsb=float(np.percentile(difference, 99)),
        max_lsb=float(difference.max()),
        share_off=float((difference > 0).mean()),
    )
