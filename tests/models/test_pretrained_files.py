"""Files that encoders start from: any wrapping gives the same, and what is wrong is named."""

from __future__ import annotations

import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from toy_encoders import State, theirs

from edgemat.errors import UsageError
from edgemat.models.count import on_paper
from edgemat.models.encoders.mobilenetv1 import MobileNetV1
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.encoders.resnet34 import ResNet34
from edgemat.models.pretrained.load import check_source, load_encoder


@pytest.fixture(scope="module")
def mobile() -> State:
    return theirs("mobilenet_v2").state_dict()


# ---- wrappings ---------------------------------------------------------------------------------


def prefixed(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def flat(state: State) -> State:
    """Return the names of pytorch-mobilenet-v2: one count of layers in a block."""
    names = {}
    for key in state:
        parts = key.split(".")
        if len(parts) > 3 and parts[2] == "conv":
            _, block, _, *layer, leaf = parts
            groups = 1 if block == "1" else 2
            group = int(layer[0])
            place = 3 * group + int(layer[1]) if len(layer) == 2 else 3 * groups + group - groups
            names[key] = f"features.{block}.conv.{place}.{leaf}"
    return {names.get(key, key): value for key, value in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda s: s, id="bare"),
        pytest.param(
            lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"state": {}}}, id="dict"
        ),
        pytest.param(lambda s: {"model": s}, id="model"),
        pytest.param(lambda s: {f"module.{k}": v for k, v in s.items()}, id="module"),
        pytest.param(
            lambda s: {"state_dict": {f"backbone.{k}": v for k, v in s.items()}}, id="two"
        ),
        pytest.param(
            lambda s: {k.removeprefix("features."): v for k, v in s.items()}, id="features"
        ),
        pytest.param(flat, id="flat"),
        pytest.param(
            lambda s: {"state_dict": s, "state_dict_ema": {k: 0 * v for k, v in s.items()}},
            id="averaged",
        ),
        pytest.param(lambda s: {k: v.bfloat16().float() for k, v in s.items()}, id="rounded"),
    ],
)
def test_any_wrapping_gives_the_same_encoder(
    tmp_path: Path, mobile: State, wrap: Callable[[State], Any]
) -> None:
    torch.save(wrap(mobile), tmp_path / "weights.pt")
    encoder = MobileNetV2(3)
    load_encoder(encoder, tmp_path / "weights.pt")
    last = encoder[7][0].layers[-2].weight
    torch.testing.assert_close(last, mobile["features.17.conv.2.weight"], atol=2e-3, rtol=0)
    stem = encoder[0][0].weight
    torch.testing.assert_close(stem, mobile["features.0.0.weight"], atol=2e-3, rtol=0)


def test_safetensors_and_half_precision(tmp_path: Path, mobile: State) -> None:
    half = {key: value.half() for key, value in mobile.items() if value.is_floating_point()}
    save_file(half, tmp_path / "weights.safetensors")
    encoder = MobileNetV2(3)
    load_encoder(encoder, tmp_path / "weights.safetensors")
    assert torch.equal(encoder[0][0].weight, half["features.0.0.weight"].float())


def test_an_npz_is_tensorflows(tmp_path: Path, mobile: State) -> None:
    """Its inputs were (pixel - 128) / 128 in 0..255."""
    np.savez(tmp_path / "w.npz", **{key: value.numpy() for key, value in mobile.items()})
    encoder = MobileNetV2(3).eval()
    load_encoder(encoder, tmp_path / "w.npz")
    pixels = torch.randint(0, 256, (1, 3, 8, 8)).float()
    conv = F.conv2d((pixels - 128) / 128, mobile["features.0.0.weight"], padding=1)
    torch.testing.assert_close(encoder[0][0](pixels / 255), conv, atol=1e-5, rtol=0)
    with pytest.raises(UsageError, match="npz holds TensorFlow's MobileNetV2"):
        load_encoder(ResNet34(3), tmp_path / "w.npz")


# ---- what cannot be taken -----------------------------------------------------------------------


def changed(name: str, change: Callable[[Tensor], Tensor | None]) -> Callable[[State], State]:
    def wrap(state: State) -> State:
        state = dict(state)
        value = change(state.pop(name))
        return state if value is None else state | {name: value}

    return wrap


def nan(tensor: Tensor) -> Tensor:
    tensor = tensor.clone()
    tensor.view(-1)[3] = float("nan")
    return tensor


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (changed("features.3.conv.2.weight", lambda t: t[:5]), r"es\.3\.conv\.2\.weight is 5 x"),
        (changed("features.0.0.weight", lambda t: t[:, :1]), r"features\.0\.0\.weight is 32 x 1 x"),
        (changed("features.0.1.bias", lambda t: t[0]), r"features\.0\.1\.bias is one number"),
        (changed("features.5.conv.0.0.weight", nan), r"5\.conv\.0\.0\.weight holds .*not finite"),
        (changed("features.2.conv.3.running_var", lambda t: -t), "holds negative variances"),
        (changed("features.2.conv.3.bias", lambda t: t.int()), r"conv\.3\.bias holds no floating"),
        (changed("features.9.conv.3.bias", lambda t: None), r"no tensor features\.9\.conv\.3\.b"),
        (lambda s: {"student": s, "teacher": s}, "2 times, behind 'student.features.' and 'teach"),
        (lambda s: {"a.weight": torch.ones(1)}, r"no MobileNetV2 .* first tensor is a\.weight"),
        (lambda s: {}, "no named tensors"),
        (lambda s: torch.ones(3), "no named tensors"),
        (lambda s: [s], "no named tensors"),
        (lambda s: {"args": Namespace(lr=1), "model": s}, "Python objects beside its tensors"),
        (lambda s: nn.Conv2d(1, 1, 1), "Python objects beside its tensors"),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(
    tmp_path: Path, mobile: State, wrap: Callable[[State], Any], message: str
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(wrap(mobile), path)
    encoder = MobileNetV2(3)
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    with pytest.raises(UsageError, match=message) as caught:
        load_encoder(encoder, path)
    assert caught.value.remedy and str(path) in caught.value.message
    after = encoder.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before), "nothing is half loaded"


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("photograph.txt", "no tensors")


@pytest.mark.parametrize("suffix", [".pth", ".npz", ".safetensors", ".bin"])
@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00" * 64),
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\n"),
        lambda path: path.write_text("<!DOCTYPE html><html>Not found</html>"),
        lambda path: path.write_bytes(b"\x80\x02}q\x00."),
        lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"),
        zipped,
    ],
)
def test_what_is_no_checkpoint_is_said_to_be_none(
    tmp_path: Path, suffix: str, write: Callable[[Path], object]
) -> None:
    path = tmp_path / f"weights{suffix}"
    write(path)
    with pytest.raises(UsageError, match=r"not a (readable weights file|checkpoint)"):
        load_encoder(MobileNetV2(3, width=0.25), path)


@pytest.mark.parametrize("suffix", [".pth", ".npz", ".safetensors"])
def test_a_damaged_checkpoint_is_read_or_said_to_be_damaged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    state = {"a.weight": torch.ones(3, 2), "a.bias": torch.zeros(3)}
    if suffix == ".npz":
        np.savez(path, **{key: value.numpy() for key, value in state.items()})
    elif suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    encoder = MobileNetV2(3, width=0.25)
    for _ in range(200):
        content = bytearray(whole)
        for place in random.integers(len(whole), size=random.integers(1, 4)):
            content[place] = random.integers(256)
        path.write_bytes(content[: random.integers(len(whole) // 2, len(whole) + 1)])
        with pytest.raises(UsageError):  # there is no MobileNetV2 in it at any rate
            load_encoder(encoder, path)


def test_a_missing_file_and_an_encoder_without_public_weights(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no encoder weights file"):
        load_encoder(MobileNetV2(3), tmp_path / "none.npz")
    with pytest.raises(UsageError, match="no public weights that fit a MobileNetV1"):
        load_encoder(MobileNetV1(3), tmp_path / "none.npz")


def test_a_network_on_paper_is_enough_to_check(tmp_path: Path, mobile: State) -> None:
    torch.save(mobile, tmp_path / "weights.pth")
    check_source(on_paper("pspm-slim").encoder, tmp_path / "weights.pth")
    check_source(on_paper("dim").encoder, "torchvision")
    with pytest.raises(UsageError, match=r"is 32 x 3 x 3 x 3, the encoder's is 8 x 3 x 3 x 3"):
        check_source(on_paper("pspm-slim", width=0.25).encoder, tmp_path / "weights.pth")
