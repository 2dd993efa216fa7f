"""Networks of chapter 3 for matting, reconstruction and denoising, by the thesis' figures."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models import create_matting, create_model, list_models, model_info
from edgemat.models.blocks.index import (
    FAMILIES,
)
from edgemat.models.count import count, count_parameters, on_paper
from edgemat.models.encoders.vgg import VGG16
from edgemat.models.refinenet import ChainedResidualPooling

# ---- the figures of Tables 3.3 and 3.4 ------------------------------------------------------

# parameters, operations in 2**30 at 224x224 (None: neither the thesis nor its code says)
MATTING: dict[str, tuple[int, float | None]] = {
    "matting-b1": (6_149_443, None),
    "matting-b2": (3_254_587, None),
    "matting-b3": (130_545_345, 32.3387),
    "dim": (130_545_345, 32.3387),
    "matting-b10": (3_176_939, 4.0584),
    "matting-b11": (3_753_259, 4.0808),
    "matting-b11-1.4": (7_254_215, 7.673),
    "matting-b11-carafe": (4_061_227, 5.0082),
    "matting-hmi": (3_753_259, 4.0808),
    "indexnet-hin-l": (3_758_251, 4.0886),
    "indexnet-hin-nl": (4_015_563, 4.2152),
    "indexnet-hin-nlc": (4_791_243, 4.6066),
    "indexnet-modelwise-l": (3_753_275, 4.0811),
    "indexnet-modelwise-nl": (3_753_315, 4.0814),
    "indexnet-modelwise-nlc": (3_753_411, 4.0829),
    "indexnet-shared-l": (3_753_339, 4.0811),
    "indexnet-shared-nl": (3_753_539, 4.0814),
    "indexnet-shared-nlc": (3_754_019, 4.0829),
    "indexnet-unshared-l": (3_758_251, 4.0886),
    "indexnet-unshared-nl": (3_770_731, 4.1003),
    "indexnet-unshared-nlc": (3_800_683, 4.1470),
    "indexnet-m2o-l": (4_270_379, 4.3418),
    "indexnet-m2o-nl": (5_051_051, 4.7332),
    "indexnet-m2o-nlc": (8_153_771, 6.2988),
}


@pytest.mark.parametrize("name", MATTING)
def test_matting_networks_have_the_parameters_of_the_thesis(name: str) -> None:
    assert count_parameters(on_paper(name)) == MATTING[name][0]


@pytest.mark.parametrize("name", [name for name, (_, g) in MATTING.items() if g is not None])
def test_matting_networks_have_the_operations_of_the_thesis(name: str) -> None:
    found = count(on_paper(name), (4, 224, 224), convention="thesis")
    assert found == pytest.approx(MATTING[name][1], abs=1e-4 if name != "matting-b11-1.4" else 5e-4)


def test_printed_figures_are_met_or_explained() -> None:
    printed = [info for info in list_models() if info.thesis and info.thesis.table == "3.4"]
    assert len(printed) == 21
    for info in printed:
        thesis = info.thesis
        assert thesis is not None
        assert thesis.parameters is not None and thesis.operations is not None
        parameters, operations = MATTING[info.name]
        assert operations is not None
        # an index network's is a sum of two rounded figures
        unit = 0.01 if info.name.startswith("indexnet") else 0.005
        met = (
            abs(parameters / 1e6 - thesis.parameters) <= unit + 1e-5
            and abs(operations - thesis.operations) <= 0.00501
        )
        assert met == (info.note is None), info.name


def test_fusion_and_indices_of_table_3_3() -> None:
    """Indices cost no parameters, context and concatenation do; fusing by sums does not."""
    count = {b: count_parameters(on_paper(f"matting-b{b}")) for b in range(3, 12)}
    assert count[3] == count[4]
    assert count[5] == count[6] == count[8]
    assert count[7] == count[9]
    context = count[11] - count[10]
    assert count[7] - count[5] == context == 576_320
    # 5x5 convolutions to half as many inputs: at widths (before, after) of the seven stages
    stages = ((160, 96), (96, 64), (64, 32), (32, 24), (24, 16), (16, 32), (32, 32))
    assert count[10] - count[5] == sum(25 * before * after for before, after in stages)


# ---- what samplings and layers add ----------------------------------------------------------


def added(sampling: str, widths: tuple[int, ...]) -> int:
    """Return the parameters of a sampling, batch normalisation included, by Table 3.1."""
    each = {
        "hin-l": lambda c: 16 * c,
        "hin-nl": lambda c: 8 * c**2 + 12 * c,
        "hin-nlc": lambda c: 32 * c**2 + 12 * c,
        "shared-l": lambda c: 16,
        "shared-nl": lambda c: 56,
        "shared-nlc": lambda c: 152,
        "unshared-l": lambda c: 16 * c,
        "unshared-nl": lambda c: 56 * c,
        "unshared-nlc": lambda c: 152 * c,
        "m2o-l": lambda c: 16 * c**2,
        "m2o-nl": lambda c: 40 * c**2 + 16 * c,
        "m2o-nlc": lambda c: 136 * c**2 + 16 * c,
        "conv": lambda c: 9 * c**2 + c,
        "deconv": lambda c: 16 * c**2 + c,
        "carafe": lambda c: 64 * c + 9 * 64 * 100,
        "carafe1": lambda c: 64 * c + 9 * 64 * 4,
    }
    if sampling.startswith("modelwise"):
        return added(sampling.replace("modelwise", "shared"), widths[:1])
    parts = [sampling] if sampling in each else sampling.split("-")  # one for down, one for up
    return sum(each[part](c) for part in parts if part in each for c in widths)


def layers(*widths: int) -> int:
    """Return the parameters of 3x3 convolutions with bias and batch normalisation in a row."""
    return sum(9 * a * b + 3 * b for a, b in itertools.pairwise(widths))


RECONSTRUCTION = layers(1, 32, 64, 128, 256, 128, 64, 32, 1)
VGG_LAYERS = (1, 64, 64, 128, 128, 256, 256, 256, 512, 512)
DECODING_LAYERS = (512, 256, 128, 128, 64, 64, 64, 64)
DENOISING = layers(*VGG_LAYERS) + layers(*DECODING_LAYERS) + 9 * 64 + 1


@pytest.mark.parametrize(
    ("name", "sampling"),
    [
        ("avgpool-nn", "avg-nearest"),
        ("conv-bilinear", "conv-bilinear"),
        ("conv-deconv", "conv-deconv"),
        ("conv-carafe", "conv-carafe"),
        ("maxpool-unpool", "max-unpool"),
        ("index-modelwise", "modelwise-nlc"),
        ("index-hin", "hin-nlc"),
        ("index-m2o", "m2o-nlc"),
        ("conv-nearest", "conv-nearest"),
        ("maxpool-carafe1", "max-carafe1"),
    ],
)
def test_reconstruction_networks_differ_by_their_sampling(name: str, sampling: str) -> None:
    name = f"reconstruct-{name}"
    assert model_info(name).config == {"sampling": sampling}
    expected = RECONSTRUCTION + added(sampling, (32, 64, 128))
    assert count_parameters(on_paper(name)) == expected


def test_space_to_depth_gives_and_takes_four_channels() -> None:
    encoder = layers(1, 32) + layers(128, 64) + layers(256, 128) + layers(512, 256)
    decoder = layers(256, 128) + layers(32, 64) + layers(16, 32) + layers(8, 1)
    assert count_parameters(on_paper("reconstruct-s2d-d2s")) == encoder + decoder


@pytest.mark.parametrize(
    ("name", "sampling"),
    [
        ("segnet", "max-unpool"),
        *((f"{down}-carafe", f"{down}-carafe") for down in ("max", "avg", "conv")),
        *((f"{f}-{v}", f"{f}-{v}") for f in FAMILIES for v in ("l", "nl", "nlc")),
    ],
)
def test_denoising_networks_differ_by_their_sampling(name: str, sampling: str) -> None:
    expected = DENOISING + added(sampling, (64, 128, 256))
    assert count_parameters(on_paper(f"dncnn-{name}")) == expected


def test_dncnn_has_17_layers_in_both_forms() -> None:
    assert count_parameters(on_paper("dncnn")) == 2 * 9 * 64 + 64 + 15 * (9 * 64**2 + 2 * 64)
    for name in ("dncnn", "dncnn-segnet"):
        convolutions = [m for m in create_model(name).modules() if isinstance(m, nn.Conv2d)]
        assert len(convolutions) == 17
        assert {m.kernel_size for m in convolutions} == {(3, 3)}


def test_dncnn_computes_what_its_authors_weights_were_trained_to() -> None:
    """Written down with plain functions: a bias before the first ReLU, and an eps of 1e-4."""
    network = create_model("dncnn", width=0.125, layers=3).eval()
    conv, norm = network.middle[0], network.middle[1]
    nn.init.uniform_(network.first[0].bias, -0.5, 0.5)
    nn.init.uniform_(norm.running_mean, -0.2, 0.2)
    nn.init.constant_(norm.running_var, 1e-4)  # at which 1e-5 would give another scale
    x = torch.rand(1, 1, 12, 16)
    y = F.relu(F.conv2d(x, network.first[0].weight, network.first[0].bias, padding=1))
    y = F.conv2d(y, conv.weight, padding=1) - norm.running_mean[:, None, None]
    y = F.relu(y / (norm.running_var[:, None, None] + 1e-4).sqrt())
    expected = x - F.conv2d(y, network.predict.weight, padding=1)
    with torch.no_grad():
        assert torch.allclose(network(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["dncnn", "dncnn-segnet", "dncnn-m2o-nlc"])
def test_denoising_subtracts_the_predicted_noise(name: str) -> None:
    network = create_model(name, width=0.125).eval()
    nn.init.zeros_(network.predict.weight)
    x = torch.rand(1, 1, 16, 24)
    assert torch.equal(network(x), x)


# ---- the baselines B1 and B2, as their authors' code has them --------------------------------


class Ramp(nn.Module):
    """Gives 0 to 1 from corner to corner, at the size of what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (torch.linspace(0, 0.5, side) for side in x.shape[-2:])
        return (rows[:, None] + columns[None, :])[None, None]


@pytest.mark.parametrize("name", ["matting-b1", "matting-b2"])
def test_segmentation_baselines_upsample_from_corner_pixel_to_corner_pixel(name: str) -> None:
    network = create_matting(name, width=0.25).eval()
    network.predict = Ramp()
    with torch.no_grad():
        alpha = network(torch.rand(1, 4, 64, 96)).alpha[0, 0]
    expected = torch.linspace(0, 0.5, 64)[:, None] + torch.linspace(0, 0.5, 96)[None, :]
    assert torch.allclose(alpha, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["matting-b1", "matting-b2"])
def test_segmentation_baselines_stride_and_pool_nothing(name: str) -> None:
    network = create_matting(name, width=0.25)
    convs = [m for m in network.encoder.modules() if isinstance(m, nn.Conv2d)]
    assert (
        len([conv for conv in convs if conv.stride == (2, 2)])
        == {"matting-b1": 4, "matting-b2": 5}[name]
    )
    assert network.encoder.pooled == ()


def test_refinenet_has_relu6_after_every_point_convolution() -> None:
    network = create_matting("matting-b2", width=0.25)
    pairs = [*network.lateral.values(), *network.adapt]
    pairs += [link for pooling in network.refine for link in pooling.links]
    assert len(pairs) == 6 + 3 + 4 * 4
    assert all(isinstance(pair[-1], nn.ReLU6) for pair in pairs)


def test_vgg16_is_the_published_one() -> None:
    torchvision = pytest.importorskip("torchvision")
    theirs = torchvision.models.vgg16_bn(weights=None).features.eval()
    ours = VGG16(3).eval()
    values = theirs.state_dict().values()
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    picture = found = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        for stage in ours:
            found = F.max_pool2d(stage(found), 2)
        assert torch.allclose(found, theirs(picture), atol=1e-6)


def test_chained_poolings_see_ever_larger_windows() -> None:
    """Four chained 5x5 maxima are the maxima of 5x5, 9x9, 13x13 and 17x17 windows."""
    pooling = ChainedResidualPooling(2).eval()
    for link in pooling.links:
        nn.init.dirac_(link[0].weight)
    x = torch.randn(1, 2, 20, 24)
    maxima = [F.max_pool2d(x, side, stride=1, padding=side // 2) for side in (5, 9, 13, 17)]
    expected = x + sum(F.relu6(maximum) for maximum in maxima)
    assert torch.allclose(pooling(x), expected, atol=1e-3)  # eps of batch normalisation
