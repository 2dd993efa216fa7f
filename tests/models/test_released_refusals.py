"""What is no released network, or not quite: one sentence that names the first tensor."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import released_layouts as made
import torch
from safetensors.torch import save_file
from torch import Tensor
from toy_encoders import segformer, theirs

from edgemat.errors import UsageError
from edgemat.models.released.families import FAMILIES
from edgemat.models.released.load import load_released
from edgemat.models.weights_file import MAX_BYTES

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def dncnn() -> State:
    return made.filled(made.dncnn())


def save(state: Any, folder: Path, name: str = "weights.pth") -> Path:
    torch.save(state, folder / name)
    return folder / name


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"model": s},
        lambda s: {f"module.module.{k}": v for k, v in s.items()},
        lambda s: {
            "state_dict": s,
            "epoch": 30,
            "optimizer": {"state": {0: {"exp": s["dncnn.2.weight"]}}},
        },
        lambda s: {"state_dict": s, "state_dict_ema": {k: 0 * v for k, v in s.items()}},
        lambda s: {"state_dict": s, "best": np.float64(31.7), "losses": [np.float32(1)]},
        lambda s: {k: v for k, v in s.items() if "num_batches" not in k},
    ],
    ids=["bare", "model", "parallel", "training", "averaged", "numpy", "old"],
)
def test_any_wrapping_gives_the_same_network(
    tmp_path: Path, dncnn: State, wrap: Callable[[State], Any]
) -> None:
    network = load_released(save(wrap(dncnn), tmp_path)).network
    assert torch.equal(network.state_dict()["predict.weight"], dncnn["dncnn.47.weight"])
    assert torch.equal(network.state_dict()["middle.4.bias"], dncnn["dncnn.6.bias"])


def test_safetensors_and_half_precision(tmp_path: Path, dncnn: State) -> None:
    half = {key: value.half() for key, value in dncnn.items() if value.is_floating_point()}
    save_file(half, tmp_path / "weights.safetensors")
    network = load_released(tmp_path / "weights.safetensors").network
    assert torch.equal(network.state_dict()["first.0.bias"], half["dncnn.0.bias"].float())


def without(name: str) -> Callable[[State], State]:
    return lambda state: {key: value for key, value in state.items() if key != name}


def changed(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[State], State]:
    return lambda state: state | {name: change(state[name].clone())}


def nan(tensor: Tensor) -> Tensor:
    tensor.view(-1)[1] = float("nan")
    return tensor


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (without("dncnn.6.bias"), r"no tensor dncnn\.6\.bias, which DnCNN .*\(1 of 78 are miss"),
        (
            lambda s: {k.replace("dncnn.6.", "dncnn.6x."): v for k, v in s.items()},
            r"no tensor dncnn\.6\.weight, .* nearest that it has: dncnn\.6x\.weight",
        ),
        (
            changed("dncnn.8.weight", lambda t: t[:, :5]),
            r"dncnn\.8\.weight is 64 x 5 x 3 x 3, DnCNN .* has 64 x 64 x 3 x 3",
        ),
        (lambda s: s | {"dncnn.48.weight": torch.ones(1)}, r"a tensor dncnn\.48\.weight, .* no p"),
        (changed("dncnn.3.weight", nan), r"dncnn\.3\.weight holds numbers that are not finite"),
        (changed("dncnn.3.running_var", lambda t: -t), r"holds negative variances"),
        (changed("dncnn.3.weight", lambda t: t.int()), r"holds no floating-point numbers"),
        (lambda s: {"student": s, "teacher": s}, r"2 times, in 'student' and 'teacher'"),
        (
            lambda s: {"a.weight": torch.ones(1)},
            r"no network whose names edgemat knows.* a\.weight",
        ),
        (lambda s: {"epoch": 3}, "no named tensors"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(
    tmp_path: Path, dncnn: State, wrap: Callable[[State], Any], message: str
) -> None:
    path = save(wrap(dncnn), tmp_path)
    with pytest.raises(UsageError, match=message) as caught:
        load_released(path)
    assert caught.value.remedy and str(path) in caught.value.message


def test_a_family_that_is_named_is_the_only_one_thought_of(tmp_path: Path, dncnn: State) -> None:
    path = save(dncnn, tmp_path)
    assert load_released(path, family="dncnn").family.name == "dncnn"
    with pytest.raises(UsageError, match=r"is no FastDepth .* its first is dncnn\.0\.weight"):
        load_released(path, family="fastdepth")
    with pytest.raises(UsageError, match=r"no family of released networks 'dncn'.*Did you mean"):
        load_released(path, family="dncn")
    with pytest.raises(UsageError, match="no family"):
        load_released(tmp_path / "none.pth", family="x")


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("mobilenet_v2", "indexnet-m2o-nlc"),
        ("resnet34", "a2u-dynamic-cs"),
        ("mit", "rmat-m3"),
        ("resnet50", "hu-depth"),
    ],
)
def test_an_encoder_alone_is_for_training(tmp_path: Path, name: str, architecture: str) -> None:
    state = segformer() if name == "mit" else theirs(name).state_dict()
    with pytest.raises(UsageError, match=f"holds the encoder of {architecture} alone") as caught:
        load_released(save(state, tmp_path, "encoder.pth"))
    way = "--init encoder.pth" if name == "resnet50" else 'init = "encoder.pth"'
    assert way in caught.value.remedy


# ---- files that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            {
                "backbone.features.0.0.weight": (32, 3, 3, 3),
                "aspp.aspp1.atrous_conv.weight": (256, 320, 1, 1),
                "decoder.last_conv.8.weight": (21, 256, 1, 1),
            },
            "DeepLabV3+ (jfzhang95's pytorch-deeplab-xception) segments classes",
        ),
        (
            {
                "up1.channel_compressor.weight": (64, 32, 1, 1),
                "up1.channel_compressor.bias": (64,),
                "up1.content_encoder.weight": (100, 64, 3, 3),
                "up1.content_encoder.bias": (100,),
            },
            "CARAFE (CARAFEPack) predicts its kernels with biases",
        ),
    ],
    ids=["deeplab", "carafe"],
)
def test_what_is_known_and_not_imported_is_said_why(
    shapes: dict[str, tuple[int, ...]], message: str, tmp_path: Path
) -> None:
    path = save({"state_dict": {f"module.{k}": torch.rand(s) for k, s in shapes.items()}}, tmp_path)
    with pytest.raises(UsageError) as caught:
        load_released(path)
    assert f"is not imported: {message}" in caught.value.message
    assert "edgemat adopt package.module:factory --weights weights.pth" in caught.value.remedy


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("photograph.txt", "no tensors")


def truncated(path: Path) -> None:
    whole = save(made.filled(made.dncnn()), path.parent, "whole.pth").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


class Runs:
    """Would run code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "not a readable weights file"),
        (lambda path: path.write_text("<html>Not found</html>"), "not a readable weights file"),
        (zipped, "not a readable weights file"),
        (truncated, "not a readable weights file"),
        (lambda path: torch.save({"state_dict": {}, "model": Runs()}, path), "could run code"),
        (lambda path: path.mkdir(), "is a folder, a checkpoint is one file"),
        (lambda path: None, "There is no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_said_to_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "weights.pth.tar")
    with pytest.raises(UsageError, match=message):
        load_released(tmp_path / "weights.pth.tar")
    assert not (tmp_path / "ran").exists()


def test_an_artefact_and_a_file_of_more_than_2_gb_are_not_read(tmp_path: Path) -> None:
    artefact = tmp_path / "hair@12345678"
    artefact.mkdir()
    (artefact / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="is an artefact of edgemat already"):
        load_released(artefact)
    with (tmp_path / "large.pth").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # takes no room on the disk
    with pytest.raises(UsageError, match=r"has 2\.0 GB, a checkpoint of at most 2 GB is read"):
        load_released(tmp_path / "large.pth")


@pytest.mark.parametrize("tensor", [torch.zeros(7), torch.tensor(1.0), torch.zeros(36).to_sparse()])
def test_a_tensor_that_cannot_be_put_in_order(tensor: torch.Tensor, tmp_path: Path) -> None:
    """A2U's kernels are turned from places to sub-pixels, which these have not."""
    layout, shapes = FAMILIES["a2u"].members[0].layout, FAMILIES["a2u"].members[0].shapes
    state = {one.name: torch.zeros(shapes[own]) for own, one in layout.tensors.items()}
    state["bilinear0.bconv_UP.1.bias"] = tensor
    torch.save(state, tmp_path / "a2u.pth")
    with pytest.raises(UsageError, match=r"bilinear0\.bconv_UP\.1\.bias is"):
        load_released(tmp_path / "a2u.pth")
