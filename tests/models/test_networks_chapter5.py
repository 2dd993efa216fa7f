"""RMat: counts of Tables 5.2, 5.3 and 5.7, attention and LFA against slow loops."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models import list_models, model_info
from edgemat.models.count import count, count_parameters, on_paper
from edgemat.models.encoders.mit import (
    DropPath,
    MiT,
    MixPerceptron,
    Reduction,
    SelfAttention,
    TransformerBlock,
    attend,
    to_map,
    to_tokens,
)
from edgemat.models.rmat import LowLevelAssembling, TokenLinear

RMAT = [info.name for info in list_models() if info.thesis and info.thesis.chapter == 5]
# where the thesis prints other parameters, in millions; the networks' notes say why
NEAREST = {"rmat-b4": 18.1}

# ---- counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "in_channels", "parameters"),
    [
        ("b1", 3, 13_151_424),
        ("b1", 4, 13_154_560),
        ("b2", 3, 24_196_288),
        ("b2", 4, 24_199_424),
    ],
)
def test_parameters_of_the_encoder(variant: str, in_channels: int, parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(MiT(in_channels, variant=variant)) == parameters


def test_parameters_of_its_blocks() -> None:
    with torch.device("meta"):
        stages = MiT(4, variant="b2")
    found = [{count_parameters(block) for block in stage.blocks} for stage in stages]
    assert found == [{314_880}, {465_920}, {1_656_320}, {3_172_864}]
    assert [len(stage.blocks) for stage in stages] == [3, 4, 6, 3]


@pytest.mark.parametrize(("variant", "operations"), [("b1", 9.754), ("b2", 15.355)])
def test_operations_of_the_encoder(variant: str, operations: float) -> None:
    """By the thesis' rule, a linear layer on N tokens counts N x N x outputs."""
    with torch.device("meta"):
        encoder = nn.Sequential(*MiT(4, variant=variant))
    assert count(encoder, (4, 224, 224), convention="thesis") == pytest.approx(operations, abs=5e-4)


def test_every_row_is_here() -> None:
    assert [*(f"rmat-b{n}" for n in range(1, 11)), "rmat-n3", "rmat-m3", "rmat-m7"] == RMAT


@pytest.mark.parametrize("name", RMAT)
def test_parameters(name: str) -> None:
    info = model_info(name)
    assert info.thesis is not None
    found = count_parameters(on_paper(name)) / 1e6
    assert f"{found:.1f}" == f"{NEAREST.get(name, info.thesis.parameters):.1f}"
    assert (name in NEAREST) == (info.note is not None)


def test_parameters_of_m3_to_the_integer() -> None:
    assert count_parameters(on_paper("rmat-m3")) == 16_839_857


def test_parameters_of_the_parts() -> None:
    found = {name: count_parameters(on_paper(name)) for name in RMAT}
    # M3 and M7 are B3 and B7 with LFA, whose convolution of whole patches is most of it
    lfa = found["rmat-m3"] - found["rmat-b3"]
    assert lfa == found["rmat-m7"] - found["rmat-b7"]
    assert 64 * 64 * 16**2 < lfa < 1.1e6
    # E2 is 11.04 M more than E1, whatever the decoder
    for e1, e2 in (("b3", "b7"), ("b4", "b8"), ("b5", "b9"), ("b6", "b10"), ("m3", "m7")):
        assert found[f"rmat-{e2}"] - found[f"rmat-{e1}"] == 24_199_424 - 13_154_560


@pytest.mark.parametrize(("name", "operations"), [("rmat-m3", 16.62), ("rmat-m7", 22.22)])
def test_operations_of_table_5_7(name: str, operations: float) -> None:
    found = count(on_paper(name), (4, 224, 224), convention="thesis")
    assert f"{found:.2f}" == f"{operations:.2f}"
    thesis = model_info(name).thesis
    assert thesis is not None and thesis.operations == operations


# ---- attention ------------------------------------------------------------------------------


def tokens(n: int, c: int, *, seed: int = 0, batch: int = 2) -> Tensor:
    return torch.randn(batch, n, c, generator=torch.Generator().manual_seed(seed)).double()


@torch.no_grad()
def attend_by_loops(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Weighted means of the values, by how alike query and key are: token by token."""
    b, n, c = query.shape
    d = c // heads
    result = torch.zeros_like(query)
    for picture, head, i in itertools.product(range(b), range(heads), range(n)):
        part = slice(head * d, (head + 1) * d)
        likeness = [
            math.exp((query[picture, i, part] * k[part]).sum() / math.sqrt(d)) for k in key[picture]
        ]
        for weight, v in zip(likeness, value[picture], strict=True):
            result[picture, i, part] += weight / sum(likeness) * v[part]
    return result


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_a_weighted_mean(heads: int) -> None:
    query, key, value = tokens(6, 4), tokens(3, 4, seed=1), tokens(3, 4, seed=2)
    expected = attend_by_loops(query, key, value, heads)
    torch.testing.assert_close(attend(query, key, value, heads=heads), expected)
    inputs = [t.requires_grad_() for t in (query, key, value)]
    assert torch.autograd.gradcheck(lambda *t: attend(*t, heads=heads), inputs)


def test_self_attention_is_torchs_own() -> None:
    torch.manual_seed(0)
    ours = SelfAttention(8, heads=2, reduction=1)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    parts = (ours.query, ours.key, ours.value)
    theirs.in_proj_weight = nn.Parameter(torch.cat([part.weight for part in parts]))
    theirs.in_proj_bias = nn.Parameter(torch.cat([part.bias for part in parts]))
    theirs.out_proj = ours.project
    x = tokens(12, 8).float()
    torch.testing.assert_close(ours(x, torch.Size((3, 4))), theirs(x, x, x)[0])


def test_reduction_sees_patches() -> None:
    """One token of what attention looks at is one patch: no other changes it."""
    torch.manual_seed(0)
    reduce = Reduction(4, 2).double()
    x = tokens(4 * 6, 4, batch=1)
    before = reduce(x, torch.Size((4, 6)))
    changed = x.clone()
    changed[0, 2 * 6 + 3] += 1  # row 2, column 3: the patch in row 1, column 1 of 2x3
    differs = (reduce(changed, torch.Size((4, 6))) != before).any(dim=2)[0]
    assert differs.nonzero().flatten().tolist() == [4]


def test_perceptron_of_one_pixel_kernels_is_two_linear_layers() -> None:
    torch.manual_seed(0)
    mix = MixPerceptron(4).double()
    nn.init.zeros_(mix.depthwise.weight)
    nn.init.ones_(mix.depthwise.weight[:, :, 1, 1])
    nn.init.zeros_(mix.depthwise.bias)
    x = tokens(6, 4)
    torch.testing.assert_close(mix(x, torch.Size((2, 3))), mix.reduce(F.gelu(mix.expand(x))))


def test_tokens_and_maps_are_inverse() -> None:
    x = torch.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert to_tokens(x)[1, 7, 2] == x[1, 2, 1, 2]
    assert torch.equal(to_map(to_tokens(x), x.shape[-2:]), x)


@torch.no_grad()
def test_low_level_assembling_by_loops() -> None:
    """Queries and keys of the low-level feature, values of the decoder's (section 5.3)."""
    torch.manual_seed(0)
    c, side, ratio = 2, 32, 16
    block = LowLevelAssembling(c).double().eval()
    low, x = (tokens(side * side, c, seed=seed, batch=1) for seed in (3, 4))
    size = torch.Size((side, side))
    found = block(to_map(low, size), to_map(x, size))

    normed_low, normed = block.norm_low(low)[0], block.norm(x)[0]
    keys, values = [], []
    for top, left in itertools.product(range(0, side, ratio), repeat=2):
        patch = [(top + i) * side + left + j for i, j in itertools.product(range(ratio), repeat=2)]
        weights = block.reduce.conv.weight.flatten(2)  # O,C,256
        mixed = torch.einsum("ocp,pc->o", weights, normed_low[patch]) + block.reduce.conv.bias
        keys.append(block.key(block.reduce.norm(mixed)))
        values.append(block.value(normed[patch].mean(0)))
    query = block.query(normed_low)[None]
    assembled = x + attend_by_loops(query, torch.stack(keys)[None], torch.stack(values)[None], 1)
    expected = assembled + block.perceptron(block.norm_mixed(assembled), size)
    torch.testing.assert_close(to_tokens(found), expected)


def test_gradients_of_a_transformer_block() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(4, heads=2, reduction=2, drop_path=0.0).double()
    x = tokens(8, 4, batch=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: block(t, torch.Size((2, 4))), [x])


def test_token_linear_is_a_pointwise_convolution() -> None:
    torch.manual_seed(0)
    layer, x = TokenLinear(3, 5), torch.rand(2, 3, 4, 6)
    torch.testing.assert_close(layer.deploy()(x), layer(x))


# ---- what is left out in training -----------------------------------------------------------


def test_drop_path_leaves_out_whole_pictures() -> None:
    torch.manual_seed(0)
    x = torch.rand(4000, 3, 2) + 0.5
    drop = DropPath(0.25)
    found = drop.train()(x) / x
    kept = found[:, 0, 0] != 0
    torch.testing.assert_close(found, kept.float()[:, None, None].expand_as(x) / 0.75)
    assert kept.float().mean() == pytest.approx(0.75, abs=0.03)  # 4 standard deviations
    assert torch.equal(drop.eval()(x), x)


def test_drop_path_grows_with_depth() -> None:
    with torch.device("meta"):
        encoder = MiT(4, variant="b1")
    rates = [block.drop_path.probability for stage in encoder for block in stage.blocks]
    assert rates == pytest.approx([0.1 * n / 7 for n in range(8)])
