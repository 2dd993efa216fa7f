"""A tensor that a runtime has turned is known again, and another one is not taken for it."""

from __future__ import annotations

import numpy as np

from edgemat.convert.backend import GridTensor
from edgemat.convert.pairing import pair_activations
from edgemat.convert.proof import _holds_the_values, _in_another_order
from edgemat.quantize.spec import StoredGrid

GRID, OTHER = StoredGrid((0.5,), (3,)), StoredGrid((0.25,), (3,))


def tensor(values: np.ndarray, grid: StoredGrid = GRID) -> GridTensor:
    return GridTensor("t", grid, values.astype(np.int32))


def test_turned_tensors() -> None:
    random = np.random.default_rng(0)
    one, two = random.integers(-90, 90, (2, 3, 4)), random.integers(0, 40, (2, 3, 4))
    own = [tensor(one), tensor(two), tensor(one)]
    turned = tensor(one.transpose(2, 0, 1))
    assert _in_another_order([0, 1], own, [turned]) == {0}
    assert _in_another_order([0, 2], own, [turned]) == {0}  # a file's tensor counts once
    assert _in_another_order([0], own, [tensor(one.transpose(2, 0, 1), OTHER)]) == set()
    assert _in_another_order([0], own, [tensor(one[:, :2])]) == set()


def test_a_tensor_that_is_nearly_constant_is_known_by_its_values() -> None:
    """As a classifier's may be that has learned nothing: what varies in it is rounding."""
    flat = np.full((1, 32, 32, 1), -121)
    one, other = flat.copy(), flat.copy()
    one[0, :20, 0], other[0, 5:30, 7] = -120, -120
    assert _holds_the_values(one, other) and _holds_the_values(flat, one)
    assert not _holds_the_values(one, other + 3) and not _holds_the_values(flat, flat + 3)
    picture = np.random.default_rng(0).integers(-90, 90, flat.shape)
    assert _holds_the_values(picture, picture + 3)
    assert not _holds_the_values(one, picture) and not _holds_the_values(picture, picture[:, ::-1])


def test_what_two_take_is_one_tensor_of_a_file() -> None:
    """The greater of two lies on their grid, and no one rounds it: it is none of the model's."""
    random = np.random.default_rng(0)
    given, other = random.integers(-90, 0, (2, 1, 4, 4, 2))
    greater = np.maximum(given, other)
    own = [tensor(given), tensor(given), tensor(greater + 9)]
    found = [tensor(one) for one in (greater, given, greater + 9)]
    assert pair_activations(own, found) == {0: found[1], 2: found[2]}
    found.append(tensor(given))
    paired = pair_activations(own, found)
    assert {id(paired[0]), id(paired[1])} == {id(found[1]), id(found[3])}, "each has its own"
    assert pair_activations(own, [tensor(given, OTHER)]) == {}
