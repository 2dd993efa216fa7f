"""What a large photograph takes: measured in processes of their own, and held to a bound."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from toy_artifacts import tflite_artifact

from edgemat.artifacts.shipped import SHIPPED_TARGET, shipped_models
from edgemat.bench import large
from edgemat.bench.large import Large, measure_large, require_bound
from edgemat.errors import MissingToolError, UsageError
from edgemat.images import BACKGROUND, FOREGROUND, UNKNOWN

INT8 = [f"{name}-{SHIPPED_TARGET}" for name in shipped_models()]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tflite_artifact(tmp_path).path)


@pytest.mark.long
def test_a_larger_matte_adds_more(model: str) -> None:
    """The matte alone has 4 bytes a pixel; what a toy adds beside is bands and a 32 px input."""
    small, big = measure_large(model, megapixels=(0.1, 12), threads=1)
    assert (big.width, big.height) == (4000, 3000) and big.megapixels == 12
    assert small.added_mb is not None and big.added_mb is not None
    assert 40 < big.added_mb - small.added_mb < 400
    assert 0 < small.seconds < big.seconds


def test_the_drawn_picture_has_a_narrow_unknown_region() -> None:
    image, trimap = large._draw(300, 400)
    assert image.shape == (300, 400, 3)
    found = dict(zip(*np.unique(trimap, return_counts=True), strict=True))
    assert set(found) == {BACKGROUND, UNKNOWN, FOREGROUND}
    ring = np.pi * ((105 + 24) ** 2 - (105 - 24) ** 2)
    assert found[UNKNOWN] == pytest.approx(ring, rel=0.02)


@pytest.mark.long
@pytest.mark.parametrize("name", INT8)
def test_every_int8_file_that_ships_holds_the_bound_at_100_megapixels(name: str) -> None:
    assert require_bound(measure_large(name, megapixels=[100], threads=1), 1000)


def test_the_page_states_the_bound_of_int8_files_and_prints_what_float_takes() -> None:
    page = (Path(__file__).parents[2] / "docs/tasks/profile.md").read_text()
    asked = re.findall(r"edgemat memory (\S+) .*", page)
    bounded = re.findall(r"edgemat memory (\S+) .*--below", page)
    assert set(bounded) <= set(INT8) and set(asked) - set(INT8)
    assert "every int8 file" in " ".join(page.split())


def row(added_mb: float | None) -> Large:
    return Large(48, 8000, 6000, added_mb, 1.0)


def test_the_bound_is_of_every_size() -> None:
    assert require_bound([row(100), row(999)], 1000)
    assert not require_bound([row(100), row(1000)], 1000)
    assert not require_bound([row(100), row(None)], 1000)


def test_a_system_that_tells_nothing_is_said_before_anything_is_measured(
    model: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "peak_rss_bytes", lambda: None)
    monkeypatch.setattr(large, "run_child", lambda *_, **__: pytest.fail("it is measured"))
    status, _, error = call("memory", model, "--megapixels", "1", "--below", "1000")
    assert (status, "does not tell" in error) == (MissingToolError.exit_code, True)


def test_a_loaded_artefact_is_measured_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(module: str, task: dict[str, object], **_: object) -> dict[str, float]:
        asked.append(task["model"])
        return {"peak_bytes": 1e6, "seconds": 1}

    monkeypatch.setattr(large, "run_child", answer)
    artifact = tflite_artifact(tmp_path)
    assert measure_large(artifact, megapixels=[1])[0].added_mb == 0
    assert asked == [str(artifact.path)] * 2


@pytest.mark.parametrize("megapixels", [0.0001, 200, -1, math.nan, math.inf, 1e308])
def test_sizes_that_no_picture_has_are_refused(megapixels: float, model: str) -> None:
    with pytest.raises(UsageError, match="which no picture may have"):
        measure_large(model, megapixels=[megapixels])


def test_a_process_that_dies_is_said(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_size", lambda megapixels: (-1, 32))
    with pytest.raises(MissingToolError, match=r"memory of .* at 32 x -1 px failed: ValueError"):
        measure_large(model, megapixels=[1])


@pytest.mark.long
def test_the_command_judges(model: str, call: Call) -> None:
    words = ("memory", model, "--megapixels", "1", "--threads", "1")
    status, shown, _ = call(*words, "--below", "2000", "--json")
    assert (status, json.loads(shown)[0]["height"]) == (0, 866)
    status, shown, _ = call(*words, "--below", "1")
    assert (status, "memory added" in shown) == (1, True)
