"""The affine before an encoder: exact at the border, in every form of a network."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from toy_artifacts import artifact
from toy_networks import ToyMatting, picture, settled

from edgemat.artifacts.artifact import Artifact, Feeding
from edgemat.artifacts.weights import load_deploy, load_network
from edgemat.models import create_matting, model_info
from edgemat.models.blocks.affine import (
    ChannelAffine,
    NormalisedConv2d,
    PointAffine,
    normalise_input,
    pixel_weight,
)
from edgemat.models.count import count_parameters
from edgemat.models.deploy import prepare_for_float16, to_deploy
from edgemat.models.network import MattingNetwork
from edgemat.quantize.pruning.trace import trace_channels

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def normalised(x: Tensor) -> Tensor:
    return (x - MEAN[:, None, None]) / STD[:, None, None]


@functools.cache
def network_with_affine(name: str = "pspm-slim") -> MattingNetwork:
    torch.manual_seed(0)
    network = create_matting(name, width=0.25)
    normalise_input(network.encoder, MEAN, STD)
    settled(network, model_info(name).in_channels)
    return network


def test_padding_is_the_mean_colour() -> None:
    """Known by arithmetic: zeros are padded behind the affine, so that no edge is seen."""
    conv = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    part = nn.Sequential(conv)
    normalise_input(part, MEAN, STD)
    x = torch.rand(1, 3, 8, 8)
    expected = F.conv2d(F.pad(normalised(x), (1, 1, 1, 1)), conv.weight)
    torch.testing.assert_close(part(x), expected)
    mean_colour = MEAN[:, None, None].expand(1, 3, 8, 8)
    assert part(mean_colour).abs().max() < 1e-5


def test_a_trimap_passes_as_it_is() -> None:
    affine = ChannelAffine.of(MEAN, STD, channels=4)
    x = torch.rand(1, 4, 5, 6)
    assert torch.equal(affine(x)[:, 3], x[:, 3])
    torch.testing.assert_close(affine(x)[:, :3], normalised(x[:, :3]))


def test_an_identity_adds_nothing() -> None:
    part = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1))
    normalise_input(part, torch.zeros(3), torch.ones(3))
    assert type(part[0]) is nn.Conv2d and set(part.state_dict()) == {"0.weight", "0.bias"}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("padding", [0, 1])
def test_only_what_is_not_padded_is_folded(padding: int, bias: bool) -> None:
    part = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2, padding=padding, bias=bias))
    normalise_input(part, MEAN, STD)
    deployed = part[0].deploy()
    assert isinstance(deployed, NormalisedConv2d) is (padding > 0)
    x = torch.rand(1, 3, 9, 9)
    torch.testing.assert_close(deployed(x), part(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "name", ["pspm-slim", "indexnet-slim", "a2u-dynamic-cs", "rmat-m3", "pspm-b", "matting-b1"]
)
def test_the_deploy_form_is_the_same_function_and_has_one_more_convolution(name: str) -> None:
    network = network_with_affine(name)
    plain = create_matting(name, width=0.25)
    assert count_parameters(network) == count_parameters(plain), "constants are not learned"
    deploy = to_deploy(network)
    x = picture(model_info(name).in_channels, 64, seed=7)
    with torch.no_grad():
        expected = network(x).alpha.clamp(0, 1)
        torch.testing.assert_close(deploy(x), expected, atol=1e-4, rtol=0)
    points = [m for m in deploy.modules() if isinstance(m, PointAffine)]
    assert len(points) == 1
    assert not [m for m in to_deploy(plain).modules() if isinstance(m, PointAffine)]


@pytest.mark.parametrize("name", ["pspm-slim", "a2u-dynamic-cs", "rmat-m3", "pspm-b"])
def test_the_variant_for_float16_takes_whole_pixels(name: str) -> None:
    deploy = to_deploy(network_with_affine(name))
    x = picture(model_info(name).in_channels, 64, seed=7)
    found = prepare_for_float16(deploy, 1 / 255)(255 * x)
    torch.testing.assert_close(found, deploy(x), atol=1e-4, rtol=0)


def test_pixel_weights_are_the_affines() -> None:
    network = ToyMatting()
    assert pixel_weight(network).data_ptr() == network.first[0].weight.data_ptr()
    normalise_input(network, MEAN, STD)
    assert pixel_weight(network, 2).flatten().tolist() == (1 / STD[:2]).tolist()


def test_no_channel_of_the_affine_is_pruned() -> None:
    graph = trace_channels(network_with_affine(), torch.zeros(1, 3, 64, 64))
    plain = create_matting("pspm-slim", width=0.25)
    assert graph.left_alone == trace_channels(plain, torch.zeros(1, 3, 64, 64)).left_alone
    slices = [part for found in graph.sets for part in found.slices]
    assert slices and not [part for part in slices if "normalise" in part.tensor]
    assert [part for part in slices if part.tensor == "encoder.0.0.weight" and part.axis == 0]
    assert not [part for part in slices if part.tensor == "encoder.0.0.weight" and part.axis == 1]


def stored(shelf: Path, network: MattingNetwork) -> Artifact:
    return artifact(
        shelf,
        lambda folder: save_file(network.state_dict(), folder / "weights.safetensors"),
        kind="float",
        architecture="pspm-slim",
        config={"width": 0.25},
        payload="weights.safetensors",
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
    )


def test_an_artefact_keeps_the_affine(tmp_path: Path) -> None:
    network = network_with_affine()
    written = stored(tmp_path, network)
    x = picture(3, 64, seed=7)
    with torch.no_grad():
        assert torch.equal(load_network(written)(x).alpha, network(x).alpha)
        assert torch.equal(load_deploy(written)(x), to_deploy(network)(x))


def test_an_artefact_without_an_affine_gets_none(tmp_path: Path) -> None:
    network = settled(create_matting("pspm-slim", width=0.25), 3)
    loaded = load_network(stored(tmp_path, network))
    assert not [m for m in loaded.modules() if isinstance(m, NormalisedConv2d)]
