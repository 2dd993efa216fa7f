"""PSPM starts from two trained networks: each gives its part, layer by layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from toy_artifacts import artifact

from edgemat.artifacts.artifact import Artifact, Feeding
from edgemat.errors import EdgematError, UsageError
from edgemat.models import create_matting, model_info
from edgemat.models.blocks.affine import normalise_input
from edgemat.models.network import MattingNetwork
from edgemat.recipe.load import load_recipe
from edgemat.recipe.optimization import BlendSection, PartsSection
from edgemat.workflow.stages.starting import blend_in, start_from_encoder, start_from_two

CONFIG = {"width": 0.25}


def trained(
    shelf: Path, architecture: str, *, normalised: bool = False
) -> tuple[Artifact, MattingNetwork]:
    torch.manual_seed(len(architecture))
    network = create_matting(architecture, **CONFIG)
    if normalised:
        encoder = network.get_submodule((network.segmentation or ("encoder",))[0])
        normalise_input(encoder, torch.full((3,), 0.5), torch.full((3,), 0.25))
    state = network.state_dict()
    info = model_info(architecture)
    channels = info.in_channels
    assert channels in (3, 4)
    made = artifact(
        shelf,
        lambda inside: save_file(state, inside / "weights.safetensors"),
        name=architecture,
        kind="float",
        architecture=architecture,
        config=CONFIG,
        task=info.task,
        feeding=Feeding(
            layout="NCHW",
            height=64,
            width=64,
            channels=channels,  # type: ignore[arg-type]
            stride=info.stride,
            trimap_channel=3 if channels == 4 else None,
        ),
        payload="weights.safetensors",
    )
    return made, network


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[PartsSection, MattingNetwork, MattingNetwork]:
    shelf = tmp_path_factory.mktemp("shelf")
    segmentation, deeplab = trained(shelf, "pspm-b", normalised=True)
    matting, indexnet = trained(shelf, "indexnet-m2o-nlc", normalised=True)
    parts = PartsSection(segmentation=str(segmentation.path), matting=str(matting.path))
    return parts, deeplab, indexnet


def test_the_baseline_is_both_networks_as_they_are(
    two: tuple[PartsSection, MattingNetwork, MattingNetwork],
) -> None:
    """B's matte is IndexNet's of DeepLab's trimap."""
    parts, deeplab, indexnet = two
    network = create_matting("pspm-b", **CONFIG)
    start_from_two(network, parts)
    for one in (network, deeplab, indexnet):
        one.eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        alpha, logits = network(x)
        scores = torch.nn.functional.interpolate(logits, size=(64, 64), mode="bilinear")
        probabilities = scores.softmax(dim=1)
        trimap = probabilities[:, 2:] + probabilities[:, 1:2] / 2  # eq. 6.1
        torch.testing.assert_close(logits, deeplab(x).trimap_logits)
        torch.testing.assert_close(alpha, indexnet(torch.cat([x, trimap], dim=1)).alpha)


def test_three_classes_begin_as_their_sum(
    two: tuple[PartsSection, MattingNetwork, MattingNetwork],
) -> None:
    """B2 sees the classes themselves, and begins with what B makes of M = F + U / 2."""
    mattes = []
    for name in ("pspm-b", "pspm-b2"):
        network = create_matting(name, **CONFIG).eval()
        start_from_two(network, two[0])
        with torch.no_grad():
            mattes.append(network(torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)).alpha)
    torch.testing.assert_close(mattes[0], mattes[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["pspm-b3", "pspm-b4", "pspm-b5", "pspm-b5-fm"])
def test_a_shared_encoder_takes_what_corresponds(
    name: str, two: tuple[PartsSection, MattingNetwork, MattingNetwork]
) -> None:
    parts, deeplab, indexnet = two
    network = create_matting(name, **CONFIG)
    start_from_two(network, parts)
    state, segment, index = (one.state_dict() for one in (network, deeplab, indexnet))
    for own, other in (("encoder.", "segment.encoder."), ("segment.", "segment.decode.")):
        named = [key for key in segment if key.startswith(other)]
        assert named
        for key in named:
            assert torch.equal(state[own + key.removeprefix(other)], segment[key]), key
    unpooled = state["decode1.0.weight"].shape[1]
    assert torch.equal(state["decode1.0.weight"], index["decoder.0.0.weight"][:, :unpooled])
    assert torch.equal(
        state["decode2.3.weight"],
        index["decoder.1.0.weight"][:, : state["decode2.3.weight"].shape[1]],
    )
    assert torch.equal(state["predict.3.weight"], index["predict.3.weight"])


def test_what_has_no_such_part_is_refused(
    two: tuple[PartsSection, MattingNetwork, MattingNetwork],
) -> None:
    parts, *_ = two
    swapped = PartsSection(segmentation=parts.matting, matting=parts.segmentation)
    with pytest.raises(UsageError, match="estimates no trimap"):
        start_from_two(create_matting("pspm-b5", **CONFIG), swapped)
    twice = PartsSection(segmentation=parts.segmentation, matting=parts.segmentation)
    with pytest.raises(UsageError, match="none of IndexNet's layers"):
        start_from_two(create_matting("pspm-b5", **CONFIG), twice)
    with pytest.raises(UsageError, match="do not fit"):
        start_from_two(create_matting("pspm-b5", width=0.5), parts)


def test_an_encoder_of_another_network_is_started_from(tmp_path: Path) -> None:
    """pspm-live of double width has the encoder of pspm-slim, affine and all."""
    artefact, slim = trained(tmp_path, "pspm-slim", normalised=True)
    live = create_matting("pspm-live", width=2 * CONFIG["width"])
    before = {name: one.clone() for name, one in live.state_dict().items()}
    start_from_encoder(live, artefact)
    after, encoder = live.state_dict(), slim.encoder.state_dict()
    assert len(encoder) > 100
    for name, value in encoder.items():
        assert torch.equal(after[f"encoder.{name}"], value), name
    for name, value in before.items():
        assert name.startswith("encoder.") or torch.equal(after[name], value), name


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    artefact, _ = trained(tmp_path, "pspm-slim", normalised=True)
    with pytest.raises(UsageError, match="is not this network's"):
        start_from_encoder(create_matting("pspm-live", **CONFIG), artefact)


def test_a_blend_is_between_two_networks(tmp_path: Path) -> None:
    made, other = trained(tmp_path, "pspm-slim")
    torch.manual_seed(3)
    network = create_matting("pspm-slim", **CONFIG)
    before = {name: w.clone() for name, w in network.state_dict().items()}
    blend = BlendSection(other=str(made.path), share=0.25)
    assert blend_in(network, blend).path == made.path
    theirs = other.state_dict()
    for name, w in network.state_dict().items():
        expected = before[name]
        if w.is_floating_point():
            expected = 0.75 * expected + 0.25 * theirs[name]
        torch.testing.assert_close(w, expected, atol=1e-6, rtol=1e-5)
    wider = create_matting("pspm-slim", width=0.5)
    with pytest.raises(UsageError, match="another architecture or width"):
        blend_in(wider, blend)
    with pytest.raises(UsageError, match="another architecture or width"):
        blend_in(create_matting("pspm-b3", **CONFIG), blend)


def test_a_recipe_names_whom_it_blends(tmp_path: Path) -> None:
    start, _ = trained(tmp_path, "pspm-slim")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""name = "r"
[[models]]
name = "m"
architecture = "pspm-slim"
config = {{ width = 0.25 }}
input_size = [64, 64]
train = {{ start = "{start.path}", steps = 0, blend = {{ other = "nobody", share = 0.5 }} }}
"""
    )
    with pytest.raises(EdgematError, match="nobody"):
        load_recipe(recipe)
