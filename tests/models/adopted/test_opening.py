"""Names of networks and weights that are wrong are refused in one sentence, before any work."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.torch import save_file
from strangers import UNet, example, unet
from torch import nn

from edgemat.errors import ArtifactError, EdgematError, UsageError
from edgemat.models.adopted import opening
from edgemat.models.adopted.adapted import Adapted
from edgemat.models.adopted.opening import load_weights, open_module
from edgemat.models.adopted.program import load_program, save_program
from edgemat.models.adopted.tracing import trace


@pytest.fixture
def factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own file in the current folder."""
    (tmp_path / "herfactories.py").write_text(
        "from torch import nn\n"
        "def good():\n    return nn.Conv2d(3, 1, 1)\n"
        "def raising():\n    raise RuntimeError('no licence')\n"
        "def needing(width):\n    return nn.Conv2d(3, width, 1)\n"
        "def wrong():\n    return 3\n"
        "ready = nn.Conv2d(3, 1, 1)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.usefixtures("factories")
@pytest.mark.parametrize("name", ["herfactories:good", "herfactories:ready"])
def test_a_factory_in_the_current_folder(name: str) -> None:
    assert isinstance(open_module(name), nn.Conv2d)


@pytest.mark.usefixtures("factories")
@pytest.mark.parametrize(
    "name, words",
    [
        ("herfactories", "names no network"),
        ("herfactorie:good", "cannot be imported"),
        ("herfactories:god", "Did you mean 'good'"),
        ("herfactories:raising", "RuntimeError: no licence"),
        ("herfactories:needing", "takes no argument"),
        ("herfactories:wrong", "returns a int"),
    ],
)
def test_a_name_that_is_no_network(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_module(name)


@pytest.mark.usefixtures("factories")
def test_a_name_that_a_package_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "listed_networks", lambda: {"hers": "herfactories:good"})
    assert isinstance(open_module("hers"), nn.Conv2d)
    with pytest.raises(UsageError, match="Did you mean 'hers'"):
        open_module("her")


@pytest.mark.parametrize("wrap", ["bare", "state_dict", "module", "safetensors"])
def test_weights_as_people_save_them(wrap: str, tmp_path: Path) -> None:
    state, path = unet().state_dict(), tmp_path / "weights.pth"
    if wrap == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file(state, path)
    else:
        if wrap == "module":
            state = {f"module.{name}": value for name, value in state.items()}
        torch.save({"state_dict": state, "epoch": 3} if wrap != "bare" else state, path)
    network = UNet()
    load_weights(network, path)
    assert torch.equal(network.eval()(example(16, 16)), unet().eval()(example(16, 16)))


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda s: s.pop("last.weight"), "has no 'last.weight'"),
        (lambda s: s.update({"extra.weight": torch.ones(1)}), "The network has no 'extra.weight'"),
        (lambda s: s.update({"up.bias": torch.ones(3)}), r"'up.bias' is \(3,\)"),
        (lambda s: s.update({"up.bias": torch.full((16,), torch.nan)}), "no numbers"),
        (lambda s: s.update({"up.bias": torch.ones(16, dtype=torch.int8)}), "torch.int8"),
        (lambda s: s.update({"up.bias": torch.ones(16, dtype=torch.complex64)}), "complex64"),
        (lambda s: s.update({"up.bias": torch.ones(16).to_sparse()}), "is sparse_coo"),
    ],
)
def test_weights_that_do_not_fit(change: object, words: str, tmp_path: Path) -> None:
    state = unet().state_dict()
    change(state)  # type: ignore[operator]
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(EdgematError, match=words):
        load_weights(UNet(), tmp_path / "weights.pth")


def test_counters_of_batches_may_be_of_any_kind(tmp_path: Path) -> None:
    state = {name: value.float() for name, value in unet().state_dict().items()}
    assert any(name.endswith("num_batches_tracked") for name in state)
    torch.save(state, tmp_path / "averaged.pth")
    network = UNet()
    load_weights(network, tmp_path / "averaged.pth")
    assert torch.equal(network.last.weight, state["last.weight"])


def test_the_network_itself_is_taken_not_its_average(tmp_path: Path) -> None:
    state, path = unet().state_dict(), tmp_path / "weights.pth"
    average = {name: 0 * value for name, value in state.items()}
    torch.save({"ema": average, "model": {"net": state}, "best": numpy.float64(3)}, path)
    network = UNet()
    load_weights(network, path)
    assert torch.equal(network.last.weight, state["last.weight"])
    torch.save({"ema": average, "net": state}, path)
    with pytest.raises(UsageError, match="2 times, in 'ema' and 'net'"):
        load_weights(network, path)


def test_no_weights_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no weights file"):
        load_weights(UNet(), tmp_path / "weights.pth")
    torch.save([1, 2], tmp_path / "weights.pth")
    with pytest.raises(UsageError, match="not a checkpoint"):
        load_weights(UNet(), tmp_path / "weights.pth")


class Bomb:
    """What a pickle would run when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("exploded"),))


def test_code_in_weights_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Bomb()}, "weights.pth")
    with pytest.raises(UsageError, match="holds Python objects"):
        load_weights(UNet(), Path("weights.pth"))
    assert not Path("exploded").exists()


def test_a_program_comes_back_as_it_was(tmp_path: Path) -> None:
    network = Adapted(unet(), mean=(0.5, 0.4, 0.3), deviation=(0.2, 0.2, 0.3), logits=True).eval()
    save_program(trace(network, (3, 16, 24)), tmp_path / "u.pt2")
    x = example(16, 24)
    with torch.no_grad():
        assert torch.equal(load_program(tmp_path / "u.pt2").module()(x), network(x))


def test_the_same_network_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("one.pt2", "two.pt2"):
        save_program(trace(unet().eval(), (3, 16, 16)), tmp_path / name)
    assert (tmp_path / "one.pt2").read_bytes() == (tmp_path / "two.pt2").read_bytes()


def rewritten(path: Path, entry: str, change: object) -> None:
    """Change one JSON document in an archive."""
    with zipfile.ZipFile(path) as archive:
        contents = {info: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in contents.items():
            if info.filename.endswith(entry):
                document = json.loads(content)
                change(document)  # type: ignore[operator]
                content = json.dumps(document).encode()
            archive.writestr(info, content)


def pickled(document: dict[str, dict[str, dict[str, object]]]) -> None:
    next(iter(document["config"].values()))["use_pickle"] = True


def calls_the_system(document: dict[str, dict[str, dict[str, list[dict[str, object]]]]]) -> None:
    document["graph_module"]["graph"]["nodes"][0]["target"] = "os.system"


def an_object(document: dict[str, dict[str, dict[str, object]]]) -> None:
    next(iter(document["config"].values()))["path_name"] = "opaque_obj_0"


@pytest.mark.parametrize(
    "entry, change",
    [
        ("model_weights_config.json", pickled),
        ("model_weights_config.json", an_object),
        ("models/model.json", calls_the_system),
    ],
)
def test_a_program_with_more_than_a_graph_is_refused(
    entry: str, change: object, tmp_path: Path
) -> None:
    """Torch itself would unpickle what the file says is pickled, and call what it names."""
    path = tmp_path / "u.pt2"
    save_program(trace(nn.Conv2d(3, 1, 1), (3, 16, 16)), path)
    rewritten(path, entry, change)
    with pytest.raises(ArtifactError, match="more than a graph"):
        load_program(path)


def exploding(path: Path, bomb: bytes, where: str) -> None:
    """Put a pickle into an archive, at the place of an entry or beside them all."""
    with zipfile.ZipFile(path) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist()}
    root = next(iter(contents)).partition("/")[0]
    contents[f"{root}/{where}"] = bomb
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "where, refused",
    [
        ("data/sample_inputs/model.pt", False),
        ("data/weights/model.pt", True),
        ("data/constants/model.pt", True),
        ("models/model.JSON", True),
        ("data/aotinductor/model/a.so", True),
    ],
)
def test_what_torch_would_unpickle_in_a_program_is_not(
    where: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch falls back to running pickles where they hold more than tensors."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "u.pt2"
    torch.save((Bomb(),), "bomb.pt")
    torch.export.save(trace(nn.Conv2d(3, 1, 1), (3, 16, 16)), path)
    exploding(path, Path("bomb.pt").read_bytes(), where)
    if refused:
        with pytest.raises(ArtifactError, match="more than a graph"):
            load_program(path)
    else:
        load_program(path)
    assert not Path("exploded").exists()


def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Which of them torch takes is not said; both would have to be looked at."""
    path = tmp_path / "u.pt2"
    save_program(trace(nn.Conv2d(3, 1, 1), (3, 16, 16)), path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        name = next(name for name in archive.namelist() if name.endswith("models/model.json"))
        archive.writestr(name, archive.read(name))
    with pytest.raises(ArtifactError, match="more than a graph"):
        load_program(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all"])
def test_no_program_at_all(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "u.pt2").write_bytes(content)
    with pytest.raises(ArtifactError, match="no readable"):
        load_program(tmp_path / "u.pt2")


def test_a_program_for_any_size_is_refused(tmp_path: Path) -> None:
    sides = {2: torch.export.Dim("h", min=16, max=64)}
    program = torch.export.export(nn.Conv2d(3, 1, 1), (example(16, 16),), dynamic_shapes=(sides,))
    torch.export.save(program, tmp_path / "u.pt2")
    with pytest.raises(UsageError, match="any size"):
        load_program(tmp_path / "u.pt2")


def test_a_recurrent_program_is_refused(tmp_path: Path) -> None:
    class Recurrent(nn.Module):
        def forward(self, x: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
            return x[:, :1] + state

    program = torch.export.export(Recurrent(), (example(16, 16), torch.zeros(1, 1, 16, 16)))
    torch.export.save(program, tmp_path / "u.pt2")
    with pytest.raises(UsageError, match=r"2 inputs.*recurrent state"):
        load_program(tmp_path / "u.pt2")


def test_weights_of_a_program_that_are_no_numbers(tmp_path: Path) -> None:
    network = nn.Conv2d(3, 1, 1)
    nn.init.constant_(network.weight, torch.inf)
    save_program(trace(network, (3, 16, 16)), tmp_path / "u.pt2")
    with pytest.raises(ArtifactError, match=r"'weight' in .*no numbers"):
        load_program(tmp_path / "u.pt2")
