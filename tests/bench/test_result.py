"""The record that every device answers with: its schema, its verdict, what comes from outside."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from toy_results import STEADY, XNNPACK, toy_circumstances, toy_result

from edgemat.bench.protocol import Protocol
from edgemat.bench.result import (
    GOLDEN_LIMIT,
    SUSTAINED_POINTS,
    Condition,
    GoldenCheck,
    judge_result,
    parse_results,
    read_results,
    sustained_curve,
)
from edgemat.bench.schema import schema_text
from edgemat.bench.stats import summarise
from edgemat.convert.backends import find_target
from edgemat.errors import ArtifactError

ROOT = Path(__file__).parents[2]


def test_the_published_schema_is_the_record() -> None:
    published = (ROOT / "docs" / "result-schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), (
        "run: python -m edgemat.bench.schema > docs/result-schema.json"
    )


def test_json_comes_back_as_it_went(tmp_path: Path) -> None:
    first, second = toy_result(), toy_result(name="trimap", threads=2)
    path = tmp_path / "results.json"
    path.write_text(json.dumps([first.to_json(), second.to_json()], allow_nan=False))
    assert read_results(path) == [first, second]
    assert parse_results(json.dumps(first.to_json()), "x") == [first]


def test_statistics_and_verdict_from_outside_are_worked_out_again() -> None:
    claimed = toy_result().to_json() | {"verdict": "valid"}
    claimed["latency"] = claimed["latency"] | {"p50_ms": 0.1}
    claimed["samples_ms"] = [10.0] * 10 + [20.0] * 10
    (found,) = parse_results(json.dumps(claimed), "x")
    assert found.latency.p50_ms == 15.0
    assert found.verdict == "invalid" and "drift +100.0%" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[" * 100_000,
        "{}",
        "[1]",
        b"\xff\xfe",
        json.dumps(toy_result().to_json() | {"more": 1}),
        json.dumps(toy_result().to_json() | {"samples_ms": []}),
        json.dumps(toy_result().to_json() | {"samples_ms": [1.0, -1.0]}),
        json.dumps(toy_result().to_json() | {"init_ms": math.nan}),
        json.dumps(toy_result().to_json() | {"model_sha256": "../../etc"}),
        json.dumps(toy_result().to_json() | {"schema_version": 3}),
        json.dumps(toy_result().to_json() | {"protocol": {"blocks": 3}}),
    ],
)
def test_what_is_no_result_is_refused_in_one_sentence(text: str | bytes) -> None:
    with pytest.raises(ArtifactError, match=r"x is no benchmark result: .+") as caught:
        parse_results(text, "x")
    assert "\n" not in caught.value.message and len(caught.value.message) < 300


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_results(tmp_path / "none.json")
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ArtifactError, match="100 MB"):
        read_results(large)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"before": Condition(thermal_status="moderate")}, "hot at the start"),
        ({"before": Condition(thermal_headroom=1.1)}, "headroom 1.10"),
        ({"after": Condition(thermal_status="severe")}, "throttled at the end"),
        ({"before": Condition(low_power_mode=True)}, "low-power mode"),
    ],
)
def test_a_device_in_trouble_has_no_valid_latency(fields: Any, reason: str) -> None:
    latency = summarise(STEADY)
    verdict, said = judge_result(latency, Protocol(), XNNPACK, toy_circumstances(**fields), None)
    assert verdict == "invalid" and reason in said


def test_a_fallback_and_a_wrong_matte_are_invalid() -> None:
    latency = summarise(STEADY)
    fallen = XNNPACK.model_copy(update={"asked": "gpu"})
    wrong = GoldenCheck(reference="artefact", max_abs=0.9, mean_abs=0.1, limit=0.005)
    verdict, reason = judge_result(latency, Protocol(), fallen, toy_circumstances(), wrong)
    assert verdict == "invalid"
    assert reason.startswith("gpu was asked for and xnnpack was used; the matte is wrong")
    light = toy_circumstances(before=Condition(thermal_status="light", thermal_headroom=0.7))
    assert judge_result(latency, Protocol(), XNNPACK, light, None) == ("valid", "")


def test_sustained_curve_shows_the_device_slowing() -> None:
    curve = sustained_curve([10.0] * 3000 + [20.0] * 1500)
    assert len(curve.at_s) == len(curve.p50_ms) == SUSTAINED_POINTS
    assert curve.seconds == pytest.approx(60.0) and curve.runs == 4500
    assert (curve.p50_ms[0], curve.p50_ms[-1], curve.change) == (10.0, 20.0, 1.0)
    assert len(sustained_curve([5.0]).p50_ms) == 1


def test_a_device_may_be_as_far_off_as_verify_allows() -> None:
    assert find_target("tflite-int8").parity["mean_abs"] == f"<={GOLDEN_LIMIT}"
