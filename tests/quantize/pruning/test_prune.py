"""Structured pruning: what does nothing leaves without a trace, and the rest still deploys."""

from __future__ import annotations

import copy
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

pytest.importorskip("nncf")

from toy_networks import calibration, picture, settled

from edgemat.bench.layer_costs import HostLayerCosts, convolution_file
from edgemat.errors import UsageError
from edgemat.matting.runtime import TfliteModel
from edgemat.models import create_model, model_info
from edgemat.models.count import count, count_parameters
from edgemat.models.deploy import to_deploy
from edgemat.models.network import MattingNetwork
from edgemat.models.pruned import fit_channels, settle_channels, shapes_of
from edgemat.quantize.frozen import freeze
from edgemat.quantize.pruning.budget import macs
from edgemat.quantize.pruning.channels import ChannelSet, ConvolutionCost
from edgemat.quantize.pruning.importance import IMPORTANCES, taylor
from edgemat.quantize.pruning.prune import cost_of, prune, remove_channels
from edgemat.quantize.pruning.trace import trace_channels
from edgemat.quantize.ptq import quantize_ptq
from edgemat.recipe.sections import PruneSection

SIZE = 64
NETWORKS = ("pspm-slim", "indexnet-slim", "matting-b9")
MORE = (
    *("pspm-b3", "pspm-b4", "pspm-b5", "pspm-b5-fm", "pspm-psp-b5", "indexnet-m2o-nlc"),
    *("indexnet-hin-nl", "indexnet-unshared-nlc", "matting-b11"),
)
ONE_OF_TWO = ["pspm-slim", pytest.param("indexnet-slim", marks=pytest.mark.long)]


def network(name: str, *, width: float = 0.5) -> MattingNetwork:
    torch.manual_seed(0)
    settled_network = settled(create_model(name, width=width), model_info(name).in_channels)
    assert isinstance(settled_network, MattingNetwork)
    return settled_network


def example(name: str, *, seed: int = 3) -> Tensor:
    return picture(model_info(name).in_channels, SIZE, seed=seed)


def silence(model: nn.Module, sets: list[ChannelSet]) -> None:
    """Set to zero what makes the channels, normalisation included."""
    state = model.state_dict()
    norms = {n for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    for one in sets:
        for name, axis, index in one.slices:
            owner = name.rpartition(".")[0]
            made_here = name in one.producers or owner in norms
            if axis == 0 and made_here and not name.endswith(("running_mean", "running_var")):
                state[name][index] = 0


@pytest.mark.parametrize(
    "name", [*NETWORKS, *(pytest.param(name, marks=pytest.mark.long) for name in MORE)]
)
def test_silent_channels_leave_without_a_trace(name: str) -> None:
    """In float64: a network that has lost channels that were zero computes what it did."""
    model, x = network(name).double(), example(name).double()
    graph = trace_channels(model, x)
    assert len(graph.sets) > 100
    generator = torch.Generator().manual_seed(1)
    groups = Counter(one.producers for one in graph.sets)
    wide = [one for one in graph.sets if groups[one.producers] >= 16]  # none loses all
    chosen = torch.randperm(len(wide), generator=generator)[: len(wide) // 4].tolist()
    sets = [wide[number] for number in chosen]
    silence(model, sets)
    with torch.no_grad():
        expected = model(x)
        before = count_parameters(model)
        remove_channels(model, sets)
        found = model.double()(x)
    assert count_parameters(model) < before
    assert (found.alpha - expected.alpha).abs().max() < 1e-9
    if expected.trimap_logits is not None:
        assert (found.trimap_logits - expected.trimap_logits).abs().max() < 1e-9


@pytest.mark.parametrize("name", ["pspm-slim", "indexnet-slim"])
def test_only_what_must_stay_stays(name: str) -> None:
    """Outputs and inputs; every other convolution can lose channels."""
    model = network(name)
    graph = trace_channels(model, example(name))
    assert graph.left_alone == set()
    shrinking = {producer for one in graph.sets for producer in one.producers}
    staying = [c.weight for c in graph.convolutions if c.groups == 1 and c.weight not in shrinking]
    last = ["predict.weight"]
    assert staying == (["segment.classify.weight", *last] if name == "pspm-slim" else last)


@pytest.mark.parametrize("name", ["pspm-slim", "indexnet-slim"])
def test_convolutions_cost_what_the_counter_says(name: str) -> None:
    model, x = network(name), example(name)
    counted = count(model, tuple(x.shape[1:])) * 1e9
    assert cost_of(trace_channels(model, x), macs) == pytest.approx(counted, rel=2e-3)


@pytest.mark.parametrize(
    "importance",
    [IMPORTANCES[0], *(pytest.param(name, marks=pytest.mark.long) for name in IMPORTANCES[1:])],
)
@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_half_the_cost_goes_and_channels_stay_in_eights(name: str, importance: str) -> None:
    model, x = network(name, width=1.0), example(name)
    before = cost_of(trace_channels(model, x), macs)

    def loss() -> Tensor:
        return (model(x).alpha - 0.3).square().mean()

    pruned = prune(model, x, before / 2, importance=importance, losses=[loss])  # type: ignore[arg-type]
    assert pruned.cost_before == pytest.approx(before)
    after = cost_of(trace_channels(model, x), macs)
    assert after == pytest.approx(pruned.cost_after)
    assert 0.48 * before < after <= 0.5 * before
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.out_channels > 4:
            assert layer.out_channels % 8 == 0


def test_taylor_keeps_what_the_loss_needs() -> None:
    """Of two halves of a layer, the one that the loss does not see goes first."""
    model, x = network("pspm-slim"), example("pspm-slim")
    scale = model.get_parameter("refine.1.weight")
    graph = trace_channels(model, x)
    with torch.no_grad():
        scale[:4] = 0
        model.get_parameter("refine.1.bias")[:4] = 0

    def loss() -> Tensor:
        return model(x).alpha.square().mean()

    scores = {
        index: score
        for one, score in zip(graph.sets, taylor(model, graph, [loss]), strict=True)
        for name, axis, index in one.slices
        if name == "refine.1.weight"
    }
    assert max(scores[i] for i in range(4)) == 0
    assert min(scores[i] for i in range(4, len(scores))) > 0


def test_a_target_that_cannot_be_reached_is_refused_and_nothing_changes() -> None:
    model, x = network("pspm-slim"), example("pspm-slim")
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(UsageError, match=r"Pruning ends at \d+% of the cost"):
        prune(model, x, 1.0, importance="magnitude")
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_taylor_needs_a_loss() -> None:
    with pytest.raises(UsageError, match="needs losses"):
        prune(network("pspm-slim"), example("pspm-slim"), 1e9, importance="taylor")


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_a_pruned_network_is_restored_deployed_and_quantized(name: str, tmp_path: Path) -> None:
    model, x = network(name), example(name)
    prune(model, x, cost_of(trace_channels(model, x), macs) / 2, importance="magnitude")
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    state = load_file(tmp_path / "weights.safetensors")
    fresh = create_model(name, width=0.5).eval()
    fit_channels(fresh, shapes_of(state))
    fresh.load_state_dict(state)
    settle_channels(fresh, x)
    model, fresh = model.double(), fresh.double()
    with torch.no_grad():
        expected = model.eval()(x.double()).alpha.clamp(0, 1)
        deployed = to_deploy(fresh)(x.double())
    assert (deployed - expected).abs().max() < 1e-6
    deploy = to_deploy(fresh.float())
    quantized = quantize_ptq(deploy, calibration(x.shape[1], SIZE))
    with torch.no_grad():
        frozen = freeze(quantized.deploy, quantized.spec)(x)
    assert math.isfinite(float(frozen.std())) and (frozen - deploy(x)).abs().mean() < 0.1


# ---- what a layer costs on this machine -------------------------------------------------------


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("stride", "kernel"), [(1, 1), (1, 3), (2, 3), (1, 5)])
def test_a_layer_of_its_own_is_an_int8_convolution(
    depthwise: bool, stride: int, kernel: int, tmp_path: Path
) -> None:
    layer = ConvolutionCost("w", (16, 1 if depthwise else 24, kernel, kernel), (10, 12),
                        16 if depthwise else 1, stride)  # fmt: skip
    inputs = 8
    outputs = inputs if depthwise else 16
    path = tmp_path / "layer.tflite"
    path.write_bytes(convolution_file(layer, inputs, outputs))
    model = TfliteModel(path)
    assert model.operators() == ["DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"]
    assert tuple(model.input_shape) == (1, 10 * stride, 12 * stride, inputs)
    assert tuple(model.output_shape) == (1, 10, 12, outputs)
    assert model.delegate_coverage().share == 1
    x = np.random.default_rng(0).random(model.input_shape).astype(np.float32) * 6
    assert model.run(x).std() > 0.1


def test_a_grouped_layer_costs_what_it_costs_whole(tmp_path: Path) -> None:
    layer = ConvolutionCost("w", (16, 4, 3, 3), (10, 12), 2, 1)
    path = tmp_path / "layer.tflite"
    path.write_bytes(convolution_file(layer, 4, 16))
    model = TfliteModel(path)
    assert model.operators() == ["CONV_2D"] and tuple(model.input_shape) == (1, 10, 12, 8)
    layers = HostLayerCosts()
    assert layers(layer, 4, 16) == layers(layer, 4, 8) > 0


@pytest.mark.parametrize("inputs", [64, 1], ids=["dense", "depthwise"])
def test_a_layer_is_measured_once_and_asked_for_any_number_of_channels(inputs: int) -> None:
    layers = HostLayerCosts()
    layer = ConvolutionCost("w", (64, inputs, 3, 3), (32, 32), 1, 64 // inputs)
    assert layers(layer, 64, 64) > 0
    measured = len(layers._known)
    assert layers(layer, 40, 24) > 0 and layers(layer, 9, 8) >= 0
    assert len(layers._known) == measured == 1


def test_the_cost_model_steers_the_choice() -> None:
    """What costs nothing is not pruned."""
    model, x = network("pspm-slim"), example("pspm-slim")
    before = {c.weight: c.shape for c in trace_channels(model, x).convolutions}

    def only_segment(convolution: ConvolutionCost, inputs: int, outputs: int) -> float:
        return macs(convolution, inputs, outputs) if "segment" in convolution.weight else 0.0

    prune(
        model,
        x,
        0.6 * cost_of(trace_channels(model, x), only_segment),
        importance="magnitude",
        cost=only_segment,
    )
    after = {c.weight: c.shape for c in trace_channels(model, x).convolutions}
    changed = {weight for weight, shape in before.items() if after[weight] != shape}
    assert any("segment" in weight for weight in changed)
    assert not any(weight.startswith(("refine", "predict")) for weight in changed)


def test_milliseconds_are_a_share_of_what_was_measured() -> None:
    target = PruneSection(milliseconds=6.0, cost="host")
    assert target.share_of(24.0) == 0.25
    with pytest.raises(UsageError, match=r"take 5\.00 ms here: 6 ms is kept without pruning"):
        target.share_of(5.0)
    assert PruneSection(keep=0.5).share_of(24.0) == 0.5
