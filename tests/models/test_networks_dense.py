"""Networks that label every pixel: segmentation and depth (chapter 3), portraits (chapter 6)."""

from __future__ import annotations

import hashlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from edgemat.models import create_model, list_models, model_info
from edgemat.models.blocks.pyramid import RegionMeans, region_bounds
from edgemat.models.blocks.segmentation import TrimapAttention
from edgemat.models.blocks.sharing import FeatureModulation
from edgemat.models.count import count, count_parameters, on_paper
from edgemat.models.encoders.resnet50 import ResNet50
from edgemat.models.fastdepth import match_channels
from edgemat.models.hu_depth import HuDepth
from edgemat.models.upernet import Doubling, FeaturePyramid, LevelFusion

SEGNET, FASTDEPTH, UPERNET, HU = 24_964_645, 3_960_930, 30_060_950, 67_569_473

PARAMETERS = {
    "segnet": SEGNET,
    "segnet-carafe": SEGNET + 382_208,
    "segnet-hin-l": SEGNET + 23_552,
    "segnet-hin-nl": SEGNET + 4_900_096,
    "segnet-hin-nlc": SEGNET + 19_547_392,
    "segnet-modelwise-l": SEGNET + 16,
    "segnet-modelwise-nl": SEGNET + 56,
    "segnet-modelwise-nlc": SEGNET + 152,
    "segnet-shared-l": SEGNET + 80,
    "segnet-shared-nl": SEGNET + 280,
    "segnet-shared-nlc": SEGNET + 760,
    "segnet-unshared-l": SEGNET + 23_552,
    "segnet-unshared-nl": SEGNET + 82_432,
    "segnet-unshared-nlc": SEGNET + 223_744,
    "segnet-m2o-l": SEGNET + 9_764_864,
    "segnet-m2o-nl": SEGNET + 24_435_712,
    "segnet-m2o-nlc": SEGNET + 83_024_896,
    "upernet-bilinear-bilinear": UPERNET,
    # holistic and linear, 16 C, at widths 32, 64 and 160; the maps of FPN and MFF are the same
    "upernet-bilinear-index": UPERNET + 4_096,
    "upernet-index-bilinear": UPERNET + 4_096,
    "upernet-index-index": UPERNET + 4_096,
    # 64 C + 57,600, three times at width 512 in FPN, at 512, 1024 and 1536 in MFF
    "upernet-carafe-bilinear": UPERNET + 271_104,
    "upernet-bilinear-carafe": UPERNET + 369_408,
    "upernet-carafe-carafe": UPERNET + 640_512,
    "upernet-carafe-index": UPERNET + 271_104 + 4_096,
    "upernet-index-carafe": UPERNET + 369_408 + 4_096,
    "fastdepth": FASTDEPTH,
    "fastdepth-p": FASTDEPTH,
    "fastdepth-carafe": FASTDEPTH + 351_488,
    "fastdepth-p-carafe": FASTDEPTH + 351_488,
    "fastdepth-hin-l": FASTDEPTH + 31_232,
    "fastdepth-hin-nl": FASTDEPTH + 11_172_736,
    "fastdepth-hin-nlc": FASTDEPTH + 44_620_672,
    "fastdepth-modelwise-l": FASTDEPTH + 16,
    "fastdepth-modelwise-nl": FASTDEPTH + 56,
    "fastdepth-modelwise-nlc": FASTDEPTH + 152,
    "fastdepth-shared-l": FASTDEPTH + 80,
    "fastdepth-shared-nl": FASTDEPTH + 280,
    "fastdepth-shared-nlc": FASTDEPTH + 760,
    "fastdepth-unshared-l": FASTDEPTH + 31_232,
    "fastdepth-unshared-nl": FASTDEPTH + 109_312,
    "fastdepth-unshared-nlc": FASTDEPTH + 296_704,
    "fastdepth-m2o-l": FASTDEPTH + 22_298_624,
    "fastdepth-m2o-nl": FASTDEPTH + 55_777_792,
    "fastdepth-m2o-nlc": FASTDEPTH + 189_569_536,
    "hu-depth": HU,
    # 32 C^2 + 12 C at widths 64, 256, 512 and 1024
    "hu-depth-hin-nlc": HU + 44_193_536,
    "pspm-b": 13_965_198,
    "pspm-b2": 13_965_774,
    "pspm-b3": 6_744_494,
    "pspm-b4": 6_964_846,
    "pspm-b5": 5_902_382,
    "pspm-b5-fm": 5_958_035,
    "pspm-psp-b": 13_393_070,
    "pspm-psp-b5": 5_330_254,
    "pspm-slim": 2_995_143,
    "pspm-live": 509_879,
}
PRINTED = {name: thesis for name in PARAMETERS if (thesis := model_info(name).thesis)}
# where the thesis prints other operations; the networks' notes say why
NEAREST = {
    "fastdepth-modelwise-l": 1.01,
    "fastdepth-modelwise-nl": 1.01,
    "fastdepth-shared-l": 1.01,
    "fastdepth-shared-nl": 1.01,
    "pspm-b2": 11.00,
    "pspm-b5-fm": 6.53,
    "pspm-psp-b5": 2.85,
}


def test_every_network_of_the_thesis_is_counted_here() -> None:
    dense = [i for i in list_models() if i.task in ("segmentation", "depth", "portrait")]
    assert {i.name for i in dense if i.thesis} <= set(PARAMETERS) <= {i.name for i in dense}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    found = count_parameters(on_paper(name))
    assert found == PARAMETERS[name]
    printed = PRINTED[name].parameters if name in PRINTED else None
    assert printed is None or abs(found / 1e6 - printed) <= 0.005


@pytest.mark.parametrize("name", [n for n, printed in PRINTED.items() if printed.operations])
def test_operations(name: str) -> None:
    info = model_info(name)
    found = count(on_paper(name), (3, 224, 224), convention="thesis")
    assert f"{found:.2f}" == f"{NEAREST.get(name, PRINTED[name].operations):.2f}"
    assert (name in NEAREST) == (info.note is not None)


def test_resnet50_is_the_published_one() -> None:
    with torch.device("meta"):
        assert count_parameters(ResNet50(3)) == 25_557_032 - 2_049_000  # without its classifier


@pytest.mark.parametrize(
    ("name", "digest"), [("pspm-b5", "dddc091b3e"), ("pspm-slim", "5727ae5671")]
)
def test_weights_of_trained_networks_stay_readable(name: str, digest: str) -> None:
    """Names and shapes are those of the files that people have."""
    state = on_paper(name).state_dict()
    text = "|".join(f"{key}:{tuple(value.shape)}" for key, value in state.items())
    assert hashlib.sha256(text.encode()).hexdigest()[:10] == digest


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    bins=st.sampled_from([1, 2, 3, 6]),
    seed=st.integers(0, 99),
)
def test_region_means_are_means_of_regions(height: int, width: int, bins: int, seed: int) -> None:
    x = torch.rand(
        2, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    slow = torch.empty(2, 3, bins, bins, dtype=torch.float64)
    for row, (top, bottom) in enumerate(region_bounds(height, bins)):
        for column, (left, right) in enumerate(region_bounds(width, bins)):
            slow[:, :, row, column] = x[:, :, top:bottom, left:right].mean(dim=(2, 3))
    pool = RegionMeans(bins)
    torch.testing.assert_close(pool(x), slow)
    torch.testing.assert_close(pool.deploy()(x), slow)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((0.0, 0.0, 0.0), 0.5), ((99.0, 0.0, 0.0), 0.0), ((0.0, 99.0, 0.0), 0.5), ((0, 0, 99.0), 1)],
)
def test_trimap_is_foreground_and_half_of_unknown(
    scores: tuple[float, float, float], expected: float
) -> None:
    logits = torch.tensor(scores).reshape(1, 3, 1, 1)
    assert TrimapAttention()(logits).item() == pytest.approx(expected)


def test_modulation_is_the_first_of_two_softmax_scores() -> None:
    torch.manual_seed(0)
    modulation = FeatureModulation(16).double()
    x = torch.randn(2, 16, 5, 4, dtype=torch.float64)
    hidden = F.relu(modulation.squeeze(x.mean(dim=(2, 3), keepdim=True)))
    scores = modulation.excite(hidden).reshape(2, 2, 16, 1, 1)  # b x 2 x c, as section 6.5.7
    torch.testing.assert_close(modulation(x), x * torch.softmax(scores, dim=1)[:, 0])
    assert torch.autograd.gradcheck(modulation, x[:1].requires_grad_())


def test_index_maps_meet_narrower_features_in_pairs() -> None:
    index = torch.arange(8.0).reshape(1, 4, 1, 2)
    assert match_channels(index, 2).flatten().tolist() == [1.0, 2.0, 5.0, 6.0]
    assert match_channels(index, 4) is index
    holistic = index[:, :1]
    assert match_channels(holistic, 2) is holistic


def test_doubling_by_an_even_index_is_nearest_neighbour() -> None:
    x = torch.rand(1, 3, 2, 4)
    even = Doubling("index", 3)(x, torch.ones(1, 1, 4, 8))
    assert torch.equal(even, F.interpolate(x, scale_factor=2, mode="nearest"))


@pytest.mark.parametrize("upsampling", ["bilinear", "index"])
def test_fusion_concatenates_from_fine_to_deep(upsampling: str) -> None:
    levels = [torch.full((1, 2, 16 >> k, 8 >> k), float(k)) for k in range(4)]
    guides: list[Tensor | None] = [torch.ones(1, 1, 16 >> k, 8 >> k) for k in range(3)]
    fused = LevelFusion(4, 2, upsampling=upsampling)(levels, guides)  # type: ignore[arg-type]
    assert fused.shape == (1, 8, 16, 8)
    assert fused.mean(dim=(0, 2, 3)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_pyramid_hands_the_deepest_level_down() -> None:
    """With index maps of zeros nothing comes from above, with ones everything does."""
    torch.manual_seed(0)
    pyramid = FeaturePyramid([3, 5], 4, upsampling="index").eval()
    features = [torch.rand(1, 3, 8, 8), torch.rand(1, 5, 4, 4)]
    first, second = torch.rand(2, 1, 4, 2, 2).unbind()

    def finest(deepest: Tensor, value: float) -> Tensor:
        guides = [torch.full((1, 1, 8 >> k, 8 >> k), value) for k in range(2)]
        levels = pyramid(features, deepest, guides)
        assert [level.shape[-1] for level in levels] == [8, 4, 2]
        assert levels[-1] is deepest
        return levels[0]

    with torch.no_grad():
        assert torch.equal(finest(first, 0.0), finest(second, 0.0))
        assert not torch.allclose(finest(first, 1.0), finest(second, 1.0))


def test_depth_fusion_enlarges_by_one_guide_after_the_other() -> None:
    network = HuDepth(width=0.125, sampling="hin-l")
    x = torch.rand(1, 2, 2, 3)
    guides = [torch.full((1, 1, 8, 12), 3.0), torch.full((1, 1, 4, 6), 2.0)]
    found = network.enlarge(x, guides)
    assert torch.equal(found, 6 * F.interpolate(x, scale_factor=4, mode="nearest"))


@pytest.mark.parametrize("name", ["hu-depth", "hu-depth-hin-nlc"])
def test_strong_depth_comes_at_half_the_size(name: str) -> None:
    network = create_model(name, width=0.125).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 96)).shape == (1, 1, 32, 48)


@pytest.mark.parametrize("name", ["fastdepth", "fastdepth-p", "fastdepth-unshared-l"])
def test_fast_depth_comes_at_full_size_and_is_not_negative(name: str) -> None:
    torch.manual_seed(0)
    network = create_model(name, width=0.25)
    depth = network(torch.rand(2, 3, 64, 96))
    assert depth.shape == (2, 1, 64, 96)
    assert depth.min() >= 0 and depth.std() > 0.1


@pytest.mark.parametrize(("name", "classes"), [("segnet", 37), ("upernet-index-index", 150)])
def test_segmentation_scores_every_class_of_every_pixel(name: str, classes: int) -> None:
    network = create_model(name, width=0.125).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 32, 64)).shape == (1, classes, 32, 64)
