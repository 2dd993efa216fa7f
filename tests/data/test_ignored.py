"""People who are too small to be meant: no loss, no gradient, no score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edgemat.bench.peers.pictures import find_photos, load
from edgemat.bench.peers.scores import score
from edgemat.data.dataset import MattingDataset
from edgemat.data.ignored import small_parts
from edgemat.data.open import open_data
from edgemat.data.sections import DataSection
from edgemat.images import F32, UNKNOWN, write_image
from edgemat.models.network import MattingOutput
from edgemat.training.losses import NO_CLASS, trimap_classes, trimap_cross_entropy
from edgemat.training.objective import compute_loss, distillation_loss
from edgemat.training.schedule import Schedule

SIDE = 100
LEAST = 0.04


def two() -> F32:
    """Return a matte of a part of 40 x 40 px and one of 10 x 10 px: 16 % and 1 %."""
    alpha = np.zeros((SIDE, SIDE), np.float32)
    alpha[10:50, 10:50] = 1
    alpha[70:80, 70:80] = 1
    alpha[69, 70:80] = 0.5
    return alpha


def test_parts_below_the_share_are_taken_with_what_is_around_them() -> None:
    small = small_parts(two(), LEAST)
    assert small[69:80, 70:80].all()
    assert small[67, 75] and not small[60, 75]  # 2 px around
    assert not small[:55, :55].any()
    assert not small_parts(two(), 0.005).any()
    assert not small_parts(np.zeros((8, 8), np.float32), LEAST).any()


def test_what_is_beside_a_large_part_is_never_taken() -> None:
    alpha = two()
    alpha[25:28, 51:54] = 1  # a pixel beside the large part
    small = small_parts(alpha, LEAST)
    assert small[25:28, 51:54].all()
    assert not small[20:35, 49].any() and not small[26, 50]


def write_set(folder: Path) -> Path:
    picture = np.dstack([two()] * 3)
    write_image(folder / "image" / "a.png", picture)
    write_image(folder / "alpha" / "a.png", two())
    return folder


def test_a_folder_of_a_recipe_says_what_is_small(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    for least, any_ignored in ((0.0, False), (0.999, True)):
        section = DataSection(source=str(folder), use="image", part="all", ignore_below=least)
        source = open_data(section, seed=1, size=(64, 64))
        data = MattingDataset(source, size=(64, 64), seed=1, length=4, views="people")
        ignored = torch.stack([data[i]["ignored"] for i in range(4)])
        assert ignored.dtype == torch.bool and ignored.shape == (4, 1, 64, 64)
        assert bool(ignored.any()) is any_ignored


def test_no_edge_is_unknown_around_what_is_ignored(tmp_path: Path) -> None:
    """The unknown region reaches further than what is ignored: it must not begin there."""
    folder = tmp_path / "far"
    alpha = np.zeros((256, 256), np.float32)
    alpha[120:136, 120:136] = 1
    alpha[119, 120:136] = 0.5
    write_image(folder / "image" / "a.png", np.dstack([alpha] * 3))
    write_image(folder / "alpha" / "a.png", alpha)
    section = DataSection(source=str(folder), use="image", part="all", ignore_below=0.2)
    source = open_data(section, seed=1, size=(256, 256))
    data = MattingDataset(source, size=(256, 256), seed=1, length=6, views="people")
    items = [data[i] for i in range(6)]
    assert any(item["ignored"].any() for item in items)
    assert not any(((item["trimap"] > 0) & (item["trimap"] < 1)).any() for item in items)


def test_only_folders_have_small_parts() -> None:
    with pytest.raises(ValueError, match='ignore_below beside source = "people"'):
        DataSection(source="people", ignore_below=0.1)


def batch(ignored: torch.Tensor | None) -> dict[str, torch.Tensor]:
    alpha = torch.from_numpy(two())[None, None]
    trimap = torch.where((alpha > 0) & (alpha < 1), 128 / 255, alpha)
    found = {"image": alpha.expand(1, 3, SIDE, SIDE), "alpha": alpha, "trimap": trimap}
    return found if ignored is None else found | {"ignored": ignored}


class Wrong(torch.nn.Module):
    """Answers with the truth but for the small part, of which it sees nothing."""

    def __init__(self) -> None:
        super().__init__()
        alpha = two()
        alpha[60:] = 0
        self.alpha = torch.nn.Parameter(torch.from_numpy(alpha)[None, None])
        self.logits = torch.nn.Parameter(torch.zeros(1, 3, SIDE // 4, SIDE // 4))

    def forward(self, x: torch.Tensor) -> MattingOutput:
        return MattingOutput(self.alpha, self.logits)


def test_what_is_ignored_has_no_loss_and_no_gradient() -> None:
    ignored = torch.from_numpy(small_parts(two(), LEAST))[None, None]
    schedule = Schedule(steps=1, batch=1, affinity_weight=0.0)
    for given, silent in ((None, False), (ignored, True)):
        network = Wrong()
        loss = compute_loss(network, batch(given), "portrait", schedule=schedule)
        loss.total.backward()
        assert network.alpha.grad is not None and network.logits.grad is not None
        assert bool((network.alpha.grad[ignored] == 0).all()) is silent
        assert bool((network.logits.grad[..., 18:19, 18:19] == 0).all()) is silent
        assert (loss.values()["alpha_whole"] < 1e-5) is silent


def test_a_teacher_teaches_nothing_there_either() -> None:
    ignored = torch.from_numpy(small_parts(two(), LEAST))[None, None]
    network, answer = Wrong(), Wrong()
    with torch.no_grad():
        answer.alpha.copy_(torch.where(ignored, 1 - network.alpha, network.alpha))
        answer.logits[..., 18:19, 18:19] += torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    x = torch.zeros(1, 3, SIDE, SIDE)
    for given, silent in ((None, False), (ignored, True)):
        distance = distillation_loss(network(x), answer(x), ignored=given)
        assert (float(distance) < 1e-5) is silent


def test_classes_that_are_none_leave_the_mean() -> None:
    trimap = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)
    ignored = torch.tensor([True, False]).reshape(1, 1, 1, 2)
    classes = trimap_classes(trimap, ignored)
    assert classes.tolist() == [[[NO_CLASS, 2]]]
    logits = torch.tensor([[5.0, 0.0], [0.0, 0.0], [0.0, 3.0]]).reshape(1, 3, 1, 2)
    one = trimap_cross_entropy(logits[..., 1:], classes[..., 1:])
    assert trimap_cross_entropy(logits, classes) == pytest.approx(float(one))
    nothing = trimap_cross_entropy(logits, torch.full_like(classes, NO_CLASS))
    assert float(nothing) == 0


def test_what_is_ignored_does_not_score(tmp_path: Path) -> None:
    photos = find_photos(write_set(tmp_path / "set"))
    alpha = two()
    alpha[60:] = 0
    for least, perfect in ((0.0, False), (LEAST, True)):
        loaded = load(photos.photos[0], photos.truth, ignore_below=least)
        found = score(alpha, loaded)
        assert (found.iou == 1 and found.mad == 0) is perfect
        assert loaded.band is not None
        assert bool((loaded.band[65:] == UNKNOWN).any()) is not perfect
