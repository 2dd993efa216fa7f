"""Single operations of ML Programs, each against known values, numpy and Python's slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgemat.convert import mil_ops


def test_quantize_rounds_half_to_even_and_saturates() -> None:
    values = torch.tensor([-1.0, 0.25, 0.75, 1.25, 1000.0])
    levels = mil_ops.quantize(values, torch.tensor(0.5), "uint8", torch.tensor(1))
    assert levels.tolist() == [0, 1, 3, 3, 255]


@given(
    st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=20),
    st.floats(2**-8, 2**-4, width=32),
    st.integers(0, 255),
)
def test_quantization_error_is_half_a_step(values: list[float], scale: float, point: int) -> None:
    x, step, zero = torch.tensor(values), torch.tensor(scale), torch.tensor(point)
    levels = mil_ops.quantize(x, step, "uint8", zero).to(torch.uint8)
    back = mil_ops.dequantize(levels, step, zero)
    lowest, highest = -point * scale, (255 - point) * scale
    assert torch.all((back - x.clamp(lowest, highest)).abs() <= scale / 2 + 1e-6)


def test_scales_of_channels_and_blocks() -> None:
    data = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]], dtype=torch.int8)
    scale, zero = torch.tensor([1.0, 10.0]), torch.tensor([0, 1], dtype=torch.int8)
    by_channel = mil_ops.constexpr_affine_dequantize(data, zero, scale, torch.tensor(0))
    assert by_channel.tolist() == [[1, 2, 3, 4], [40, 50, 60, 70]]
    by_block = mil_ops.constexpr_blockwise_shift_scale(data, torch.tensor([[1.0, 2.0]]))
    assert by_block.tolist() == [[1, 2, 6, 8], [5, 6, 14, 16]]


bounds = st.integers(-6, 6)


@given(bounds, bounds, st.sampled_from([-2, -1, 1, 2, 3]), st.booleans(), st.booleans())
def test_slice_by_index_is_python_slicing(
    first: int, last: int, step: int, from_start: bool, to_end: bool
) -> None:
    x = torch.arange(10).reshape(2, 5)
    found = mil_ops.slice_by_index(
        x,
        torch.tensor([1, first]),
        torch.tensor([0, last]),
        torch.tensor([1, step]),
        torch.tensor([False, from_start]),
        torch.tensor([False, to_end]),
        torch.tensor([True, False]),
    )
    wanted = x.numpy()[1, slice(None if from_start else first, None if to_end else last, step)]
    assert found.tolist() == wanted.tolist()


def test_slice_by_size_to_the_end() -> None:
    x = torch.arange(10).reshape(2, 5)
    found = mil_ops.slice_by_size(x, torch.tensor([0, 3]), torch.tensor([1, -1]))
    assert found.tolist() == [[3, 4]]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4),
    st.sampled_from(["constant", "edge", "reflect"]),
)
def test_pad_pads_the_last_dimensions(widths: list[tuple[int, int]], mode: Any) -> None:
    x = torch.rand(2, 3, 4, 5)
    named = {"edge": "replicate"}.get(mode, mode)
    found = mil_ops.pad(x, torch.tensor(widths).ravel(), named)
    everywhere = [(0, 0)] * (4 - len(widths)) + widths
    np.testing.assert_array_equal(found, np.pad(x.numpy(), everywhere, mode=mode))


def test_small_operations() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert mil_ops.reshape(x, torch.tensor([0, -1])).shape == (2, 3)
    assert mil_ops.expand_dims(x, torch.tensor([0, -1])).shape == (1, 2, 3, 1)
    assert mil_ops.concat([x, -x], 1, interleave=True)[0].tolist() == [0, 0, 1, -1, 2, -2]
    assert mil_ops.gather(x, torch.tensor([[2, -1]]), 1).tolist() == [[[2, 2]], [[5, 5]]]
    assert mil_ops.gather(x, torch.tensor(1)).tolist() == [3, 4, 5]
    assert mil_ops.inverse(torch.tensor([0.0])).tolist() == [10000]  # the default epsilon of MIL
    assert mil_ops.fill(torch.tensor([1, 2]), torch.tensor(7.0)).tolist() == [[7, 7]]
    assert mil_ops.band_part(torch.ones(3, 3), 0, -1).tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1]]
    assert [part.shape[1] for part in mil_ops.split(x, 1, num_splits=3)] == [1, 1, 1]
    assert mil_ops.reduce_argmax(x, 0).tolist() == [1, 1, 1]


@pytest.mark.parametrize(("pad_type", "first"), [("same", [0, 2, 4]), ("same_lower", [0, 1, 3])])
def test_same_padding_of_strided_convolutions(pad_type: str, first: list[int]) -> None:
    row = torch.arange(6.0).reshape(1, 1, 1, 6)
    # width 2 at stride 2 on 6 columns needs none; width 3 needs one column more
    found = mil_ops.conv(row, torch.tensor([[[[1.0, 0, 0]]]]), strides=(1, 2), pad_type=pad_type)
    assert found.ravel().tolist() == first
