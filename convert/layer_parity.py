"""An int8 file against the frozen model, tensor by tensor, in steps of each tensor's grid (LSB)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgemat.convert.backend import GridTensor
from edgemat.convert.pairing import BothRuns, pair_activations


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


def compare_layers(runs: BothRuns) -> list[LayerTable]:
    """Compare a file with the frozen model, tensor by tensor; a table for each way to run it."""
    own = [one.tensor for one in runs.own if one.quant.kind == "activation"]
    return [_compare(own, tensors, runtime) for runtime, tensors in runs.found.items()]


def _compare(own: Sequence[GridTensor], found: Sequence[GridTensor], runtime: str) -> LayerTable:
    pairs = pair_activations(own, found)
    rows = tuple(
        _difference(one, pairs[number]) for number, one in enumerate(own) if number in pairs
    )
    return LayerTable(rows, len(own) - len(rows), runtime)


def _difference(mine: GridTensor, other: GridTensor) -> LayerDifference:
    difference = np.abs(mine.values - other.values)
    return LayerDifference(
        layer=mine.name,
        median_lsb=float(np.median(difference)),
        p99_lsb=float(np.percentile(difference, 99)),
        max_lsb=float(difference.max()),
        share_off=float((difference > 0).mean()),
    )
