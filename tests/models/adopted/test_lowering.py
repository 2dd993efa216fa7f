"""Every rule: the deploy form of an adopted network computes what the network computes."""

from __future__ import annotations

import pytest
import torch
from strangers import Attention, Lines, OddUNet, UNet, example, randomised
from torch import Tensor, fx, nn
from torch.nn import functional as F

from edgemat.errors import ConversionError, UnsupportedError
from edgemat.models.adopted.check import expect
from edgemat.models.adopted.network import AdoptedNetwork, Lowered
from edgemat.models.adopted.replacements import Regrid, TransposedConv2d
from edgemat.models.adopted.tracing import trace
from edgemat.models.blocks.affine import ScaleShift
from edgemat.models.deploy import DeployForm, prepare_for_float16, to_deploy

C = 4


def conv(kernel: int = 3, **options: int) -> nn.Conv2d:
    return nn.Conv2d(C, C, kernel, padding=kernel // 2, **options)


class OnRows(nn.Module):
    """A layer that sees B,C,HW."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x.flatten(2)).reshape(x.shape)
        return y


class Excited(nn.Module):
    """A share of each channel, by a linear layer on all of them, or on each alone."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        rows = F.adaptive_avg_pool2d(x, 1).view(-1, self.layer.in_features)
        return x * torch.sigmoid(self.layer(rows)).view(1, -1, 1, 1)


class OnPixels(nn.Module):
    """A linear layer that sees B,H,W,C, and a scale of all behind it."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = (0.5 * self.layer(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return y


LAYERS: dict[str, nn.Module] = {
    "convolution": conv(),
    "depthwise": conv(groups=C),
    "dilated": nn.Conv2d(C, C, 3, padding=2, dilation=2),
    "same padding": nn.Conv2d(C, C, 5, padding="same"),
    "batch norm behind a convolution": nn.Sequential(conv(), nn.BatchNorm2d(C)),
    "batch norm first": nn.Sequential(nn.BatchNorm2d(C), nn.ReLU(), conv()),
    "batch norm without scale": nn.Sequential(conv(), nn.BatchNorm2d(C, affine=False)),
    "instance norm": nn.InstanceNorm2d(C, affine=True),
    "instance norm with statistics": nn.InstanceNorm2d(C, affine=True, track_running_stats=True),
    "group norm": nn.GroupNorm(2, C),
    "layer norm": Lines(lambda x: F.layer_norm(x, x.shape[-1:])),
    "relu6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(-0.5, 0.7),
    "hardswish": nn.Hardswish(),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardsigmoid of rows": Lines(lambda x: F.hardsigmoid(x.mean((2, 3)))[:, :, None, None] * x),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "gelu by tanh": nn.GELU(approximate="tanh"),
    "elu": nn.ELU(),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(),
    "tanh": nn.Tanh(),
    "leaky relu": nn.LeakyReLU(0.2),
    "prelu": nn.PReLU(C, init=0.3),
    "prelu that grows": nn.PReLU(C, init=1.4),
    "softmax": nn.Softmax(dim=1),
    "sigmoid": nn.Sigmoid(),
    "squeeze and excitation": Lines(lambda x: x * torch.sigmoid(F.adaptive_avg_pool2d(x, 1))),
    "sums and products": Lines(lambda x: 2 - x * 0.5 + x / 3 - (x - 1) * torch.relu(x) + 1),
    "squares and roots": Lines(lambda x: torch.sqrt(x**2 + 1) * torch.rsqrt(x.abs() + 1)),
    "largest and least": Lines(lambda x: torch.maximum(x, -x) + torch.minimum(x, x * 2)),
    "logarithm": Lines(lambda x: torch.log(x.abs() + 1)),
    "largest of the channels": Lines(lambda x: x - x.amax(dim=1, keepdim=True)),
    "sum over a map": Lines(lambda x: x * x.sum(dim=(2, 3), keepdim=True) / 256),
    "divided by a tensor": Lines(lambda x: x / (x.abs() + 1)),
    "unbound channels": Lines(lambda x: torch.stack(x.unbind(1)[::-1], dim=1)),
    "channels of zeros": nn.Sequential(
        Lines(lambda x: F.pad(x, (0, 0, 0, 0, 1, 2))), nn.Conv2d(C + 3, C, 1)
    ),
    "a constant map": Lines(lambda x: x + torch.arange(16.0) / 16),
    "max pooling": nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.Upsample(scale_factor=2)),
    "average pooling": nn.Sequential(nn.AvgPool2d(2), nn.Upsample(scale_factor=2)),
    "bins of one size": Lines(lambda x: F.interpolate(F.adaptive_avg_pool2d(x, 4), 16)),
    "bins of several sizes": Lines(
        lambda x: F.interpolate(F.adaptive_avg_pool2d(x, (3, 5)), 16, mode="bilinear")
    ),
    "largest of bins": Lines(
        lambda x: (
            F.interpolate(F.adaptive_max_pool2d(x, 4), 16)
            + F.adaptive_max_pool2d(x, 1)
            + F.interpolate(F.adaptive_max_pool2d(x, (3, 5)), 16, mode="bilinear")
        )
    ),
    "largest along the channels": Lines(lambda x: x - x.max(1, keepdim=True)[0]),
    "bilinear, corners aligned": Lines(
        lambda x: F.interpolate(x[:, :, ::2, ::2], (16, 16), mode="bilinear", align_corners=True)
    ),
    "reflected border": nn.Sequential(nn.ReflectionPad2d((1, 2, 3, 0)), nn.Conv2d(C, C, 4)),
    "repeated border": nn.Sequential(nn.ReplicationPad2d(2), nn.Conv2d(C, C, 5)),
    "padding mode of a convolution": nn.Conv2d(C, C, 3, padding=1, padding_mode="reflect"),
    "border that begins anew": nn.Conv2d(C, C, 3, padding=(1, 0), padding_mode="circular"),
    "uneven zeros": nn.Sequential(nn.ZeroPad2d((0, 1, 2, 0)), nn.Conv2d(C, C, (3, 2))),
    "transposed": nn.Sequential(nn.MaxPool2d(2), nn.ConvTranspose2d(C, C, 2, 2)),
    "transposed, overlapping": nn.Sequential(nn.MaxPool2d(2), nn.ConvTranspose2d(C, C, 4, 2, 1)),
    "transposed, by groups": nn.Sequential(
        nn.MaxPool2d(2), nn.ConvTranspose2d(C, C, 3, 2, 1, output_padding=1, groups=2)
    ),
    "transposed, with batch norm": nn.Sequential(
        nn.MaxPool2d(4), nn.ConvTranspose2d(C, C, 8, 4, 2, groups=2), nn.BatchNorm2d(C)
    ),
    "transposed, of step 1": nn.ConvTranspose2d(C, C, 3, padding=1),
    "pixel shuffle": nn.Sequential(
        nn.Conv2d(C, 2 * C, 2, 2), nn.PixelShuffle(2), nn.Conv2d(2, C, 1)
    ),
    "pixel shuffle by 4": nn.Sequential(nn.Conv2d(C, 64, 4, 4), nn.PixelShuffle(4)),
    "shuffled channels": nn.ChannelShuffle(2),
    "chunks": Lines(lambda x: torch.cat([b * 2 for b in x.chunk(2, dim=1)], dim=1)),
    "splits and stacks": Lines(
        lambda x: (
            torch.stack(x.split([1, 3], dim=1)[::-1][:1], dim=1).flatten(1, 2).repeat(1, 2, 1, 1)
        )
    ),
    "linear on tokens": Lines(
        lambda x: (x.flatten(2).transpose(1, 2) @ torch.ones(C, C)).mT.reshape(x.shape)
    ),
    "products by einsum": Lines(
        lambda x: torch.einsum("bchw,bdhw,de->behw", x, x, torch.arange(16.0).reshape(C, C)) / 8
    ),
    "attention": Attention(C),
    "batch norm of rows": OnRows(nn.BatchNorm1d(C)),
    "group norm of rows": OnRows(nn.GroupNorm(2, C)),
    "group norm with a shift alone": Lines(lambda x: F.group_norm(x, 2, None, torch.ones(C))),
    "prelu of rows": OnRows(nn.PReLU(C)),
    "one less rows": OnRows(Lines(lambda x: 1 - x)),
    "excited by all channels": Excited(nn.Linear(C, C)),
    "excited by each channel alone": Excited(nn.Linear(1, 1)),
    "linear on pixels, halved": OnPixels(nn.Linear(C, C)),
    "repeated along a new dimension": Lines(lambda x: x.mean(1).repeat(1, C, 1, 1)),
    "dropout": nn.Sequential(nn.Dropout2d(0.5), conv()),
    "a whole network": UNet(C),
    "an odd network": OddUNet(C),
}


class Whole(nn.Module):
    """A layer between convolutions, so that what is folded has something to be folded into."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.first, self.layer = nn.Conv2d(3, C, 3, padding=1), layer
        self.last = nn.LazyConv2d(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.layer(self.first(x)))
        return y


@pytest.mark.parametrize("name", LAYERS)
def test_a_deploy_form_equals_its_network(name: str) -> None:
    x = example(16, 16)
    network = Whole(randomised(LAYERS[name])).eval()
    with torch.no_grad():
        network(x)  # which tells the last layer its channels
        expected = network(x)
    deploy = lowered(network)
    with torch.no_grad():
        assert torch.allclose(deploy(x), expected, atol=2e-5)


def lowered(network: nn.Module, shape: tuple[int, int, int] = (3, 16, 16)) -> nn.Module:
    """Return a network's deploy form without the clamp behind it."""
    program = to_deploy(AdoptedNetwork(trace(network, shape))).network.program
    assert isinstance(program, Lowered)
    return program


def test_scores_of_attention_are_no_picture() -> None:
    """A scale for each channel of them would be a convolution, and their softmax another axis'."""

    def attend(x: Tensor) -> Tensor:
        q = x.reshape(1, 2, 8, 64).transpose(-2, -1)  # two heads
        shares = ((q @ q.transpose(-2, -1)) * 0.35).softmax(-1)
        return (shares @ q).transpose(-2, -1).reshape(1, 16, 8, 8)

    deploy = lowered(
        nn.Sequential(nn.Conv2d(3, 16, 1), Lines(attend), nn.Conv2d(16, 1, 1)), (3, 8, 8)
    )
    assert not any(isinstance(module, ScaleShift) for module in deploy.modules())


def kinds(network: nn.Module) -> list[type[nn.Module]]:
    return [type(module) for module in lowered(network).modules()]


def test_batch_norm_goes_into_its_convolution() -> None:
    behind = Whole(nn.Sequential(conv(), nn.BatchNorm2d(C), nn.ReLU()))
    behind(example(16, 16))
    assert ScaleShift not in kinds(behind.eval())


def test_a_scale_stays_before_a_convolution_that_pads() -> None:
    """Folded, the border would be padded with another colour."""
    first = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 1, 3, padding=1)).eval()
    assert kinds(randomised(first).eval()).count(ScaleShift) == 1


def test_a_convolution_that_is_called_twice_keeps_its_weights() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x)).mean(1, keepdim=True) + self.conv(x)[:, :1]

    network = randomised(Twice()).eval()
    x = example(16, 16)
    with torch.no_grad():
        assert torch.allclose(lowered(network)(x), network(x), atol=1e-5)


def test_what_has_a_fixed_grid_is_parted_from_what_shares_one() -> None:
    joined = Lines(
        lambda x: torch.cat([torch.sigmoid(x[:, :1]), x[:, 1:2]], dim=1).mean(1, keepdim=True)
    )
    assert kinds(joined).count(Regrid) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 2, "stride": 2},
        {"kernel_size": 5, "stride": 2, "padding": 2, "output_padding": 1},
        {"kernel_size": 6, "stride": 3, "padding": 1},
        {"kernel_size": 3, "stride": 2, "padding": 1},  # an odd number of pixels
        {"kernel_size": (3, 4), "stride": 2, "padding": (1, 0), "bias": False},
        {"kernel_size": 2, "stride": 3, "output_padding": 2},  # pixels that see no kernel
        {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": (2, 3)},
        {"kernel_size": 3, "stride": 1, "padding": 1, "dilation": 2},
    ],
)
def test_phases_of_a_transposed_convolution(options: dict[str, object]) -> None:
    torch.manual_seed(0)
    layer, x = nn.ConvTranspose2d(3, 2, **options), torch.rand(1, 3, 5, 7)
    found = TransposedConv2d(layer, (5, 7))(x)
    assert found.shape == layer(x).shape
    assert torch.allclose(found, layer(x), atol=1e-6)
    network = lowered(nn.Sequential(nn.Conv2d(3, 3, 1), layer, nn.Conv2d(2, 1, 1)))
    assert not any(isinstance(module, nn.ConvTranspose2d) for module in network.modules())


@pytest.mark.parametrize(
    "moving",
    [
        nn.ConvTranspose2d(C, C, 2, 2),
        nn.Sequential(conv(), nn.PixelShuffle(2)),
        nn.Sequential(conv(), nn.ZeroPad2d(1)),
        nn.Sequential(conv(), nn.ReplicationPad2d((2, -1, 0, 1))),
        Lines(lambda x: torch.cat([x[:, :2], x[:, 2:] - 1], dim=1).permute(0, 1, 3, 2)),
    ],
    ids=["transposed convolution", "pixel shuffle", "padding", "border", "axes"],
)
@pytest.mark.parametrize("rectifier", [nn.ReLU(), nn.ReLU6()])
def test_what_moves_values_lies_behind_the_rectifier(
    moving: nn.Module, rectifier: nn.Module
) -> None:
    """Or what it moves would have no grid: runtimes fuse rectifiers into convolutions alone."""
    whole = nn.Sequential(nn.Conv2d(3, C, 1), moving, rectifier, nn.AdaptiveAvgPool2d(8))
    network = lowered(whole)
    assert isinstance(network.body, fx.GraphModule)
    for node in network.body.graph.nodes:
        if node.target in (F.relu, F.relu6):
            before = node.args[0]
            assert before.target in (torch.narrow, torch.sub) or before.op == "call_module"
            if before.op == "call_module":
                module = network.body.get_submodule(before.target)
                assert isinstance(module, nn.Conv2d | ScaleShift | Regrid)
    with torch.no_grad():
        assert torch.allclose(network(x := example(16, 16)), whole(x), atol=1e-5)


def test_a_rectifier_is_computed_no_more_often_than_before() -> None:
    split = Lines(lambda x: torch.stack([F.relu(part) for part in x.chunk(4, 1)]).sum(0))
    joined = Lines(lambda x: F.relu(torch.cat([x[:, :2], F.relu(x[:, 2:])], 1)) + 1)
    shared = Lines(lambda x: F.relu(torch.cat([x, torch.ones(1, 1, 16, 16)], 1))[:, :C] + x)
    for layer, calls in ((split, 4), (joined, 2), (shared, 1)):
        network = Whole(layer).eval()
        with torch.no_grad():
            network(example(16, 16))
        body = lowered(network).body
        assert isinstance(body, fx.GraphModule)
        assert len(body.graph.find_nodes(op="call_function", target=F.relu)) == calls
        with torch.no_grad():
            assert torch.allclose(body(example(16, 16)), network(example(16, 16)), atol=1e-5)


def attending_behind(x: Tensor) -> Tensor:
    """Attention of which every pixel sees those behind it."""
    mask = torch.ones(16, 16).tril() > 0
    return F.scaled_dot_product_attention(x, x, x, attn_mask=mask)


@pytest.mark.parametrize(
    "layer, words",
    [
        (Lines(lambda x: F.grid_sample(x, torch.zeros(1, 16, 16, 2))), "grid_sampler"),
        (Lines(lambda x: F.interpolate(x, 20, mode="bicubic")), "bicubic"),
        (Lines(lambda x: F.interpolate(x, 20)), "no whole factor"),
        (Lines(lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear")), "no whole number"),
        (Lines(attending_behind), "true and false"),
        (Lines(lambda x: F.pad(x[0], (1, 1, 1, 1), mode="reflect")), "aten.pad, as it is called"),
        (Lines(lambda x: x * torch.zeros(1100, 1000).sum()), "1,100,000 constant"),
        (Lines(lambda x: (x, x)), "gives 2 results"),  # type: ignore[arg-type,return-value]
        (Lines(lambda x: F.pad(x, (1, 1, 1, 1), value=0.5)), "pads with 0.5"),
        (Lines(lambda x: x + x.max(1, keepdim=True)[1]), "as it is called at"),
        (Lines(lambda x: x + F.adaptive_max_pool2d(x, 1, True)[1]), "as it is called at"),
        (Lines(lambda x: F.pad(x, (1, 1), value=2.0)), "pads with 2"),
        (Lines(lambda x: F.conv2d(x, x.mean((2, 3), keepdim=True))), "computed from the picture"),
        (Lines(lambda x: x[:, ::2]), "every 2th"),
        (Lines(lambda x: x.double().float()), "float64"),
    ],
)
def test_what_no_phone_runs_is_refused_by_name(layer: nn.Module, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words) as raised:
        lowered(layer)
    assert raised.value.exit_code == 3
    found = expect(trace(layer, (3, 16, 16)))
    assert words in found.refusal


def test_the_line_of_the_users_code_is_named() -> None:
    with pytest.raises(UnsupportedError, match=r"strangers\.py:\d+"):
        lowered(Lines(lambda x: F.grid_sample(x, torch.zeros(1, 16, 16, 2))))


def test_control_flow_by_the_picture_is_refused() -> None:
    branching = Lines(lambda x: x if x.mean() > 0 else -x)
    with pytest.raises(ConversionError, match=r"cannot trace.*test_lowering\.py:\d+"):
        trace(branching, (3, 16, 16))


def test_float16_scales_the_weights_that_meet_pixels() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.Sigmoid()).eval()
    deploy = to_deploy(AdoptedNetwork(trace(network, (3, 16, 16))))
    x = example(16, 16)
    with torch.no_grad():
        scaled = prepare_for_float16(deploy, 1 / 255)(255 * x)
        assert torch.allclose(scaled, deploy(x), atol=1e-4)


def test_a_picture_that_meets_no_convolution_gets_one() -> None:
    """Else float16 files would take pixels in 0..255 for 0..1."""
    mixed = Lines(lambda x: torch.cat([x, x.mean(1, keepdim=True)], dim=1).mean(1, keepdim=True))
    deploy = to_deploy(AdoptedNetwork(trace(mixed, (3, 16, 16))))
    assert isinstance(deploy, DeployForm)
    x = example(16, 16)
    with torch.no_grad():
        assert torch.allclose(prepare_for_float16(deploy, 1 / 255)(255 * x), deploy(x), atol=1e-4)


def test_a_batch_goes_through_picture_by_picture() -> None:
    network = AdoptedNetwork(trace(nn.Conv2d(3, 1, 1), (3, 16, 16)))
    x = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(x).alpha[1:2], network(x[1:2]).alpha)
