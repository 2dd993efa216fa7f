"""The rendered people that edgemat brings: whole, as described, and usable as training data."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from edgemat.data.dataset import MattingDataset
from edgemat.data.folder import FolderSource
from edgemat.data.open import open_data
from edgemat.data.sections import PEOPLE, DataSection, SourceSection
from edgemat.files import sha256_file
from edgemat.images import read_rgba

MOST_BYTES = 25_000_000


@pytest.fixture(scope="module")
def index() -> dict[str, Any]:
    return json.loads((PEOPLE / "people.json").read_text())


def test_the_set_is_what_its_index_says(index: dict[str, Any]) -> None:
    listed = {one["file"]: one["sha256"] for one in index["people"]}
    found = {path.name: sha256_file(path) for path in PEOPLE.glob("*.webp")}
    assert listed == found
    assert sum(path.stat().st_size for path in PEOPLE.iterdir()) < MOST_BYTES
    assert index["licence"] == "CC0-1.0" and index["reproduce"].startswith("python -m tools.")


def test_everyone_has_an_exact_matte(index: dict[str, Any]) -> None:
    for one in index["people"][::5]:
        colours, alpha = read_rgba(PEOPLE / one["file"])
        assert alpha is not None and alpha.shape == (one["size"],) * 2 == colours.shape[:2]
        assert (alpha == 0).mean() > 0.05 and (alpha == 1).mean() > 0.02
        partial = (alpha > 0) & (alpha < 1)
        assert 0 < partial.mean() < 0.5


def test_skin_tones_are_balanced(index: dict[str, Any]) -> None:
    """The first person's tone is dealt evenly over every ten pictures."""
    tones = Counter(one["people"][0]["skin_tone"] for one in index["people"])
    assert set(tones) == set(range(1, 11))
    assert max(tones.values()) - min(tones.values()) <= 2


def test_people_train_networks() -> None:
    mix = DataSection(mix=(SourceSection(source="people", part="train"),))
    data = MattingDataset(
        open_data(mix, seed=1, size=(64, 64)), size=(64, 64), seed=1, length=8, views="people"
    )
    seen = [float(data[index]["alpha"].mean()) for index in range(8)]
    assert np.mean(seen) > 0.05, "there is somebody in the pictures"


def test_training_never_sees_those_who_are_held_out() -> None:
    def names(part: Any) -> set[str]:
        source = FolderSource(PEOPLE, seed=0, size=(64, 64), part=part)
        return {source.name(number) for number in range(source.count or 0)}

    assert not names("train") & names("held-out")
    assert len(names("held-out")) == len(names("all")) // 10
