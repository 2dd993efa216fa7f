"""Released networks: every tensor has its place, or it is said which has none.

Checkpoints are made of names, shapes and a seed (`released_layouts`). Outputs are recorded: one
tensor in another's place would change them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import released_layouts as made
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.errors import UsageError
from edgemat.models.released.a2u import by_sub_pixels
from edgemat.models.released.depth import HU
from edgemat.models.released.dim import DIM
from edgemat.models.released.families import FAMILIES
from edgemat.models.released.load import MAX_BYTES, Released, load_released
from edgemat.models.blocks.affine import NormalisedConv2d

State = dict[str, Tensor]
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class Case(NamedTuple):
    """A checkpoint, what it is recognised as, and what it computes at four places."""

    make: Callable[[], State]
    family: str
    architecture: str
    config: dict[str, Any]
    output: tuple[float, ...]


def indexnet(kind: str, variant: str = "nlc", mult: int = 1) -> Callable[[], State]:
    return lambda: made.filled(made.indexnet(kind, variant, mult))


CASES = {
    "m2o-nlc": Case(indexnet("m2o"), "indexnet", "indexnet-m2o-nlc", {"hidden_mult": 1}, ()),
    "m2o-nl, wide": Case(
        indexnet("m2o", "nl", 2), "indexnet", "indexnet-m2o-nl", {"hidden_mult": 2}, ()
    ),
    "m2o-l": Case(indexnet("m2o", "l"), "indexnet", "indexnet-m2o-l", {}, ()),
    "o2o-nlc": Case(indexnet("o2o"), "indexnet", "indexnet-unshared-nlc", {"hidden_mult": 1}, ()),
    "o2o-l": Case(indexnet("o2o", "l"), "indexnet", "indexnet-unshared-l", {}, ()),
    "holistic-nlc": Case(
        indexnet("holistic", mult=2), "indexnet", "indexnet-hin-nlc", {"hidden_mult": 2}, ()
    ),
    "holistic-l": Case(indexnet("holistic", "l"), "indexnet", "indexnet-hin-l", {}, ()),
    "b11": Case(indexnet("b11"), "indexnet", "matting-b11", {}, ()),
    "b10": Case(indexnet("b10"), "indexnet", "matting-b10", {}, ()),
    "b1": Case(lambda: made.filled(made.deeplab()), "indexnet", "matting-b1", {}, ()),
    "b2": Case(lambda: made.filled(made.refinenet()), "indexnet", "matting-b2", {}, ()),
    "mmagic, m2o-nlc": Case(
        lambda: made.mmagic(indexnet("m2o")()), "mmagic", "indexnet-m2o-nlc", {"hidden_mult": 1}, ()
    ),
    "mmagic, holistic-nl": Case(
        lambda: made.mmagic(indexnet("holistic", "nl")()),
        *("mmagic", "indexnet-hin-nl", {"hidden_mult": 1}, ()),
    ),
    "mmagic, o2o-l": Case(
        lambda: made.mmagic(indexnet("o2o", "l")()), "mmagic", "indexnet-unshared-l", {}, ()
    ),
    "dim": Case(lambda: made.filled(made.dim(1 / 8)), "dim", "dim", {"width": 1 / 8}, ()),
    "a2u": Case(lambda: made.filled(made.a2u(), gain=0.6, signed=True), "a2u", "a2u-released-cs", {}, ()),
    "a2u, unshared": Case(
        lambda: made.filled(made.a2u(shared=False), gain=0.6, signed=True), "a2u", "a2u-released-cw", {}, ()
    ),
    "fastdepth": Case(lambda: made.filled(made.fastdepth()), "fastdepth", "fastdepth", {}, ()),
    "hu-depth": Case(
        lambda: made.filled(made.hu_depth(4), gain=0.6), "hu-depth", "hu-depth", {"width": 1 / 4}, ()
    ),
    "dncnn": Case(lambda: made.filled(made.dncnn()), "dncnn", "dncnn", {}, ()),
}
NORMALISED = {name for name, case in CASES.items() if case.family not in ("fastdepth", "dncnn")}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let narrow forms of the two largest networks be known, too, so that tests take seconds."""
    for family, width in ((DIM, 1 / 8), (HU, 1 / 4)):
        (member,) = family.members
        members = (member, dataclasses.replace(member, config={"width": width}))
        known = dataclasses.replace(family, members=members)
        monkeypatch.setitem(FAMILIES, family.name, known)  # type: ignore[arg-type]


def save(state: Any, path: Path) -> Path:
    torch.save(state, path)
    return path


def load(case: Case, folder: Path) -> Released:
    return load_released(save({"state_dict": case.make()}, folder / "weights.pth"))


def pixels(channels: int) -> Tensor:
    x = torch.rand(1, channels, 64, 96, generator=torch.Generator().manual_seed(5))
    if channels == 4:
        x[:, 3] = (x[:, 3] * 3).floor() / 2
    return x


@torch.no_grad()
def output(released: Released) -> Tensor:
    """Return the means of the matte, depth or picture of :func:`pixels` over its quarters."""
    first = next(m for m in released.network.modules() if isinstance(m, nn.Conv2d))
    y = released.network(pixels(first.in_channels))
    plane = y if isinstance(y, Tensor) else y.alpha
    return F.adaptive_avg_pool2d(plane, 2).flatten()


@pytest.mark.parametrize("name", CASES)
def test_a_released_network_computes_what_was_recorded(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    released = load(case, tmp_path)
    assert released.family.name == case.family
    assert released.member.architecture == case.architecture
    assert dict(released.member.config) == case.config
    print("REC", name, tuple(round(v, 4) for v in output(released).tolist()))
    torch.testing.assert_close(output(released), torch.tensor(case.output), atol=1e-3, rtol=1e-3)
