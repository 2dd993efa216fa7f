"""A2U: counts of Tables 4.2 and 4.8, the block against equations 4.3 and 4.4, and its limits."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.errors import UsageError
from edgemat.models import create_model, list_models, model_info
from edgemat.models.blocks.a2u import A2U, FORMS, initialise_affinity
from edgemat.models.blocks.index import IndexBlock, IndexedUpsample
from edgemat.models.blocks.sampling import AffinitySampling, create_sampling
from edgemat.models.count import count, count_parameters, on_paper
from edgemat.models.reconstruct import TABLE_4_1

BASELINE = 8_049_003
WIDTHS = (64, 64, 128, 256)
# what each sampling adds to the baseline, for s = 3 and k = 5, without biases
ADDED = {
    "nearest": 0,
    "bilinear": 0,
    "carafe": 263_168,
    "indexnet": 12_263_424,
    "static-pw-cw": 102_436,
    "static-cw": 25_744,
    "static-cs": 4 * (4 * 9 + 2 * 25),
    "hybrid-cw": 44_032,
    "hybrid-cs": 18_632,
    "dynamic-cw": 198_656,
    "dynamic-cs": 19_456,
    "dynamic-cs-d": 37_888,
    "dynamic-cs-d-norm": 37_888 + 2_048,
}


OF_TABLE_4_1_ALONE = set(TABLE_4_1) - {"conv-bilinear", "conv-deconv", "s2d-d2s", "maxpool-unpool"}


def test_every_network_is_counted_here() -> None:
    assert {i.name for i in list_models() if i.thesis and i.thesis.chapter == 4} == {
        *(f"a2u-{name}" for name in ADDED),
        *(f"reconstruct-{name}" for name in OF_TABLE_4_1_ALONE),
    }


@pytest.mark.parametrize("name", ADDED)
def test_parameters_of_table_4_2(name: str) -> None:
    found = count_parameters(on_paper(f"a2u-{name}"))
    assert found == BASELINE + ADDED[name]
    thesis = model_info(f"a2u-{name}").thesis
    assert thesis is not None
    printed = thesis.parameters
    # the sum of two rounded figures: 8.05 M and what is added
    assert printed is None or abs((found - BASELINE) / 1e6 - (printed - 8.05)) <= 0.00501


@pytest.mark.parametrize(("form", "expected"), [("cs", 8_089_235), ("cw", 8_269_451)])
def test_released_weights_have_biases_and_wider_kernels(form: str, expected: int) -> None:
    assert count_parameters(on_paper(f"a2u-released-{form}")) == expected


def test_operations_of_the_released_form() -> None:
    """Modules' convolutions alone, as in the thesis' convention."""
    network = on_paper("a2u-released-cs")
    assert count(network, (4, 224, 224), convention="thesis") == pytest.approx(9.370, abs=5e-4)


@pytest.mark.parametrize("c", [16, 64])
@pytest.mark.parametrize(("k", "s"), [(5, 3), (3, 1), (6, 5)])
def test_parameters_of_table_4_8(c: int, k: int, s: int) -> None:
    p, static, dynamic = 4 * s * s, 2 * k * k, 2 * c
    expected = {
        "static-cw": p + static * c,
        "static-cs": p + static,
        "hybrid-cw": p * c + static * c,
        "hybrid-cs": p * c + static,
        "dynamic-cw": p * c + dynamic * c,
        "dynamic-cs": p * c + dynamic,
    }
    for form, parameters in expected.items():
        assert count_parameters(A2U(c, kernel=k, up_kernel=s, **FORMS[form])) == parameters, form


def test_reconstruction_has_a_view_for_every_position() -> None:
    found = count_parameters(on_paper("reconstruct-a2u"))
    blind = count_parameters(on_paper("reconstruct-maxpool-unpool"))
    # U and V of four positions, 4x4, and one weight in P
    assert found - blind == sum(4 * 2 * 16 * c + 1 for c in (32, 64, 128))


# ---- the block ------------------------------------------------------------------------------


def block(form: str, *, channels: int = 3, seed: int = 0, **options: object) -> A2U:
    """Return a block in float64 whose kernels are not uniform."""
    torch.manual_seed(seed)
    made = A2U(channels, **{**FORMS[form], **options}).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    return made


def feature(c: int, h: int, w: int, *, batch: int = 1) -> Tensor:
    return torch.randn(batch, c, h, w, generator=torch.Generator().manual_seed(1)).double()


def window(x: Tensor, channel: int, top: int, left: int, side: int) -> Tensor:
    """Return a window of one channel of `x`, C,H,W, with zeros outside."""
    found = torch.zeros(side, side, dtype=x.dtype)
    for row, column in itertools.product(range(side), repeat=2):
        y, z = top + row, left + column
        if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
            found[row, column] = x[channel, y, z]
    return found


def encodings(view: nn.Sequential, x: Tensor, k: int) -> Tensor:
    """Return U or V as C,k,k, of a static block or of what a dynamic one predicts of C,H,W."""
    encoding = view[0]
    c, h, w = x.shape
    if hasattr(encoding, "conv"):
        return encoding.conv.weight[:, 0].expand(c, k, k)
    means = torch.zeros(c, k, k, dtype=x.dtype)
    for i, j in itertools.product(range(k), repeat=2):
        rows = slice(i * h // k, math.ceil((i + 1) * h / k))
        columns = slice(j * w // k, math.ceil((j + 1) * w / k))
        means[:, i, j] = x[:, rows, columns].mean((1, 2))
    return torch.einsum("oc,cij->oij", encoding.generate.weight[:, :, 0, 0], means).expand(c, k, k)


def scores_by_loops(made: A2U, x: Tensor, k: int) -> tuple[Tensor, Tensor | None]:
    """Equation 4.4 with d = 1, pixel by pixel: scores for upsampling, and for pooling."""
    c, h, w = x.shape
    projections = []
    for part in (made.up, made.down):
        if part is None:
            continue
        p = part.conv.weight[:, :, 0, 0]  # O,1, or what predicts O of C
        projections.append(p @ x.mean((1, 2)) if part.dynamic else p[:, 0])
    results = [torch.zeros(0, h // 2, w // 2, dtype=x.dtype) for _ in projections]
    for u_view, v_view in zip(made.u, made.v, strict=True):
        u, v = encodings(u_view, x, k), encodings(v_view, x, k)
        affinity = torch.zeros(h // 2, w // 2, dtype=x.dtype)
        for i, j, channel in itertools.product(range(h // 2), range(w // 2), range(c)):
            top, left = 2 * i - (k - 1) // 2, 2 * j - (k - 1) // 2
            patch = window(x, channel, top, left, k)
            affinity[i, j] += (u[channel] * patch).sum() * (v[channel] * patch).sum()
        for number, p in enumerate(projections):
            more = p[:, None, None] * affinity / math.sqrt(c)
            results[number] = torch.cat([results[number], more])
    return results[0], results[1] if len(results) > 1 else None


@pytest.mark.parametrize("k", [3, 4])
@pytest.mark.parametrize("form", [form for form in FORMS if form != "reconstruct"])
def test_kernels_follow_equation_4_4(form: str, k: int) -> None:
    s, h, w = 3, 6, 4
    made, x = block(form, kernel=k, up_kernel=s), feature(3, h, w)
    with torch.no_grad():
        kernels, none = made(x)
        scores, _ = scores_by_loops(made, x[0], k)
    assert none is None
    assert kernels.shape == (1, s * s, h, w)
    for i, j in itertools.product(range(h), range(w)):
        position = 2 * (i % 2) + j % 2
        mine = scores[position * s * s : (position + 1) * s * s, i // 2, j // 2]
        torch.testing.assert_close(kernels[0, :, i, j], mine.sigmoid().softmax(0))


@pytest.mark.parametrize("form", ["static-cw", "hybrid-cs", "dynamic-cs", "dynamic-cw"])
def test_paired_pooling_shares_u_and_v(form: str) -> None:
    k, s = 5, 1
    made, x = block(form, kernel=k, up_kernel=s, paired=True), feature(2, 8, 6)
    made = block(form, channels=2, kernel=k, up_kernel=s, paired=True)
    with torch.no_grad():
        up, down = made(x)
        scores, down_scores = scores_by_loops(made, x[0], k)
    assert down is not None and down_scores is not None
    torch.testing.assert_close(down[0], down_scores.softmax(0))
    torch.testing.assert_close(up[0, 0, 1::2, 0::2], scores[2].sigmoid())


def test_up_and_down_weigh_windows_of_zeros_outside() -> None:
    """Upsampling around floor(p / 2), section 4.4; pooling twice as wide, around 2p and 2p + 1."""
    s, c, h, w = 3, 2, 4, 6
    sampling = AffinitySampling({0: block("static-cs", channels=c, up_kernel=s, paired=True)})
    x, small = feature(c, 2 * h, 2 * w), feature(c, h, w)
    with torch.no_grad():
        _, pooled, kernels = sampling.down(0, x)
        _, down = sampling.affinity["0"](x)
        restored = sampling.up(0, small, kernels)
    for channel, i, j in itertools.product(range(c), range(h), range(w)):
        patch = window(x[0], channel, 2 * i - 2, 2 * j - 2, 2 * s)
        expected = (patch.flatten() * down[0, :, i, j]).sum()
        torch.testing.assert_close(pooled[0, channel, i, j], expected)
    for channel, i, j in itertools.product(range(c), range(2 * h), range(2 * w)):
        patch = window(small[0], channel, i // 2 - 1, j // 2 - 1, s)
        expected = (patch.flatten() * kernels[0, :, i, j]).sum()
        torch.testing.assert_close(restored[0, channel, i, j], expected)


@settings(max_examples=20, deadline=None)
@given(
    form=st.sampled_from([form for form in FORMS if form != "reconstruct"]),
    normalisation=st.sampled_from(["softmax", "sigmoid+softmax"]),
    s=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 99),
)
def test_kernels_are_weights(form: str, normalisation: str, s: int, seed: int) -> None:
    made = block(form, seed=seed, up_kernel=s, normalisation=normalisation)
    with torch.no_grad():
        kernels, _ = made(feature(3, 8, 10, batch=2))
    assert (kernels >= 0).all()
    torch.testing.assert_close(kernels.sum(1), torch.ones(2, 8, 10).double())
    if normalisation == "sigmoid+softmax":  # scores lie in 0..1: no weight is e times another
        assert (kernels.amax(1) <= (math.e + 1e-9) * kernels.amin(1)).all()


def test_constants_stay_constant_inside() -> None:
    sampling = AffinitySampling({0: block("dynamic-cs", paired=True)})
    with torch.no_grad():
        _, pooled, kernels = sampling.down(0, feature(3, 16, 16))
        restored = sampling.up(0, torch.full_like(pooled, 0.7), kernels)
    inner = restored[:, :, 2:-2, 2:-2]  # zeros reach in by one small pixel
    torch.testing.assert_close(inner, torch.full_like(inner, 0.7))


@pytest.mark.parametrize("form", FORMS)
def test_gradients(form: str) -> None:
    paired = not FORMS[form].get("pointwise", False)
    options = {"paired": True, "nonlinearity": "norm"} if paired else {}
    made = block(form, channels=2, **{"kernel": 3, **options})
    sampling = AffinitySampling({0: made})
    x, small = feature(2, 4, 4).requires_grad_(), feature(2, 2, 2).requires_grad_()

    def both(x: Tensor, small: Tensor) -> tuple[Tensor, Tensor]:
        _, pooled, kernels = sampling.down(0, x)
        return pooled, sampling.up(0, small, kernels)

    assert torch.autograd.gradcheck(both, (x, small), fast_mode=True)


# ---- what A2U becomes in a limit (section 4.5) ----------------------------------------------


def ones_for_u(made: A2U) -> None:
    """Let U give 1 everywhere, and nothing else add anything."""
    for conv in (part[0].conv for part in (*made.u, *made.v)):
        nn.init.zeros_(conv.bias)
    for part in made.u:
        nn.init.zeros_(part[0].conv.weight)
        nn.init.ones_(part[0].conv.bias)
    nn.init.constant_(made.up.conv.weight, 1 / made.scale)
    nn.init.zeros_(made.up.conv.bias)


def test_a2u_of_ones_is_the_holistic_index() -> None:
    c = 3
    made = block("reconstruct", channels=c, kernel=2, nonlinearity="none", bias=True)
    ones_for_u(made)
    index_block = IndexBlock(c, family="hin", nonlinear=False, context=False).double()
    weights = torch.cat([view[0].conv.weight for view in made.v], 1).transpose(0, 1)  # 4,C,2,2
    index_block.columns[0][0].weight = nn.Parameter(weights)
    x, small = feature(c, 6, 8), feature(c, 3, 4)
    with torch.no_grad():
        kernels, _ = made(x)
        _, index = index_block(x)
        torch.testing.assert_close(kernels, index)
        restored = AffinitySampling({0: made}).up(0, small, kernels)
        torch.testing.assert_close(restored, IndexedUpsample()(small, index))


def test_a2u_of_ones_with_the_context_of_section_4_5() -> None:
    made = block("reconstruct", nonlinearity="none", bias=True)
    ones_for_u(made)
    x = feature(3, 6, 8)
    with torch.no_grad():
        kernels, _ = made(x)
        weights = torch.cat([view[0].conv.weight for view in made.v], 1).transpose(0, 1)
        scores = F.conv2d(x, weights, stride=2, padding=1)
        torch.testing.assert_close(kernels, F.pixel_shuffle(scores, 2).sigmoid())


def test_kernels_start_unsaturated() -> None:
    """Else softmax without the sigmoid has no gradient."""
    torch.manual_seed(0)
    sampling = create_sampling("a2u-dynamic-cs", {0: 64}, affinity={"normalisation": "softmax"})
    initialise_affinity(sampling)
    with torch.no_grad():
        kernels = sampling.guide(0, torch.randn(2, 64, 32, 32))
    assert kernels.amax(1).mean() < 0.5


def test_pointwise_blocks_have_no_pooling() -> None:
    with pytest.raises(UsageError, match="pointwise"):
        A2U(4, pointwise=True, paired=True)


@pytest.mark.parametrize("paired", [False, True])
def test_who_halves(paired: bool) -> None:
    """Paired: no stride but in 1x1 shortcuts and in A2U; else a stem of stride 2 and a pooling."""
    network = create_model("a2u-dynamic-cs", width=0.25, paired=paired)
    strides = [
        m.kernel_size[0]
        for m in network.encoder.modules()
        if isinstance(m, nn.Conv2d) and m.stride == (2, 2)
    ]
    assert sorted(strides) == ([1, 1] if paired else [1, 1, 3, 3, 7])
