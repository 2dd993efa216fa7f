"""Networks: exact counts, the deploy form, the operators against independent definitions."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.errors import UsageError
from edgemat.models import create_model
from edgemat.models.blocks.index import IndexBlock, IndexedUpsample, UnitSoftmax
from edgemat.models.blocks.pooling import (
    ChannelOrder,
    Deinterleave,
    Interleave,
    MaxPool,
    MaxUnpool,
    SumPool,
)
from edgemat.models.count import count, count_parameters
from edgemat.models.deploy import (
    DeployForm,
    replace_blocks,
    set_layout,
    to_deploy,
)
from edgemat.models.network import MattingNetwork
from edgemat.models.pspm import TrimapAttention


def test_indexnet_has_the_count_of_the_thesis_to_the_integer() -> None:
    network = create_model("indexnet-m2o-nlc")
    assert count_parameters(network) == 8_153_771
    assert count(network, (4, 224, 224), convention="thesis") == pytest.approx(6.2988, abs=5e-5)


def test_released_indexnet_weights_have_half_the_hidden_width() -> None:
    # what the authors' repository counts with hidden width C: 5,953,515 (its issue 11)
    assert count_parameters(create_model("indexnet-m2o-nlc", hidden_mult=1)) == 5_953_515


def test_pspm_b5_has_the_figures_of_table_6_4() -> None:
    network = create_model("pspm-b5")
    assert count_parameters(network) / 1e6 == pytest.approx(5.90, abs=0.005)
    operations = count(network, (3, 224, 224), convention="thesis")
    assert operations == pytest.approx(6.53, abs=0.01)


def test_encoder_and_segmentation_decoder_of_pspm_are_deeplabv3plus() -> None:
    network = create_model("pspm-b5")
    encoder, segment = count_parameters(network.encoder), count_parameters(network.segment)
    assert encoder == 1_811_712
    assert encoder + segment == 5_811_427


def test_macs_are_honest_multiply_accumulates() -> None:
    class OneConvolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x)

    assert count(OneConvolution(), (3, 10, 20)) * 1e9 == 3 * 8 * 9 * 200


def trained_like(name: str, **config: object) -> MattingNetwork:
    """Return a network whose batch statistics are not trivial, in eval mode."""
    torch.manual_seed(3)
    network = create_model(name, **config).train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.rand(2, 4 if "index" in name else 3, 64, 64))
    return network.eval()


def with_layout(deploy: DeployForm, layout: ChannelOrder) -> DeployForm:
    set_layout(deploy, layout)
    return deploy


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("config", [{}, {"width": 0.5}])
def test_deploy_form_of_indexnet_equals_the_training_form(
    layout: ChannelOrder, config: dict[str, float]
) -> None:
    network = trained_like("indexnet-m2o-nlc", **config)
    x = torch.rand(1, 4, 64, 96)
    with torch.no_grad():
        expected = network(x).alpha.clamp(0, 1)
        assert expected.std() > 1e-3
        assert (with_layout(to_deploy(network), layout)(x) - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_deploy_form_of_pspm_equals_the_training_form(layout: ChannelOrder) -> None:
    """In float64, where folding batch normalisation cannot turn a near tie around."""
    network = trained_like("pspm-b5", width=0.5).double()
    x = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        expected = network(x).alpha.clamp(0, 1)
        assert expected.std() > 1e-3
        assert (with_layout(to_deploy(network), layout)(x) - expected).abs().max() <= 1e-10


def test_deploy_blocks_of_pspm_equal_the_training_form_in_float32() -> None:
    """Without folding batch normalisation, whose rounding can turn a near tie around."""
    network = trained_like("pspm-b5", width=0.5)
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = network(x).alpha.clamp(0, 1)
        replaced = copy.deepcopy(network)
        replace_blocks(replaced)
        assert (DeployForm(replaced)(x) - expected).abs().max() <= 1e-5


@settings(deadline=None, max_examples=50)
@given(levels=st.integers(1, 6), seed=st.integers(0, 2**16), height=st.integers(1, 5))
def test_max_unpool_is_bit_identical_with_ties(levels: int, seed: int, height: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    # few levels make ties common; zeros as ReLU6 leaves them
    x = torch.randint(0, levels, (2, 3, 2 * height, 8), generator=generator).float() * 0.37
    y = torch.randn(2, 3, height, 4, generator=generator)
    pool, unpool = MaxPool(), MaxUnpool()
    pooled, switch = pool(x)
    pooled_deploy, masks = pool.deploy()(x)
    assert torch.equal(pooled, pooled_deploy)
    assert torch.equal(unpool(y, switch), unpool.deploy()(y, masks))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**16), channels=st.integers(1, 5), height=st.integers(1, 4))
def test_interleave_equals_pixel_shuffle_in_both_layouts(
    seed: int, channels: int, height: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = [torch.randn(2, channels, height, 3, generator=generator) for _ in range(4)]
    expected = F.pixel_shuffle(torch.stack(maps, dim=2).flatten(1, 2), 2)
    for layout in ("nchw", "nhwc"):
        assert torch.equal(Interleave(layout)(tuple(maps)), expected)


def test_unit_softmax_is_the_softmax() -> None:
    y = torch.rand(4, 100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 4).T
    y = torch.cat([y, corners], dim=1)
    softmax = UnitSoftmax()
    exact = torch.softmax(y, dim=0)
    assert (torch.stack(softmax(*y)) - exact).abs().max() < 2e-7
    softmax.coefficients = UnitSoftmax.LINEAR
    assert (torch.stack(softmax(*y)) - exact).abs().max() < 0.1 / 255


def test_unit_softmax_coefficients_are_minimax() -> None:
    """The residual of a best polynomial alternates at its maxima (Chebyshev)."""
    u = np.linspace(0, 1, 100_001)
    target = np.log(np.cosh(np.sqrt(u) / 2))
    for coefficients, bound in ((UnitSoftmax.CUBIC, 2e-7), (UnitSoftmax.LINEAR, 6e-4)):
        fitted = sum(c * u ** (power + 1) for power, c in enumerate(coefficients))
        residual = fitted - target
        assert np.ptp(residual) / 2 < bound


def test_index_block_gives_a_distribution_over_each_window() -> None:
    block = IndexBlock(6, hidden_mult=2).eval()
    encoder, decoder = block(torch.randn(2, 6, 8, 10))
    assert encoder.shape == decoder.shape == (2, 6, 8, 10)
    sums = SumPool(6)(encoder)
    assert torch.allclose(sums, torch.ones_like(sums), atol=1e-6)
    assert decoder.min() > 0 and decoder.max() < 1


def test_index_block_by_the_equations() -> None:
    """Position by position, without stacking or shuffling."""
    block = IndexBlock(3, hidden_mult=1).eval()
    x = torch.randn(1, 3, 6, 6)
    encoder, decoder = block(x)
    scores = [column(x) for column in block.columns]
    y = [1 / (1 + torch.exp(-s)) for s in scores]
    total = sum(torch.exp(v) for v in y)
    for position, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        assert torch.allclose(decoder[:, :, row::2, column::2], y[position], atol=1e-6)
        expected = torch.exp(y[position]) / total
        assert torch.allclose(encoder[:, :, row::2, column::2], expected, atol=1e-6)


def test_indexed_operators_reduce_to_average_pooling_and_nearest_upsampling() -> None:
    """Equations 3.1 to 3.4: constant indices."""
    x = torch.randn(1, 2, 4, 4)
    assert torch.allclose(SumPool(2)(x * 0.25), F.avg_pool2d(x, 2))
    low = torch.randn(1, 2, 2, 2)
    nearest = F.interpolate(low, scale_factor=2, mode="nearest")
    assert torch.equal(IndexedUpsample()(low, torch.ones(1, 2, 4, 4)), nearest)


def test_attention_is_the_expected_trimap() -> None:
    """Equation 6.1: M = F_p + U_p / 2, classes in the order background, unknown, foreground."""
    logits = torch.log(torch.tensor([0.2, 0.5, 0.3])).reshape(1, 3, 1, 1)
    assert float(TrimapAttention()(logits)) == pytest.approx(0.3 + 0.25)


def test_sum_pool_deploys_to_a_convolution_with_ones() -> None:
    x = torch.randn(2, 5, 6, 8)
    assert torch.allclose(SumPool(5)(x), SumPool(5).deploy()(x), atol=1e-6)


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(UsageError, match="indexnet-m2o-nlc"):
        create_model("indexnet-m2o-ncl")
    with pytest.raises(UsageError, match="width"):
        create_model("pspm-b5", widht=0.5)
    with pytest.raises(UsageError, match=r"classical method.*edgemat\.matte"):
        create_model("knn")


def test_channels_that_never_varied_give_their_constant() -> None:
    """A dead channel's weights must not be blown up by 1/sqrt(eps) in the deploy form."""
    network = trained_like("pspm-slim", width=0.25)
    conv, norm = network.encoder[0][0], network.encoder[0][1]
    with torch.no_grad():
        conv.weight[1] = 0
        norm.running_mean[1], norm.running_var[1] = 0, 0
    deploy = to_deploy(network)
    folded = deploy.network.encoder[0][0]
    assert (folded.weight[1] == 0).all() and folded.bias[1] == norm.bias[1]
    assert norm.weight[1] != 0, "the network itself is not touched"
    x = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(deploy(x), network(x).alpha.clamp(0, 1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("shape", [(1, 3, 4, 6), (2, 5, 8, 4)])
def test_deinterleaving_is_the_inverse_of_interleaving(
    layout: ChannelOrder, shape: tuple[int, ...]
) -> None:
    x = torch.rand(shape)
    maps = Deinterleave(layout)(x)
    for number, found in enumerate(maps):
        assert torch.equal(found, x[:, :, number // 2 :: 2, number % 2 :: 2])
    assert torch.equal(Interleave(layout)(maps), x)


def test_attention_by_sigmoids_is_the_softmax_within_half_an_int8_step() -> None:
    attention = TrimapAttention()
    deployed = attention.deploy()
    for scale in (0.5, 3.0, 20.0):
        logits = scale * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        assert torch.equal(deployed(logits), attention(logits))
        deployed.by_sigmoids = True
        assert (deployed(logits) - attention(logits)).abs().max() < 0.5 / 255
        deployed.by_sigmoids = False
