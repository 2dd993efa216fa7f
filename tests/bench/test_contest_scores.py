"""Photographs that networks are compared on, and the scores of their mattes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_peers import (
    SIZE,
    person,
    write_photos,
)

from edgemat.bench.peers.pictures import Loaded, Photo, find_looks, find_photos, load, spread
from edgemat.bench.peers.scores import score, summarise_scores
from edgemat.data.folder import FolderSource
from edgemat.data.trimap import fixed_trimap
from edgemat.errors import UsageError
from edgemat.images import F32, write_image


def loaded(truth: F32) -> Loaded:
    band = fixed_trimap(truth, dilation=2)
    image = np.zeros((*truth.shape, 3), np.uint8)
    return Loaded(Photo("x", Path("x.png")), image, truth, None, band)


# --- photographs ------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["all", "train", "held-out"])
def test_parts_are_those_of_training(tmp_path: Path, part: Any) -> None:
    folder = write_photos(tmp_path / "set", 21, truth="alpha")
    source = FolderSource(folder, seed=0, size=(32, 32), part=part)
    assert source.count is not None
    found = find_photos(folder, part=part)
    assert [p.name for p in found.photos] == [source.name(k) for k in range(source.count)]


def test_a_missing_photograph_moves_no_other_between_parts(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "set", 21)
    before = {p.name for p in find_photos(folder, part="held-out").photos}
    (folder / "image" / "p03.png").unlink()
    found = find_photos(folder, part="held-out")
    assert {p.name for p in found.photos} == before - {"p03"}
    assert found.skipped == (("p03", "has no photograph"),)


def test_a_limit_takes_names_evenly() -> None:
    assert spread(list("abcdefghij"), 3) == ["a", "d", "g"]
    assert spread(["a", "b"], 5) == ["a", "b"]


def test_folders_that_cannot_be_compared_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures in image/"):
        find_photos(tmp_path)
    folder = write_photos(tmp_path / "set", 2)
    with pytest.raises(UsageError, match="too few pictures"):
        find_photos(folder, part="held-out")
    for file in (folder / "mask").iterdir():
        file.unlink()
    with pytest.raises(UsageError, match="no truth") as error:
        find_photos(folder)
    assert "--look" in error.value.remedy
    assert len(find_looks(folder).photos) == 2


def test_a_grey_mask_is_made_binary_and_an_alpha_is_not(tmp_path: Path) -> None:
    for truth in ("mask", "alpha"):
        folder = write_photos(tmp_path / truth, 1, truth=truth)
        soft = np.full(SIZE, 0.6, np.float32)
        soft[:8] = 0.2
        write_image(folder / truth / "p00.png", soft)
        found = find_photos(folder)
        read = load(found.photos[0], found.truth).truth
        assert read is not None
        values = sorted(set(np.round(read, 2).ravel().tolist()))
        assert values == ([0.0, 1.0] if truth == "mask" else pytest.approx([0.2, 0.6]))


# --- scores -----------------------------------------------------------------------------------


def test_known_masks_have_known_scores() -> None:
    truth, alpha = person(10, 30), person(20, 40)  # 32 rows high: 10 of 30 columns in common
    found = score(alpha, loaded(truth))
    assert found.iou == pytest.approx(1 / 3)
    assert found.mad == pytest.approx(20 * 32 / (48 * 64))
    assert found.sad == pytest.approx(20 * 32 / 1000)
    assert score(truth, loaded(truth)).sad_band == 0
    # 0.5 counts as the person, just below it does not
    assert score(truth * np.float32(0.5), loaded(truth)).iou == 1
    assert score(truth * np.float32(0.49), loaded(truth)).iou == 0


def test_an_empty_photograph_wants_an_empty_matte() -> None:
    nobody = np.zeros(SIZE, np.float32)
    right, wrong = score(nobody, loaded(nobody)), score(person(0, 9), loaded(nobody))
    assert (right.iou, wrong.iou) == (1, 0)
    assert right.sad_band is None
    assert summarise_scores([right]).sad_band is None


def test_mean_and_pooled_iou_differ() -> None:
    # 1 of a large person, 1/4 of a small one
    large = score(person(0, 60), loaded(person(0, 60)))
    small = score(person(0, 1), loaded(person(0, 4)))
    mean = summarise_scores([large, small])
    assert mean.iou == pytest.approx((1 + 0.25) / 2)
    assert mean.iou_pooled == pytest.approx(61 / 64)
    assert mean.photos == 2
    with pytest.raises(UsageError):
        summarise_scores([])
