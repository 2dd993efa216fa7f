"""Released networks compute what was recorded, every tensor of a checkpoint in its place.

Checkpoints are made of names, shapes and a seed (`released_layouts`), and recorded is what every
group of convolutions gives: a tensor in another's place would change it. To record anew, once the
tables are compared with the authors' code: ``python tests/models/test_released.py``.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import released_layouts as made
import torch
from narrow_families import NARROW
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.affine import NormalisedConv2d
from edgemat.models.released.a2u import SCALE_EPSILON, by_sub_pixels, positive
from edgemat.models.released.families import FAMILIES
from edgemat.models.released.load import Released, load_released

State = dict[str, Tensor]
RECORDED = Path(__file__).parents[1] / "written" / "released.json"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class Case(NamedTuple):
    """A checkpoint, and what it is recognised as."""

    make: Callable[[], State]
    family: str
    architecture: str
    config: Mapping[str, Any] = MappingProxyType({})


def indexnet(kind: str, variant: str = "nlc", mult: int = 1) -> Callable[[], State]:
    return lambda: made.filled(made.indexnet(kind, variant, mult))


def mmagic(kind: str, variant: str = "nlc") -> Callable[[], State]:
    return lambda: made.mmagic(indexnet(kind, variant)())


def a2u(*, shared: bool) -> Callable[[], State]:
    return lambda: made.filled(made.a2u(shared=shared), gain=0.6, signed=True)


CASES = {
    "m2o-nlc": Case(indexnet("m2o"), "indexnet", "indexnet-m2o-nlc", {"hidden_mult": 1}),
    "m2o-nl-2": Case(indexnet("m2o", "nl", 2), "indexnet", "indexnet-m2o-nl", {"hidden_mult": 2}),
    "o2o-nlc": Case(indexnet("o2o"), "indexnet", "indexnet-unshared-nlc", {"hidden_mult": 1}),
    "o2o-l": Case(indexnet("o2o", "l"), "indexnet", "indexnet-unshared-l"),
    "holistic-nl": Case(
        indexnet("holistic", "nl"), "indexnet", "indexnet-hin-nl", {"hidden_mult": 1}
    ),
    "holistic-l": Case(indexnet("holistic", "l"), "indexnet", "indexnet-hin-l"),
    "b1": Case(lambda: made.filled(made.deeplab()), "indexnet", "matting-b1"),
    "b2": Case(lambda: made.filled(made.refinenet()), "indexnet", "matting-b2"),
    "b10": Case(indexnet("b10"), "indexnet", "matting-b10"),
    "b11": Case(indexnet("b11"), "indexnet", "matting-b11"),
    "mmagic-m2o-nlc": Case(mmagic("m2o"), "mmagic", "indexnet-m2o-nlc", {"hidden_mult": 1}),
    "mmagic-o2o-l": Case(mmagic("o2o", "l"), "mmagic", "indexnet-unshared-l"),
    "mmagic-holistic-nl": Case(
        mmagic("holistic", "nl"), "mmagic", "indexnet-hin-nl", {"hidden_mult": 1}
    ),
    "dim": Case(lambda: made.filled(made.dim(1 / 8)), "dim", "dim", {"width": 1 / 8}),
    "a2u": Case(a2u(shared=True), "a2u", "a2u-released-cs"),
    "a2u-unshared": Case(a2u(shared=False), "a2u", "a2u-released-cw"),
    "fastdepth": Case(lambda: made.filled(made.fastdepth()), "fastdepth", "fastdepth"),
    "hu-depth": Case(
        lambda: made.filled(made.hu_depth(4), gain=0.6), "hu-depth", "hu-depth", {"width": 1 / 4}
    ),
    "dncnn": Case(lambda: made.filled(made.dncnn()), "dncnn", "dncnn"),
}
FEW = ("holistic-l", "b10", "dim", "a2u", "fastdepth", "hu-depth", "dncnn", "m2o-nlc")


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, family in NARROW.items():
        monkeypatch.setitem(FAMILIES, name, family)  # type: ignore[arg-type]


def load(state: State, folder: Path) -> Released:
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in state.items()}},
        folder / "weights.pth.tar",
    )
    return load_released(folder / "weights.pth.tar")


def pixels(channels: int) -> Tensor:
    x = torch.rand(1, channels, 64, 96, generator=torch.Generator().manual_seed(5))
    if channels == 4:
        x[:, 3] = (x[:, 3] * 3).floor() / 2
    return x


@torch.no_grad()
def outputs(network: nn.Module) -> dict[str, float]:
    """Return the mean magnitude that each group of convolutions gives, and the last's mean."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    convolutions = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    for name, conv in convolutions.items():
        group = ".".join(name.split(".")[:2])

        def note(module: nn.Module, inputs: Any, y: Tensor, group: str = group) -> None:
            found[group].append(y.abs().mean().item())

        conv.register_forward_hook(note)
    y = network(pixels(next(iter(convolutions.values())).in_channels))
    plane = y if isinstance(y, Tensor) else y.alpha
    groups = {group: sum(values) / len(values) for group, values in found.items()}
    return {**groups, "output": plane.mean().item()}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in FEW else pytest.mark.long) for n in CASES]
)
def test_a_released_network_computes_what_was_recorded(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    state = case.make()
    released = load(state, tmp_path)
    assert released.family.name == case.family
    assert released.member.architecture == case.architecture
    assert released.member.config == case.config
    recorded = json.loads(RECORDED.read_text())[name]
    assert outputs(released.network) == pytest.approx(recorded, rel=1e-4, abs=1e-5)


@pytest.mark.long
def test_the_two_largest_are_known_at_their_full_width(tmp_path: Path) -> None:
    for shapes, name in ((made.dim(), "dim"), (made.hu_depth(), "hu-depth")):
        released = load({key: torch.rand(shape) for key, shape in shapes.items()}, tmp_path)
        assert (released.member.architecture, dict(released.member.config)) == (name, {})


@pytest.mark.long
def test_no_two_released_networks_have_the_same_names_and_shapes() -> None:
    seen = {}
    for family in FAMILIES.values():
        for member in family.members:
            shapes = member.shapes
            known = {(one.name, shapes[own]) for own, one in member.layout.tensors.items()}
            key = frozenset(known)
            assert key not in seen, f"{member.architecture} and {seen[key]}"
            seen[key] = member.architecture


# ---- what is stored otherwise --------------------------------------------------------------------


def test_pixels_are_normalised_before_every_convolution_that_sees_them(tmp_path: Path) -> None:
    """Zeros are padded behind the affine: the border is right, which folding would not give."""
    state = a2u(shared=True)()
    network = load(state, tmp_path).network
    affine = [n for n, m in network.named_modules() if isinstance(m, NormalisedConv2d)]
    assert affine == ["encoder.stem.0", "shorts.0.0"]
    x = pixels(4)
    seen = torch.cat([(x[:, :3] - MEAN[:, None, None]) / STD[:, None, None], x[:, 3:]], dim=1)
    for name, theirs in (("encoder.stem.0", "layer0.0"), ("shorts.0.0", "short0.0")):
        conv = network.get_submodule(name)
        assert isinstance(conv, NormalisedConv2d)
        expected = F.conv2d(seen, state[f"{theirs}.weight"], None, conv.stride, conv.padding)
        torch.testing.assert_close(conv(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("make", [made.fastdepth, made.dncnn])
def test_what_takes_plain_pixels_has_no_affine(
    make: Callable[[], made.Shapes], tmp_path: Path
) -> None:
    released = load(made.filled(make()), tmp_path)
    assert not any(isinstance(m, NormalisedConv2d) for m in released.network.modules())
    assert released.mean is None and released.deviation is None


def test_a2us_kernels_and_scales_are_stored_otherwise(tmp_path: Path) -> None:
    state = a2u(shared=True)()
    network = load(state, tmp_path).network.state_dict()
    theirs, ours = (
        state["bilinear1.bconv_UP.1.weight"],
        network["sampling.affinity.1.up.conv.weight"],
    )
    for place in range(9):
        for pixel in range(4):
            assert torch.equal(ours[9 * pixel + place], theirs[4 * place + pixel])
    scale = state["layer1.block2.convs.bn1.weight"]
    assert (scale < 0).any()
    assert torch.equal(network["encoder.stages.0.1.first.1.weight"], scale.abs() + SCALE_EPSILON)
    groups = state["bilinear1.bnu.0.weight"]
    assert torch.equal(network["sampling.affinity.1.u.0.1.0.weight"], groups)
    assert by_sub_pixels(torch.arange(8)).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert positive(torch.tensor([-1.0, 0.0])).tolist() == pytest.approx([1.00001, 1e-5])


def _record() -> None:
    """Write down what every network gives."""
    FAMILIES.update(NARROW)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        found = {n: outputs(load(case.make(), Path(folder)).network) for n, case in CASES.items()}
    rounded = {n: {k: float(f"{v:.6g}") for k, v in o.items()} for n, o in found.items()}
    RECORDED.write_text(json.dumps(rounded, indent=1) + "\n")


if __name__ == "__main__":
    _record()
