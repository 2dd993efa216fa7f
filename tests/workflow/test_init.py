"""A network that starts from ImageNet's weights keeps their affine through every stage."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import edgemat
from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.weights import read_state
from edgemat.errors import UsageError
from edgemat.quantize.reference import load_reference

torchvision = pytest.importorskip("torchvision")
pytest.importorskip("nncf")

STD = torch.tensor([0.229, 0.224, 0.225])
RECIPE = """
name = "started"
threads = 1

[[models]]
name = "portrait"
architecture = "pspm-slim"
input_size = [64, 64]
demonstration = true
data = {{ kinds = "portrait" }}
train = {{ steps = {steps}, batch = 2, size = 64, workers = 0, half_weights = true, {start} }}

[verify]
images = 2
"""


def trained(folder: Path, start: str, *, steps: int) -> Artifact:
    folder.mkdir()
    (folder / "recipe.toml").write_text(RECIPE.format(start=start, steps=steps))
    (found,) = edgemat.train(folder / "recipe.toml", output=folder / "run")
    return found


def affine_of(artefact: Artifact, leaf: str) -> Tensor:
    return read_state(artefact)[next(k for k in read_state(artefact) if k.endswith(leaf))]


@pytest.mark.slow
def test_the_affine_stays_from_training_to_int8(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.save({"state_dict": state}, tmp_path / "weights.pth")
    first = trained(tmp_path / "a", f"init = '{tmp_path / 'weights.pth'}'", steps=1)
    second = trained(tmp_path / "b", f"start = '{first.path}'", steps=0)
    for artefact in (first, second):
        scale = affine_of(artefact, ".normalise.scale")
        assert torch.equal(scale.flatten(), 1 / STD), "neither trained nor rounded to half"
    quantized = edgemat.quantize(
        second, mode="qat", steps=1, batch=2, size=64, calibration=8, images=2
    )
    weight = affine_of(quantized, ".normalise.weight")
    torch.testing.assert_close(weight.flatten(), 1 / STD, rtol=0, atol=0)
    alpha = load_reference(quantized)(torch.rand(1, 3, 64, 64))
    assert alpha.shape == (1, 1, 64, 64)


def test_weights_that_do_not_fit_are_told_before_training(tmp_path: Path) -> None:
    torch.save({"features.0.0.weight": torch.ones(32, 3, 3, 3)}, tmp_path / "weights.pth")
    with pytest.raises(UsageError, match=r"models\.0\.train\.init: .* holds no MobileNetV2"):
        trained(tmp_path / "a", f"init = '{tmp_path / 'weights.pth'}'", steps=1)
    assert not (tmp_path / "a" / "run").exists()
