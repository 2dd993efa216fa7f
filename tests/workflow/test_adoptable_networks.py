"""Which networks can be adopted: what they take and give, and what is refused before any work."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import torch
from calling import Call
from torch import nn

import edgemat
from edgemat.errors import ConversionError, InputWarning, UnsupportedError, UsageError
from edgemat.models.adopted.program import save_program
from edgemat.models.adopted.tracing import trace


def test_how_pictures_are_brought_to_it_is_hers_to_say(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(4, 1, 1), nn.Sigmoid())
    options = {"size": (32, 32), "trimap": True, "images": 1, "output": tmp_path}
    made = edgemat.adopt(network, fit="resize", **options)  # type: ignore[arg-type]
    assert made.manifest.feeding.fit == "resize"
    with pytest.raises(UsageError, match="a letterbox is for networks without one"):
        edgemat.adopt(network, fit="letterbox", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'squeeze' is no way to feed a picture"):
        edgemat.adopt(network, fit="squeeze", **options)  # type: ignore[arg-type]


def test_a_program_directly(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(4, 1, 3, padding=1), nn.Sigmoid())
    save_program(trace(network, (4, 32, 32)), tmp_path / "hers.pt2")
    made = edgemat.adopt(tmp_path / "hers.pt2", images=1, output=tmp_path)
    assert (made.manifest.name, made.manifest.task) == ("hers", "trimap")
    scores = edgemat.adopt(
        tmp_path / "hers.pt2", map="0", mean=(0.1,) * 3, images=1, output=tmp_path
    )
    assert scores.manifest.payload_sha256 != made.manifest.payload_sha256


class Gives(nn.Module):
    """The same number everywhere."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1] * 0 + self.value


class Recurrent(nn.Module):
    """A picture and what was before it."""

    def forward(self, x: torch.Tensor, before: torch.Tensor, scale: float = 1) -> torch.Tensor:
        return x + before


def test_a_recurrent_network_is_refused_by_its_inputs(tmp_path: Path) -> None:
    for function in (edgemat.adopt, edgemat.check):
        with pytest.raises(UnsupportedError, match=r"Recurrent takes 2 inputs \(x, before\)"):
            function(Recurrent(), size=(32, 32))


class Remembers(nn.Module):
    """A picture, and optionally what was before it."""

    def forward(
        self, x: torch.Tensor, before: torch.Tensor | None = None, *, ratio: float = 0.5
    ) -> torch.Tensor:
        y = x[:, :1] * ratio
        return y if before is None else y + before


def test_inputs_that_stay_at_their_defaults_are_named(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Remembers has further inputs, which are constants: before = None, ratio = 0.5."
    constants = {"before": "None", "ratio": "0.5"}
    with pytest.warns(InputWarning, match=re.escape(said)):
        assert edgemat.check(Remembers(), size=(32, 32)).constants == constants
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    name = f"{Path(__file__).stem}:Remembers"
    for command, options in (("check", ()), ("adopt", ("--images", 1, "--output", tmp_path))):
        status, text, notes = call(command, name, "--size", 32, 32, "--json", *options)
        found = json.loads(text)
        assert status == 0 and said in " ".join(notes.split())
        assert (found if command == "check" else found[0]["config"])["constants"] == constants
    plain = edgemat.adopt(Gives(0.5), size=(32, 32), images=1, name="plain", output=tmp_path)
    assert plain.manifest.config == {}


class TwoMaps(nn.Module):
    """Two outputs of half the size: scores of two classes, and something else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, 2, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        y = self.conv(x)
        return {"aux": y * 0, "out": y}


class Draws(nn.Module):
    """Noise, other at every call."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * x[:, :1] + 0.5 * torch.rand(1, 1, 32, 32)


def test_a_program_as_torch_exports_it(tmp_path: Path) -> None:
    """With batch norm, and a rectifier that writes in place."""
    layers = (nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    network = nn.Sequential(*layers, nn.Conv2d(4, 1, 1), nn.Sigmoid()).eval()
    program = torch.export.export(network, (torch.rand(1, 3, 32, 32),))
    torch.export.save(program, tmp_path / "hers.pt2")
    assert not edgemat.check(tmp_path / "hers.pt2").refusal
    made = edgemat.adopt(tmp_path / "hers.pt2", images=1, output=tmp_path)
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(edgemat.load(made)(x).alpha, network(x), atol=1e-5)


def test_her_network_goes_on_training_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Sigmoid()).double().train()
    edgemat.check(network, size=(32, 32))
    assert network.training
    assert all(p.requires_grad and p.dtype == torch.float64 for p in network.parameters())


@pytest.mark.parametrize(
    "code, words",
    [
        ("def net(:", "Importing herbad raises SyntaxError"),
        ("{}['size']", "Importing herbad raises KeyError: 'size'"),
        ("import torch\ntorch.nn.NoSuchLayer", "Importing herbad raises AttributeError"),
        ("import sys\nsys.exit(1)", "Importing herbad raises SystemExit"),
        ("def net():\n    raise SystemExit('usage')", "herbad:net raises SystemExit: usage"),
        ("def other(): ...", "herbad has no 'net'"),
        ("import numpy as nett\ndef knot(): ...", "herbad has no 'net'. Did you mean 'knot'?"),
    ],
)
def test_what_is_wrong_in_her_file_is_said(
    code: str, words: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "herbad.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "herbad", raising=False)
    status, _, errors = call("check", "herbad:net", "--size", 32, 32)
    assert status == 2
    assert words in " ".join(errors.split()) and "Traceback" not in errors


class Framed(nn.Module):
    """A network that puts a white frame round the picture."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x, (1, 1, 1, 1), value=1.0)[:, :1, 1:-1, 1:-1]


def test_a_refusal_inside_of_a_rule_names_the_line() -> None:
    found = edgemat.check(Framed(), size=(32, 32))
    assert found.refusal.startswith("aten.pad at ") and Path(__file__).name in found.refusal


class Counts(nn.Module):
    """A network that counts its pictures."""

    seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return x[:, :1] / self.seen


class Always(nn.Module):
    """Half of everything, always."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((1, 1, 32, 32), 0.5)


@pytest.mark.parametrize(
    "network, options, words",
    [
        (nn.Conv2d(3, 1, 1), {}, "size is missing"),
        (nn.Conv2d(3, 1, 1), {"size": (64, 99999)}, "cannot be fed.*sides of 32 to 4096 px"),
        (nn.Conv2d(3, 1, 1), {"size": (32, 32), "name": "../up"}, "cannot be an artefact's name"),
        (nn.Conv2d(3, 1, 1), {"size": (32, 32), "mean": (0.5,)}, "--mean has 1 numbers"),
        (nn.Conv2d(3, 1, 1), {"size": (32, 32), "std": (1, 0, 1)}, "not above 0"),
        (Gives(7.0), {"size": (32, 32)}, "not in 0..1. Give --logits"),
        (Gives(torch.nan), {"size": (32, 32)}, "no numbers"),
        (nn.Conv2d(5, 1, 1), {"size": (32, 32)}, "cannot take a picture of 1 x 3 x"),
        (Draws(), {"size": (32, 32)}, "another matte"),
        (TwoMaps(), {"size": (32, 32), "map": "ou"}, "Did you mean 'out'"),
        (TwoMaps(), {"size": (32, 32), "map": "2"}, "gives no '2'"),
        (TwoMaps(), {"size": (32, 32), "channel": 2}, "no channel 2. Give --channel from 0 to 1"),
        (nn.Linear(30_000, 20_000, device="meta"), {"size": (32, 32)}, r"has weights of 2\.4 GB"),
        (nn.LazyConv2d(1, 1), {"size": (32, 32)}, "has lazy layers"),
        (nn.Conv2d(3, 1, 1, device="meta"), {"size": (32, 32)}, "cannot trace the network"),
        (nn.Flatten(), {"size": (32, 32)}, "1 x 3072, and not a map"),
        (Counts(), {"size": (32, 32)}, r"writes into 'module\.seen'"),
        (Always(), {"size": (32, 32)}, "the same matte for every picture"),
    ],
)
def test_what_cannot_be_adopted_is_said_before_any_work(
    network: nn.Module, options: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises((UsageError, ConversionError, UnsupportedError), match=words):
        edgemat.adopt(network, images=1, output=tmp_path, **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_adopt_and_check_have_one_bound_of_sides(tmp_path: Path) -> None:
    """Below 32 px there are no pictures to try a network on: said by both, before it is traced."""
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Sigmoid())
    save_program(trace(network, (3, 31, 64)), tmp_path / "small.pt2")
    for function in (edgemat.adopt, edgemat.check):
        with pytest.raises(UsageError, match=r"31 x 64 px cannot be fed.*sides of 32 to 4096 px"):
            function(network, size=(31, 64))
        with pytest.raises(UsageError, match=r"31 x 64 px cannot be fed.*sides of 32 to 4096 px"):
            function(tmp_path / "small.pt2")
    made = edgemat.adopt(network, size=(32, 64), name="narrow", images=1, output=tmp_path)
    assert (made.manifest.feeding.height, made.manifest.feeding.width) == (32, 64)


def test_one_of_several_maps_in_a_divided_size(tmp_path: Path) -> None:
    network = TwoMaps().eval()
    made = edgemat.adopt(
        network, size=(32, 32), map="out", channel=0, logits=True, images=1, output=tmp_path
    )
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        scores = nn.functional.interpolate(network(x)["out"], (32, 32), mode="bilinear")
        expected = torch.softmax(scores, dim=1)[:, :1]
        assert torch.allclose(edgemat.load(made)(x).alpha, expected, atol=1e-6)


def test_a_program_with_several_maps_in_a_divided_size(tmp_path: Path) -> None:
    network = TwoMaps().eval()
    torch.export.save(trace(network, (3, 32, 32)), tmp_path / "two.pt2")
    assert not edgemat.check(tmp_path / "two.pt2").refusal
    made = edgemat.adopt(tmp_path / "two.pt2", map="1", logits=True, images=1, output=tmp_path)
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        scores = nn.functional.interpolate(network(x)["out"], (32, 32), mode="bilinear")
        expected = torch.softmax(scores, dim=1)[:, 1:]
        assert torch.allclose(edgemat.load(made)(x).alpha, expected, atol=1e-6)
