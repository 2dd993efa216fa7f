"""Samplings of chapter 3 by their equations: indexed pooling, index networks, CARAFE, gradients."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.carafe import Carafe
from edgemat.models.blocks.index import (
    FAMILIES,
    HolisticMaxIndex,
    IndexBlock,
    IndexedUpsample,
    IndexFamily,
    Normalisation,
)
from edgemat.models.blocks.pooling import MaxUnpool, SumPool
from edgemat.models.blocks.sampling import (
    SAMPLINGS,
    IndexSampling,
    MaxSampling,
    SpaceDepthSampling,
    create_sampling,
)
from edgemat.models.count import count_parameters
from edgemat.models.pruned import settle_channels

POSITIONS = ((0, 0), (0, 1), (1, 0), (1, 1))


# ---- indexed pooling and upsampling, equations 3.1 to 3.4 -----------------------------------


class FixedIndex(nn.Module):
    """An index block that gives the same index map whatever it sees."""

    def __init__(self, index: Tensor) -> None:
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.index, self.index


def indexed(index: Tensor) -> IndexSampling:
    return IndexSampling({0: index.shape[1]}, {0: FixedIndex(index)})


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**16), channels=st.integers(1, 4))
def test_indices_of_maxima_make_max_pooling_and_unpooling(seed: int, channels: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, channels, 6, 8, generator=generator)
    y = torch.randn(2, channels, 3, 4, generator=generator)
    largest = F.interpolate(F.max_pool2d(x, 2), scale_factor=2, mode="nearest")
    learned, fixed = indexed((x == largest).float()), MaxSampling()
    _, pooled, guide = learned.down(0, x)
    _, expected, switch = fixed.down(0, x)
    assert torch.allclose(pooled, expected, atol=1e-6)
    assert torch.equal(learned.up(0, y, guide), fixed.up(0, y, switch))


def test_equal_indices_make_average_pooling_and_ones_nearest_neighbours() -> None:
    x, y = torch.randn(1, 3, 4, 6), torch.randn(1, 3, 2, 3)
    average = create_sampling("avg-nearest", {0: 3})
    quarter, ones = indexed(torch.full((1, 3, 4, 6), 0.25)), indexed(torch.ones(1, 3, 4, 6))
    assert torch.allclose(quarter.down(0, x).pooled, average.down(0, x).pooled)
    assert torch.equal(ones.up(0, y, ones.down(0, x).guide), average.up(0, y, None))


def test_indexed_operators_by_the_equations() -> None:
    """IP(E) is the sum of I(x) x over E, IU(d) is I times d spread over E."""
    x, y, index = torch.randn(1, 2, 4, 6), torch.randn(1, 2, 2, 3), torch.rand(1, 2, 4, 6)
    sampling = indexed(index)
    weighted, pooled, guide = sampling.down(0, x)
    spread = sampling.up(0, y, guide)
    for c, row, column in itertools.product(range(2), range(2), range(3)):
        total = 0.0
        for i, j in POSITIONS:
            place = (0, c, 2 * row + i, 2 * column + j)
            total += float(index[place] * x[place])
            assert weighted[place] == index[place] * x[place]
            assert spread[place] == index[place] * y[0, c, row, column]
        assert float(pooled[0, c, row, column]) == pytest.approx(total, abs=1e-6)


def test_holistic_max_index_of_one_channel_is_max_pooling() -> None:
    x, y = torch.randn(2, 1, 6, 8), torch.randn(2, 1, 3, 4)
    holistic, fixed = create_sampling("hmi", {0: 1}), MaxSampling()
    _, pooled, guide = holistic.down(0, x)
    _, expected, switch = fixed.down(0, x)
    assert torch.allclose(pooled, expected, atol=1e-6)
    assert torch.equal(holistic.up(0, y, guide), fixed.up(0, y, switch))


def test_holistic_max_index_by_its_definition() -> None:
    x = torch.randn(1, 5, 6, 4)
    index, same = HolisticMaxIndex()(x)
    assert index.shape == (1, 1, 6, 4) and torch.equal(index, same)
    for row, column in itertools.product(range(3), range(2)):
        window = {(i, j): float(x[0, :, 2 * row + i, 2 * column + j].max()) for i, j in POSITIONS}
        winner = max(window, key=lambda place: window[place])
        for i, j in POSITIONS:
            assert index[0, 0, 2 * row + i, 2 * column + j] == float((i, j) == winner)


def test_space_to_depth_loses_nothing() -> None:
    x = torch.randn(2, 3, 4, 6)
    sampling = SpaceDepthSampling()
    _, pooled, guide = sampling.down(0, x)
    assert pooled.shape == (2, 12, 2, 3)
    assert torch.equal(sampling.up(0, pooled, guide), x)


@pytest.mark.parametrize("name", SAMPLINGS)
def test_samplings_halve_and_double(name: str) -> None:
    sampling = create_sampling(name, {0: 4, 3: 8})
    for level, channels in ((0, 4), (3, 8)):
        feature, pooled, guide = sampling.down(level, torch.randn(2, channels, 8, 12))
        assert feature.shape == (2, channels, 8, 12)
        assert pooled.shape == (2, channels * sampling.factor, 4, 6)
        assert sampling.up(level, pooled, guide).shape == (2, channels, 8, 12)


# ---- index networks -------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_of_linear_families_by_table_3_1(family: IndexFamily) -> None:
    """A score is a weighted sum over the 2x2 window: of all channels, or of its own."""
    block = IndexBlock(3, family=family, nonlinear=False, context=False).double()
    x = torch.randn(1, 3, 4, 6, dtype=torch.float64)
    encoder, decoder = block(x)
    outputs = 1 if family == "hin" else 3
    assert encoder.shape == decoder.shape == (1, outputs, 4, 6)
    for c, row, column in itertools.product(range(outputs), range(2), range(3)):
        window = x[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        scores = []
        for position in range(4):
            if family == "hin":
                weights, seen = block.columns[0][0].weight[position], window
            elif family == "m2o":
                weights, seen = block.columns[position][0].weight[c], window
            else:  # one to one; shared weights are there once
                every = block.columns[position][0].weight
                weights, seen = every[c if family == "unshared" else 0], window[c : c + 1]
            scores.append(
                sum(a * b for a, b in zip(weights.flatten(), seen.flatten(), strict=True))
            )
        sigmoids = 1 / (1 + torch.exp(-torch.stack(scores)))
        softmax = torch.exp(sigmoids) / torch.exp(sigmoids).sum()
        for (i, j), low, high in zip(POSITIONS, sigmoids, softmax, strict=True):
            place = (0, c, 2 * row + i, 2 * column + j)
            torch.testing.assert_close(decoder[place], low)
            torch.testing.assert_close(encoder[place], high)


def test_families_share_their_weights_as_they_say() -> None:
    widths = {0: 4, 1: 8}

    def blocks(name: str) -> list[IndexBlock]:
        sampling = create_sampling(name, widths)
        assert isinstance(sampling, IndexSampling)
        return [sampling.block(level) for level in widths]  # type: ignore[misc]

    first, second = blocks("modelwise-nl")
    assert first is second
    first, second = blocks("shared-nl")
    assert first is not second
    assert count_parameters(first) == count_parameters(second) == 56


@pytest.mark.parametrize("family", ["shared", "unshared"])
def test_one_to_one_families_see_their_own_channel_alone(family: IndexFamily) -> None:
    block = IndexBlock(4, family=family).eval()
    x = torch.randn(1, 4, 8, 8)
    changed = x.clone()
    changed[:, 2] = torch.randn(1, 8, 8)
    before, after = block(x)[1], block(changed)[1]
    others = [0, 1, 3]
    assert torch.equal(before[:, others], after[:, others])
    assert not torch.equal(before[:, 2], after[:, 2])


@pytest.mark.parametrize("normalisation", get_args(Normalisation))
def test_normalisations_of_table_3_5(normalisation: Normalisation) -> None:
    """Softmax is over a window, sigmoid over a score; the deploy form computes the same."""
    sampling = create_sampling("m2o-nl", {0: 6}, normalisation=normalisation).double().eval()
    assert isinstance(sampling, IndexSampling)
    x, y = torch.randn(1, 6, 4, 6).double(), torch.randn(1, 6, 2, 3).double()
    encoder, decoder = sampling.block(0)(x)
    for index, steps in zip((encoder, decoder), normalisation.split("/"), strict=True):
        assert index.min() > 0 and index.max() < 1
        sums = SumPool(6)(index)
        assert torch.allclose(sums, torch.ones_like(sums)) == steps.endswith("softmax")
    deploy = sampling.deploy().double()
    weighted, pooled, guide = sampling.down(0, x)
    found = deploy.down(0, x)
    assert torch.allclose(found.feature, weighted, atol=1e-6)
    assert torch.allclose(found.pooled, pooled, atol=1e-6)
    assert torch.allclose(deploy.up(0, y, found.guide), sampling.up(0, y, guide), atol=1e-6)


@pytest.mark.parametrize(
    "name", ["shared-nlc", "modelwise-nlc", "max-shared-lc", "max-modelwise-lc"]
)
def test_a_block_that_serves_any_channels_deploys_for_those_that_pruning_left(name: str) -> None:
    """No weight of such a block says how many there are: the pool has seen it."""

    class Halving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sampling = create_sampling(name, {0: 6})

        def forward(self, x: Tensor) -> Tensor:
            return self.sampling.down(0, x).pooled

    network, x = Halving().eval(), torch.randn(1, 4, 8, 8)
    settle_channels(network, x)
    sampling = network.sampling
    assert isinstance(sampling, IndexSampling)
    deploy = sampling.deploy()
    before, after = sampling.down(0, x), deploy.down(0, x)
    torch.testing.assert_close(after.pooled, before.pooled)
    y = torch.randn(1, 4, 4, 4)
    torch.testing.assert_close(deploy.up(0, y, after.guide), sampling.up(0, y, before.guide))


# ---- CARAFE -----------------------------------------------------------------------------------


def test_carafe_by_a_slow_loop() -> None:
    """Every output pixel is the softmax-weighted sum of a 5x5 window, zeros outside."""
    carafe = Carafe(3, compressed=4).double()
    height, width = 4, 5
    x = torch.randn(1, 3, height, width, dtype=torch.float64)
    scores = carafe.encode(carafe.compress(x))[0]  # 4 * 25, H, W
    found = carafe(x)[0]
    assert found.shape == (3, 2 * height, 2 * width)
    for row, column in itertools.product(range(height), range(width)):
        for position, (i, j) in enumerate(POSITIONS):
            own = scores[25 * position : 25 * position + 25, row, column]
            kernel = torch.exp(own) / torch.exp(own).sum()
            expected = torch.zeros(3, dtype=torch.float64)
            for place in range(25):
                r, c = row + place // 5 - 2, column + place % 5 - 2
                if 0 <= r < height and 0 <= c < width:
                    expected += kernel[place] * x[0, :, r, c]
            torch.testing.assert_close(found[:, 2 * row + i, 2 * column + j], expected)


def test_carafe_with_equal_scores_is_a_mean_and_keeps_constants_inside() -> None:
    carafe = Carafe(2)
    nn.init.zeros_(carafe.encode.weight)
    x = torch.randn(1, 2, 8, 8)
    mean = F.avg_pool2d(x, 5, stride=1, padding=2)  # zeros outside count
    assert torch.allclose(carafe(x), F.interpolate(mean, scale_factor=2), atol=1e-6)


# ---- gradients in float64 -------------------------------------------------------------------


def distinct(*shape: int) -> Tensor:
    """Return values that differ by at least 0.01, so that no maximum changes hands."""
    count = torch.Size(shape).numel()
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return (order.double() / count - 0.5).reshape(shape).requires_grad_()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("nonlinear", "context"), [(False, False), (True, True)])
def test_gradients_of_index_networks(family: IndexFamily, nonlinear: bool, context: bool) -> None:
    torch.manual_seed(0)
    block = IndexBlock(2, family=family, nonlinear=nonlinear, context=context).double()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False  # or every evaluation would change the next
            module.running_mean = module.running_var = None
    assert torch.autograd.gradcheck(block, distinct(2, 2, 4, 4), fast_mode=True)


def test_gradients_of_indexed_operators() -> None:
    x, index = distinct(1, 2, 4, 4), torch.rand(1, 2, 4, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: SumPool(2)(a * b), (x, index))
    assert torch.autograd.gradcheck(IndexedUpsample(), (distinct(1, 2, 2, 2), index))


def test_gradients_of_max_pooling_and_unpooling() -> None:
    sampling, unpool = MaxSampling(), MaxUnpool()
    x, y = distinct(1, 2, 4, 4), distinct(1, 2, 2, 2)
    _, _, switch = sampling.down(0, x)
    assert torch.autograd.gradcheck(lambda a: sampling.down(0, a).pooled, x)
    assert torch.autograd.gradcheck(lambda a: unpool(a, switch), y)


def test_gradients_of_carafe() -> None:
    torch.manual_seed(0)
    carafe = Carafe(2, kernel=3, compressed=3).double()
    weights = [carafe.compress.weight, carafe.encode.weight]

    def run(x: Tensor, compress: Tensor, encode: Tensor) -> Tensor:
        values = {"compress.weight": compress, "encode.weight": encode}
        return torch.func.functional_call(carafe, values, (x,))

    assert torch.autograd.gradcheck(run, (distinct(1, 2, 3, 3), *weights), fast_mode=True)
