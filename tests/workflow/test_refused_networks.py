"""Networks that cannot be adopted: what is said, in one sentence, with the line of her code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from calling import Call
from torch import nn

import edgemat
from edgemat.errors import OutputWarning, UsageError

HER_CODE = """
import torch
class Turns(torch.nn.Module):
    def forward(self, x):
        y = x[:, :1]
        if y.mean() > 0.5:
            y = 1 - y
        return y
class Counts(torch.nn.Module):
    def forward(self, x):
        for _ in range(int(x.sum())):
            x = x / 2
        return x[:, :1]
class LeavesTorch(torch.nn.Module):
    def forward(self, x):
        return torch.from_numpy(x[:, :1].numpy())
class Recurs(torch.nn.Module):
    def forward(self, x, before):
        return x[:, :1] + before
class Narrow(torch.nn.Module):
    def forward(self, x):
        return x.reshape(1, 1, 64, 64)
"""


@pytest.fixture
def her_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "herrefused.py").write_text(HER_CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "herrefused"


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("Turns", 3, "its control flow depends on the picture ("),
        ("Turns", 3, "herrefused.py:6: if y.mean() > 0.5:)."),
        ("Counts", 3, "herrefused.py:11: for _ in range(int(x.sum())):)."),
        ("LeavesTorch", 3, "herrefused.py:16:"),
        ("Recurs", 3, "takes 2 inputs (x, before)"),
        (
            "Narrow",
            2,
            "picture of 1 x 3 x 32 x 32: shape '[1, 1, 64, 64]' is invalid",
        ),
    ],
)
def test_a_check_is_one_sentence_with_her_line(
    her_code: str, call: Call, name: str, status: int, said: str
) -> None:
    found, shown, error = call("check", f"{her_code}:{name}", "--size", "32", "32")
    assert found == status
    assert said in " ".join(error.split())
    assert "def forward" not in shown + error


HER_NAN = """
import torch
class Broken(torch.nn.Sequential):
    def __init__(self, value=float("nan")):
        conv, norm = torch.nn.Conv2d(3, 1, 1), torch.nn.BatchNorm2d(1)
        super().__init__(conv, norm, torch.nn.Sigmoid())
        torch.nn.init.constant_(norm.running_mean, value)
class Endless(Broken):
    def __init__(self):
        super().__init__(float("inf"))
class NoBuffer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = torch.tensor([[float("-inf")]])
    def forward(self, x):
        return torch.sigmoid(x[:, :1] + self.shift)
"""


@pytest.mark.parametrize("command", ["check", "adopt"])
@pytest.mark.parametrize(
    ("name", "tensor"),
    [("Broken", "'1.running_mean'"), ("Endless", "'1.running_mean'"), ("NoBuffer", "shift")],
)
def test_the_tensor_that_holds_no_numbers_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
    command: str,
    name: str,
    tensor: str,
) -> None:
    (tmp_path / "hernan.py").write_text(HER_NAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    status, _, error = call(command, f"hernan:{name}", "--size", "32", "32")
    said = " ".join(error.split())
    assert status == 2
    assert tensor in said and "has values that are no numbers (NaN or infinite)" in said


class Several(nn.Module):
    """A network that gives a picture, a matte, and what it remembers."""

    def __init__(self, order: tuple[str, ...]) -> None:
        super().__init__()
        self.order = order
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        y = torch.sigmoid(self.conv(x))
        maps = {"colours": y[:, :3], "alpha": y[:, 3:], "both": y[:, 2:]}
        return {name: maps[name] for name in self.order}


def test_a_picture_is_not_taken_for_the_matte(tmp_path: Path) -> None:
    network = Several(("colours", "alpha"))
    with pytest.raises(UsageError, match=r"gives 2 outputs \(colours, alpha\), .* no single map"):
        edgemat.adopt(network, size=(32, 32), images=1, output=tmp_path)
    assert edgemat.adopt(network, size=(32, 32), map="alpha", images=1, output=tmp_path)


def test_which_of_several_mattes_is_taken_is_said(tmp_path: Path) -> None:
    network = Several(("alpha", "colours"))
    with pytest.warns(OutputWarning, match="alpha is taken for the matte. --map chooses another"):
        first = edgemat.adopt(network, size=(32, 32), images=1, output=tmp_path)
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(edgemat.load(first)(x).alpha, network(x)["alpha"], atol=1e-5)


def test_maps_within_outputs_have_names_of_two_parts(tmp_path: Path) -> None:
    class Nested(Several):
        def forward(self, x: torch.Tensor) -> dict[str, object]:  # type: ignore[override]
            alpha = super().forward(x)["alpha"]
            return {"sizes": [x.mean((2, 3)), alpha], "alpha": 1 - alpha}

    network = Nested(("alpha",))
    options = {"size": (32, 32), "images": 1, "output": tmp_path}
    with pytest.raises(UsageError, match=r"3 outputs \(sizes\.0, sizes\.1, alpha\)"):
        edgemat.adopt(network, **options)
    with pytest.raises(UsageError, match=r"Did you mean 'sizes\.1'"):
        edgemat.adopt(network, map="sizes.2", **options)
    x = torch.rand(1, 3, 32, 32)
    for name in ("sizes.1", "alpha", "1"):  # by number of what the network gives
        made = edgemat.load(edgemat.adopt(network, map=name, name=f"by-{name}", **options))
        expected = network(x)["alpha"] if name != "sizes.1" else network(x)["sizes"][1]  # type: ignore[index]
        assert torch.allclose(made(x).alpha, expected, atol=1e-5)
    assert edgemat.check(network, size=(32, 32)).refusal == ""


def test_a_channel_that_is_named_needs_no_map(tmp_path: Path) -> None:
    class Two(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
            y = super().forward(x)
            return {"out": y, "aux": y * 0}

    with pytest.warns(OutputWarning, match="out is taken"):
        edgemat.adopt(
            Two(3, 21, 1), size=(32, 32), channel=15, logits=True, images=1, output=tmp_path
        )


def test_what_a_network_keeps_of_a_picture_is_not_in_its_program(tmp_path: Path) -> None:
    class Keeps(nn.Module):
        """A wrapper as people put round recurrent networks."""

        def __init__(self) -> None:
            super().__init__()
            self.before: torch.Tensor | None = None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.before is None:
                self.before = x.mean(1, keepdim=True)
            return (x[:, :1] + self.before) / 2

    made = edgemat.load(edgemat.adopt(Keeps(), size=(32, 32), images=1, output=tmp_path))
    x = torch.rand(1, 3, 32, 32)
    assert torch.allclose(made(x).alpha, (x[:, :1] + x.mean(1, keepdim=True)) / 2, atol=1e-5)


def test_her_folder_may_have_edgemats_name(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "edgemat"
    folder.mkdir()
    (folder / "herturns.py").write_text(HER_CODE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        error = call("check", "herturns:Turns", "--size", "32", "32")[2]
    assert "edgemat/herturns.py:6:" in "".join(error.split())


def test_the_last_of_many_classes_is_not_taken_unasked(tmp_path: Path) -> None:
    classes = nn.Conv2d(3, 21, 1)
    with pytest.raises(UsageError, match="has 21 channels: any of them may be the matte"):
        edgemat.adopt(classes, size=(32, 32), logits=True, images=1, output=tmp_path)
    options = {"size": (32, 32), "logits": True, "channel": 15, "images": 1, "output": tmp_path}
    assert edgemat.adopt(classes, **options)
    assert edgemat.check(classes, size=(32, 32)).refusal == ""  # whatever is read
