"""An int8 file is the frozen model to the last bit, where both compute as XNNPACK does."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

pytest.importorskip("litert_torch")

from shared_networks import quantized, tflite_file
from toy_networks import evaluation, settled

from edgemat.convert.backends import find_backend
from edgemat.convert.layer_parity import compare_layers
from edgemat.convert.operators import float_operators
from edgemat.convert.pairing import run_both
from edgemat.convert.xnnpack import XnnpackArithmetic, resize_integers
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.blocks.conv import conv_bn
from edgemat.models.deploy import to_deploy
from edgemat.models.network import MattingNetwork, MattingOutput
from edgemat.quantize.frozen import freeze

TFLITE = find_backend("tflite")
SIZE = 32


class Toy(MattingNetwork):
    def __init__(self) -> None:
        super().__init__()
        self.first = conv_bn(3, 8)
        self.predict = nn.Conv2d(8, 1, 3, padding=1)


class Arithmetic(Toy):
    """Sums, products, differences of unlike ranges, resizes by odd factors, depthwise kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8)
        self.point = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> MattingOutput:
        x = self.first(x)
        small = F.relu6(self.depthwise(x))
        y = F.interpolate(small, size=(11, 13), mode="bilinear", align_corners=False)
        y = F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=True)
        y = F.relu(y + 3 * self.point(x)) * torch.sigmoid(x - y)
        y = F.interpolate(F.max_pool2d(y, 2), scale_factor=2.0, mode="nearest") - 0.3 * x
        return MattingOutput(self.predict(y))


class ResizedLast(Toy):
    """Its logits reach far beyond 0 and 1, and are resized before they are cut."""

    def forward(self, x: Tensor) -> MattingOutput:
        y = 20 * self.predict(F.max_pool2d(self.first(x), 4)) + 0.5
        return MattingOutput(
            F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=False)
        )

    def ends_in_resize(self) -> bool:
        return True


class TakenTwice(Toy):
    """A feature below and above 0, of which another branch sees the maxima alone."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> MattingOutput:
        x = self.linear(self.first(x))
        strongest = F.max_pool2d(x.amax(dim=1, keepdim=True), 2)
        mask = torch.sigmoid(4 * F.interpolate(strongest, scale_factor=2.0, mode="nearest"))
        return MattingOutput(self.predict(x * mask))


class Joined(Toy):
    """Two features that are joined, and of which the second is taken by another as well."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.other = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.both = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x: Tensor) -> MattingOutput:
        x = self.first(x)
        one, other = self.linear(x), self.other(x)
        both = torch.cat([one, other], dim=1)
        return MattingOutput(self.both(both) + self.predict(other * torch.sigmoid(other)))


class Leaky(Toy):
    """Two convolutions of the picture itself, and leaky rectifiers behind convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(*conv_bn(3, 8)[:2], nn.LeakyReLU(0.01))
        self.short = nn.Sequential(nn.Conv2d(3, 8, 1), nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> MattingOutput:
        return MattingOutput(self.predict(1.0 - (self.first(x) + self.short(x) + 0.25)))


@pytest.mark.parametrize("network", [Arithmetic, ResizedLast, TakenTwice, Joined, Leaky])
def test_every_tensor_is_the_frozen_model_s_in_every_value(network: type[Toy]) -> None:
    torch.manual_seed(3)
    deploy = to_deploy(settled(network(), 3))
    made = quantized(deploy, channels=3, size=SIZE)
    frozen = freeze(made.deploy, made.spec)
    path = tflite_file(frozen, "tflite-int8", shape=(3, SIZE, SIZE))

    table = compare_layers(run_both(path, TFLITE, frozen, evaluation(3, SIZE).inputs(0)))[0]
    rows = table.rows

    assert table.unmatched == 0
    assert len(rows) == sum(quant.kind == "activation" for quant in made.spec.tensors) >= 5
    assert float_operators(path) == []
    assert {row.layer: row.share_off for row in rows if row.share_off} == {}


def test_a_matte_that_is_resized_last_is_not_cut_before() -> None:
    """Cut first, an edge between -1 and 3 would begin later and end sooner."""
    torch.manual_seed(3)
    made = quantized(to_deploy(settled(ResizedLast(), 3)), channels=3, size=SIZE)
    frozen = freeze(made.deploy, made.spec)
    path = tflite_file(frozen, "tflite-int8", shape=(3, SIZE, SIZE))
    x = evaluation(3, SIZE).inputs(0)
    expected = torch_predictor(frozen)(x)
    found = TFLITE.predictors(path)["LiteRT, XNNPACK"](x)
    step = max(quant.scale[0] for quant in made.spec.tensors if quant.kind == "activation")
    assert expected.min() == 0 and expected.max() == 1 and step < 0.2
    assert np.abs(found - expected).max() <= step + 1 / 255, "more than a tie that fell otherwise"


@pytest.mark.parametrize("align_corners", [False, True])
def test_resizing_rounds_half_up_what_torch_computes_exactly(align_corners: bool) -> None:
    x = torch.randint(-128, 128, (1, 2, 5, 7), generator=torch.Generator().manual_seed(1))
    exact = F.interpolate(
        x.double(), scale_factor=2.0, mode="bilinear", align_corners=align_corners
    )
    found = resize_integers(x, exact.shape[2:], align_corners=align_corners)
    if align_corners:  # weights of 11 bits are not exact
        assert (found - exact).abs().max() <= 0.5 + 256 / 2**11
    else:
        assert torch.equal(found.double(), torch.floor(exact + 0.5))
        assert not torch.equal(found.double(), torch.round(exact)), "no value lay between"


def rounded(x: Tensor, step: float = 0.5) -> Tensor:
    return torch.fake_quantize_per_tensor_affine(x, step, 0, -128, 127)


@pytest.mark.parametrize("change", ["add_", "view", "item"])
def test_what_is_changed_in_place_is_on_no_grid(change: str) -> None:
    with XnnpackArithmetic():
        one, other = rounded(torch.tensor([0.5, 0.5])), rounded(torch.tensor([1.0, 1.0]))
        match change:
            case "add_":
                one.add_(0.2)
            case "view":
                one[:1].add_(0.2)
            case "item":
                one[0] = 0.7
        assert rounded(one + other, 0.1)[0].item() == pytest.approx(1.7)  # and not 0.5 + 1.0


def test_nothing_is_kept_of_what_is_gone() -> None:
    arithmetic = XnnpackArithmetic()
    with arithmetic:
        for _ in range(3):
            x = rounded(torch.rand(1, 2, 4, 4))
            y = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            rounded((y + y).flatten() * 0.5)
            rounded(F.conv2d(x, torch.rand(2, 2, 1, 1)))
    del x, y
    gc.collect()
    assert len(arithmetic._steps._notes) == len(arithmetic._unrounded._notes) == 0


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: torch.add(x, x, alpha=2),
        lambda x: torch.cat(tensors=[x, x]),
        lambda x: torch.relu(input=x + x),
        lambda x: torch.clamp(x + x, torch.tensor(0.25)),
        lambda x: F.pad(x, (1, 1), value=0.3),
        lambda x: x * 1e-9 + x * 1e9,  # no kernel of XNNPACK's sums these
    ],
)
def test_what_it_does_not_know_is_as_in_torch(compute: Callable[[Tensor], Tensor]) -> None:
    x = rounded(torch.tensor([[0.5, 2.0, -1.0]]))
    expected = rounded(compute(x), 0.1)
    with XnnpackArithmetic():
        assert torch.equal(rounded(compute(rounded(x)), 0.1), expected)
