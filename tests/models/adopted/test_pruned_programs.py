"""Pruning of networks that are not edgemat's: channels are followed through the traced graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from strangers import Attention, OddUNet, UNet, example, randomised
from torch import Tensor, nn
from torch.nn import functional as F

pytest.importorskip("nncf")

from edgemat.models.adopted.adapted import Adapted
from edgemat.models.adopted.network import AdoptedNetwork
from edgemat.models.adopted.program import load_program, save_program
from edgemat.models.adopted.tracing import trace
from edgemat.models.count import count_parameters
from edgemat.models.deploy import to_deploy
from edgemat.quantize.pruning.budget import macs
from edgemat.quantize.pruning.channels import ChannelSet
from edgemat.quantize.pruning.importance import IMPORTANCES
from edgemat.quantize.pruning.prune import cost_of, prune, remove_channels
from edgemat.quantize.pruning.trace import trace_channels

STATISTICS = ("running_mean", "running_var")


class Gated(nn.Module):
    """What mobile networks are of: depthwise, squeeze and excitation, scales, shared weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 24, 3, 2, 1)
        self.depthwise = nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False)
        self.norm, self.scale = nn.BatchNorm2d(24), nn.Parameter(torch.rand(24))
        self.squeeze, self.excite = nn.Linear(24, 16), nn.Linear(16, 24)
        self.back = nn.Conv2d(24, 24, 1)
        self.up = nn.ConvTranspose2d(24, 24, 4, 2, 1, groups=24)
        self.mask, self.last = nn.Conv2d(24, 1, 1), nn.Conv2d(24, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.first(x))
        y = F.relu6(self.norm(self.depthwise(x)))
        means = y.mean(dim=(2, 3))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(means))))
        y = x + self.scale.view(1, -1, 1, 1) * (y * gate.view(1, y.shape[1], 1, 1))
        y = self.back(F.elu(self.back(y)))  # the same weights twice
        y = y * torch.sigmoid(self.mask(y)) * F.relu6(y + 3) / 6
        return torch.sigmoid(self.last(self.up(y)))


def adopted(network: nn.Module, *, size: tuple[int, int] = (32, 64)) -> AdoptedNetwork:
    scores = not isinstance(network, Gated)
    module = Adapted(randomised(network).eval(), mean=(0.4,) * 3, logits=scores)
    return AdoptedNetwork(trace(module, (3, *size))).eval()


def silence(network: AdoptedNetwork, sets: list[ChannelSet], axes: dict[str, int]) -> None:
    """Set to zero what makes the channels, and nothing that reads them."""
    state = network.state_dict()
    for one in sets:
        for name, axis, index in one.slices:
            if axis == axes.get(name, 0) and not name.endswith(STATISTICS):
                state[name].select(axis, index).zero_()


def drawn(sets: list[ChannelSet], *, share: int = 3) -> list[ChannelSet]:
    """Return a part of the sets, of no group all."""
    groups = Counter(one.producers for one in sets)
    wide = [one for one in sets if groups[one.producers] >= 8]
    order = torch.randperm(len(wide), generator=torch.Generator().manual_seed(1)).tolist()
    left, chosen = dict(groups), []
    for one in (wide[number] for number in order[: len(wide) // share]):
        if left[one.producers] > 1:
            left[one.producers] -= 1
            chosen.append(one)
    return chosen


def silent_channels_leave(network: AdoptedNetwork, x: Tensor) -> None:
    graph = trace_channels(network, x)
    sets = drawn(graph.sets)
    assert len(sets) >= 5
    silence(network, sets, {c.weight: c.outputs_axis for c in graph.convolutions})
    before = count_parameters(network)
    with torch.no_grad():
        expected = network(x).alpha
        remove_channels(network, sets)
        found = network(x).alpha
    assert count_parameters(network) < before
    assert expected.std() > 1e-4
    assert (found - expected).abs().max() < 1e-5


@pytest.mark.parametrize("make", [UNet, OddUNet, Gated])
def test_silent_channels_leave_without_a_trace(make: Callable[[], nn.Module]) -> None:
    network, x = adopted(make()), example(32, 64)
    assert trace_channels(network, x).left_alone == set()
    silent_channels_leave(network, x)


@pytest.mark.long
def test_silent_channels_of_torchvisions_lraspp_leave_without_a_trace() -> None:
    segmentation = pytest.importorskip("torchvision.models.segmentation")
    made = segmentation.lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=1
    )
    network, x = adopted(made, size=(64, 64)), example(64, 64)
    graph = trace_channels(network, x)
    assert graph.left_alone == set()
    shrinking = {name for one in graph.sets for name in one.producers}
    staying = [c.weight for c in graph.convolutions if c.groups == 1 and c.weight not in shrinking]
    assert [name.rpartition("module.")[2] for name in staying] == [
        "classifier.low_classifier.weight",
        "classifier.high_classifier.weight",
    ]
    silent_channels_leave(network, x)


def test_every_convolution_but_the_last_can_lose_channels() -> None:
    graph = trace_channels(adopted(UNet()), example(32, 64))
    shrinking = {name.rpartition("module.")[2] for one in graph.sets for name in one.producers}
    assert shrinking == {"first.0.weight", "down.0.weight", "deep.0.weight", "up.weight",
                         "mix.0.weight"}  # fmt: skip


def test_what_cannot_be_followed_stays_whole_and_is_named() -> None:
    graph = trace_channels(adopted(Attention()), example(32, 64))
    assert graph.sets == []
    assert "transpose" in graph.left_alone


class Folded(nn.Module):
    """Rows and columns in one axis, whose length is not said: in linear attention, for example."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.free = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.kept, self.last = nn.Conv2d(16, 16, 1), nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.kept(F.relu(self.free(F.relu(self.first(x)))))
        weights = torch.softmax(y.view(y.shape[0], 16, -1), dim=-1)
        z: Tensor = self.last(y + y * weights.view(y.shape[0], 16, -1, y.shape[3]))
        return z


def test_a_view_that_finds_another_axis_out_stays_one() -> None:
    silent_channels_leave(adopted(Folded()), example(32, 64))


class Groups(nn.Module):
    """A group norm, a sigmoid before a convolution, a softmax and a mean over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 16, 3, padding=1), nn.GroupNorm(4, 16)
        self.free, self.lit = nn.Conv2d(16, 16, 1), nn.Conv2d(16, 8, 1)
        self.soft, self.mean = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.sigmoid(self.lit(F.relu(self.free(self.norm(self.first(x))))))
        y = torch.softmax(self.soft(y), dim=1)
        y = self.mean(y)
        y = y * y.mean(dim=1, keepdim=True)
        z: Tensor = self.last(y)
        return z


def test_channels_stay_where_their_absence_would_be_noticed() -> None:
    graph = trace_channels(adopted(Groups()), example(32, 64))
    assert graph.left_alone == {"group_norm", "sigmoid", "softmax", "mean"}
    assert {name.rpartition("module.")[2] for one in graph.sets for name in one.producers} == {
        "free.weight"
    }


@pytest.mark.parametrize("importance", IMPORTANCES)
def test_half_the_cost_goes_and_the_rest_is_stored_and_deployed(
    importance: str, tmp_path: Path
) -> None:
    network, x = adopted(UNet()), example(32, 64)
    before = cost_of(trace_channels(network, x), macs)

    def loss() -> Tensor:
        return (network(x).alpha - 0.3).square().mean()

    made = prune(network, x, 0.6 * before, importance=importance, losses=[loss], least=4)  # type: ignore[arg-type]
    assert cost_of(trace_channels(network, x), macs) == pytest.approx(made.cost_after)
    with torch.no_grad():
        for weight in network.parameters():  # as training does
            weight.add_(0.01)
        save_program(network.current_program(), tmp_path / "program.pt2")
        again = AdoptedNetwork(load_program(tmp_path / "program.pt2")).eval()
        expected = network(x).alpha
        assert torch.equal(again(x).alpha, expected)
        assert (to_deploy(network)(x) - expected).abs().max() < 1e-5
    assert count_parameters(again) == count_parameters(network)


def test_costs_are_those_of_the_operators() -> None:
    """A transposed convolution has a product for each pixel in, a linear layer one for each row."""
    graph = trace_channels(adopted(Gated()), example(32, 64))
    costs = {c.weight.rpartition("module.")[2]: macs(c, c.shape[1], c.shape[0]) for c in
             graph.convolutions}  # fmt: skip
    assert costs["up.weight"] == 24 * 16 * (16 * 32)
    assert costs["squeeze.weight"] == 24 * 16
    assert costs["depthwise.weight"] == 24 * 9 * (16 * 32)
    up = next(c for c in trace_channels(adopted(UNet()), example(32, 64)).convolutions
              if c.outputs_axis == 1)  # fmt: skip
    assert macs(up, 16, 16) == 16 * 16 * 4 * (8 * 16)
