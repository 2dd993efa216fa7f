"""tests/vectors: made again, and compared with those that the apps' cores are tested on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgemat.bench.result import parse_results
from tools.vectors.write import all_vectors

FOLDER = Path(__file__).parents[1].joinpath("vectors")
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
TOLERANCE = 2e-5  # floats are written with five decimals


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return json.loads(json.dumps(all_vectors()))


def assert_same(found: Any, written: Any, place: str) -> None:
    """Compare texts and integers exactly, other numbers within the rounding."""
    assert type(found) is type(written), place
    if isinstance(found, dict):
        assert found.keys() == written.keys(), place
        for key, value in found.items():
            assert_same(value, written[key], f"{place}.{key}")
    elif isinstance(found, list):
        assert len(found) == len(written), place
        for index, value in enumerate(found):
            assert_same(value, written[index], f"{place}[{index}]")
    elif isinstance(found, float):
        assert found == pytest.approx(written, abs=TOLERANCE, rel=1e-9), place
    else:
        assert found == written, place


def test_every_vector_is_written(made: dict[str, Any]) -> None:
    assert sorted(made) == NAMES, "run: python -m tools.vectors tests/vectors"


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_are_what_python_computes(name: str, made: dict[str, Any]) -> None:
    """Else: python -m tools.vectors tests/vectors, and make the apps agree."""
    assert_same(made[name], json.loads((FOLDER / f"{name}.json").read_text()), name)


def test_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000


def test_results_fit_the_schema_and_the_verdict_is_ours(made: dict[str, Any]) -> None:
    for case in made["result"]["results"]:
        (result,) = parse_results(json.dumps(case["result"]), "vector")
        assert result.to_json() == case["result"]
