"""The thesis' recipes train end to end, shortened, on tiny sets in their published layouts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from edgemat.artifacts.weights import load_network
from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import ProceduralSource
from edgemat.images import to_uint8, write_image
from edgemat.workflow.training import train_recipe

THESIS = Path(__file__).parents[2] / "recipes" / "thesis"
SIDE = 96
SHORT = (
    "threads=1",
    "verify.images=1",
    "models.0.config={ width = 0.25 }",
    "models.0.input_size=[64, 64]",
    "models.0.train.init=",
    "models.0.train.steps=2",
    "models.0.train.batch=2",
    "models.0.train.size=64",
    "models.0.train.workers=0",
)


def write_sets(data: Path) -> None:
    source = ProceduralSource(1, size=(SIDE, SIDE))
    whole = MattingDataset(source, size=(SIDE, SIDE), seed=1, length=4, views="none")
    for n in range(4):
        part = "Test_set/Adobe-licensed images" if n == 3 else "Training_set/Other"
        matte = source[n]
        assert matte.foreground is not None
        write_image(data / "adobe" / part / "fg" / f"p{n}.png", matte.foreground)
        write_image(data / "adobe" / part / "alpha" / f"p{n}.png", matte.alpha)
        photograph = whole.sample(n)
        folder = data / "portrait-2k" / ("testing" if n == 3 else "training")
        write_image(folder / f"{n}.png", to_uint8(photograph.image))
        write_image(folder / f"{n}_matte.png", to_uint8(photograph.alpha))
        for name in ("coco", "voc"):
            write_image(data / name / f"{name}{n}.png", source.background(n))


@pytest.mark.long
def test_pspm_is_trained_from_two_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IndexNet and DeepLabV3+ apart, then phase 1: what phase 1 holds is still DeepLab's."""
    monkeypatch.chdir(tmp_path)
    write_sets(tmp_path / "data")
    networks = {}
    for name in ("indexnet", "pspm-deeplab", "pspm-phase-1"):
        (made,) = train_recipe(THESIS / f"{name}.toml", device="cpu", changes=SHORT)
        networks[name] = load_network(made).state_dict()
    deeplab, phase = networks["pspm-deeplab"], networks["pspm-phase-1"]
    for own, other in (("encoder.", "segment.encoder."), ("segment.", "segment.decode.")):
        for key, value in deeplab.items():
            if key.startswith(other):
                assert torch.equal(phase[own + key.removeprefix(other)], value), key
    head = networks["indexnet"]["predict.3.weight"]
    assert not torch.equal(phase["predict.3.weight"], head), "the matting decoder learns"
    torch.testing.assert_close(phase["predict.3.weight"], head, atol=0.3, rtol=0)
