"""Groups of rendered people: who is in which, and means over the right pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_artifacts import tflite_artifact

from edgemat.bench.bias import BACKGROUNDS, measure_bias
from edgemat.data.mix import Photographs
from edgemat.errors import UsageError
from edgemat.images import write_image


def described(number: int, tone: int, length: str, *, several: bool = False) -> dict[str, Any]:
    person = {"skin_tone": tone, "hair": {"texture": "curly", "length": length}}
    return {"file": f"{number:04d}.webp", "people": [person] * (2 if several else 1)}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Four cut-outs: red blocks, which the stand-in finds, and one green, which it misses."""
    folder = tmp_path / "people"
    folder.mkdir()
    alpha = np.zeros((64, 64), np.uint8)
    alpha[16:, 16:48] = 255
    for number, colour in enumerate([(255, 0, 0), (255, 0, 0), (0, 255, 0), (255, 0, 0)]):
        rgba = np.dstack([np.full((64, 64, 3), colour, np.uint8), alpha])
        write_image(folder / f"{number:04d}.png", rgba)
    listed = [
        described(0, 1, "long"),
        described(1, 2, "bald"),
        described(2, 9, "long"),
        described(3, 5, "long", several=True),
    ]
    (folder / "people.json").write_text(json.dumps({"people": listed}))
    return folder


def test_errors_are_told_by_group(people: Path, tmp_path: Path) -> None:
    backs = tmp_path / "backs"
    backs.mkdir()
    for number in range(BACKGROUNDS):
        write_image(backs / f"{number}.png", np.full((80, 80, 3), (0, 60, 200), np.uint8))
    model = tflite_artifact(tmp_path / "shelf").path
    bias = measure_bias(model, Photographs(backs), people=people, part="all")
    found = {(one.topic, one.group): one for one in bias.groups}
    assert set(found) == {
        ("skin", "light (Monk 1-3)"), ("skin", "dark (7-10)"),
        ("hair", "curly"), ("hair", "bald"), ("hair length", "long"), ("hair length", "bald"),
    }  # fmt: skip
    light, dark = found["skin", "light (Monk 1-3)"], found["skin", "dark (7-10)"]
    assert light.people == 2 and light.iou > 0.9 and light.mad < 0.02
    assert dark.people == 1 and dark.iou == 0 and dark.mad == pytest.approx(0.375, abs=0.01)
    assert found["hair length", "long"].people == 2, "pictures of several are left out"
    assert bias.worst[0].name == "0002", "the green one is missed"
    assert len(bias.worst) == 4, "one picture of each"
    assert found["hair", "curly"].mad == pytest.approx((light.mad + dark.mad) / 2, abs=0.01)


@pytest.mark.parametrize("text", [None, "{", '{"people": 3}', "[]"])
def test_people_without_descriptions_are_refused(
    people: Path, tmp_path: Path, text: str | None
) -> None:
    index = people / "people.json"
    index.unlink() if text is None else index.write_text(text)
    model = tflite_artifact(tmp_path / "shelf").path
    with pytest.raises(UsageError, match="does not describe"):
        measure_bias(model, Photographs(people), people=people, part="all")
