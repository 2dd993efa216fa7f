"""Proof of int8, read from the finished file and compared with the frozen model it was made from.

Two questions are answered from the file alone: what is computed in int8, and on which grids. Each
grid must lie at its own tensor: the one that has the tensor's shape and, for one picture, holds its
values. A grid that a file carries somewhere else proves nothing. A third needs both: which tensors
are the frozen model's own, bit for bit, where it computes as the file's kernels do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgemat.artifacts.artifact import GridOrigins, Int8Proof
from edgemat.convert.backend import Backend, GridTensor
from edgemat.convert.layer_parity import LayerTable, compare_layers
from edgemat.convert.pairing import BothRuns, FrozenTensor, pair_activations, pair_tensors
from edgemat.quantize.spec import TensorQuant

LEAST_CORRELATION = 0.5
"""Of a tensor of the file with the frozen model's. Kernels that round otherwise move the masks of
max-pooling, which are 0 or 1, in up to a sixth of their places: those still correlate by 0.63."""
FLAT, MOST_OFF = 1.0, 2
"""What varies by less than a step of its grid is all rounding: nothing of it correlates. Its values
have to be the same within so many steps."""
SORTED_DIFFERENCE = 0.5
"""Mean difference, in steps of the grid, of the sorted values of one tensor in two orders."""


def prove(
    path: Path, backend: Backend, runs: BothRuns, layers: LayerTable | None = None
) -> Int8Proof:
    """Count, in the file itself, what is int8, and how many grids lie at their tensors.

    Parameters
    ----------
    runs:
        Of the file and the model that it was made from, on a picture that tells tensors apart.
    layers:
        What :func:`compare_layers` says first of these runs, where it was asked already.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    counted = backend.count_int8(path)
    exact = _grids_at_their_tensors(runs, backend.weights(path))
    compared = (layers or compare_layers(runs)[0]).rows
    untold = any(quant.origin is None for quant in runs.quants)
    origins = Counter(str(quant.origin) for quant in exact)
    return Int8Proof(
        convolutions=counted.convolutions,
        int8_convolutions=counted.int8_convolutions,
        float_islands=counted.float_islands,
        scales=len(runs.quants),
        scales_exact=len(exact),
        origins=None if untold else GridOrigins(**origins),
        tensors=len(compared),
        tensors_equal=sum(row.share_off == 0 for row in compared),
    )


def _grids_at_their_tensors(runs: BothRuns, weights: Sequence[GridTensor]) -> list[TensorQuant]:
    """Return the grids whose every tensor is in the file."""
    own = runs.own
    computed = next(iter(runs.found.values()))
    found = _found(own, "activation", computed) | _found(own, "weight", weights)
    lost = {id(one.quant) for number, one in enumerate(own) if number not in found}
    return list({id(one.quant): one.quant for one in own if id(one.quant) not in lost}.values())


def _found(own: Sequence[FrozenTensor], kind: str, others: Sequence[GridTensor]) -> set[int]:
    """Return the numbers of those in `own` that are among `others`."""
    numbers = [number for number, one in enumerate(own) if one.quant.kind == kind]
    tensors = [own[number].tensor for number in numbers]
    pairs = (pair_tensors if kind == "weight" else pair_activations)(tensors, others)
    same = np.array_equal if kind == "weight" else _holds_the_values
    found = {one for one, other in pairs.items() if same(tensors[one].values, other.values)}
    if kind == "activation":
        taken = {id(other) for other in pairs.values()}
        free = [other for other in others if id(other) not in taken]
        found |= _in_another_order(
            [n for n in range(len(tensors)) if n not in pairs], tensors, free
        )
    # two equal tensors on one grid are one in a file that has no use for the second
    found |= {
        one
        for one, tensor in enumerate(tensors)
        if one not in pairs
        and any(
            tensor.key == tensors[n].key and np.array_equal(tensor.values, tensors[n].values)
            for n in found
        )
    }
    return {numbers[one] for one in found}


def _in_another_order(
    numbers: Sequence[int], tensors: Sequence[GridTensor], others: Sequence[GridTensor]
) -> set[int]:
    """Return which of some tensors a file holds in another order of axes, each of its own once.

    Runtimes turn what is multiplied as matrices: grid, number of values and, once sorted, the
    values tell such a tensor.
    """
    free, found = list(others), set()
    for number in numbers:
        own = tensors[number]
        values = np.sort(own.values, axis=None)
        for place, other in enumerate(free):
            if other.grid != own.grid or other.values.size != own.values.size:
                continue
            if np.abs(np.sort(other.values, axis=None) - values).mean() <= SORTED_DIFFERENCE:
                found.add(number)
                del free[place]
                break
    return found


def _holds_the_values(own: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two tensors of one shape hold the same picture, but for rounding."""
    one, two = own.ravel().astype(np.float64), other.ravel().astype(np.float64)
    spread = min(one.std(), two.std())
    if spread < FLAT and np.abs(one - two).max() <= MOST_OFF:
        return True
    return bool(spread > 0 and np.corrcoef(one, two)[0, 1] > LEAST_CORRELATION)
