"""The frontier, and what the machine can do: which file nothing beats, which operator stays out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tiny_tflite import write_mixed_model
from toy_artifacts import artifact, tflite_artifact, write_portrait_model

from edgemat.artifacts.artifact import Artifact, Feeding, Pruning
from edgemat.bench.frontier import (
    DATA,
    PLOT,
    TABLE,
    find_frontier,
    pareto,
    read_frontier,
    write_frontier,
)
from edgemat.bench.roofline import Roof
from edgemat.cli.plots import save_frontier
from edgemat.cli.tables import show_frontier, show_roofline
from edgemat.errors import UsageError
from edgemat.matting.runtime import TfliteModel
from edgemat.report.write import write_bench_report
from edgemat.scoring.evaluate import EvaluationSet
from edgemat.scoring.validation import default_data, evaluation_set

Points = list[tuple[float, float]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_what_is_marked_is_beaten_by_nothing_and_beats_the_rest(points: Points) -> None:
    marks = pareto(points)
    best = [point for point, marked in zip(points, marks, strict=True) if marked]
    assert min(points, key=lambda p: (p[1], p[0])) in best, "the most right is always among them"
    assert min(points) in best, "and the cheapest"
    for (cost, error), marked in zip(points, marks, strict=True):
        beaten = any(c <= cost and e <= error and (c, e) != (cost, error) for c, e in points)
        assert marked != beaten


@pytest.fixture(scope="module")
def pictures() -> EvaluationSet:
    data = default_data("portrait", "procedural")
    return evaluation_set(data, task="portrait", size=(64, 64), count=2, seed=1)


@pytest.fixture
def files(tmp_path: Path) -> list[Artifact]:
    pruned = Pruning(importance="taylor", macs_before=1.0, parameters_before=9)
    feeding = Feeding(layout="NHWC", height=64, width=64, channels=3, stride=16)
    return [
        tflite_artifact(tmp_path, name="hair-tflite-fp32", target="tflite-fp32"),
        artifact(
            tmp_path,
            lambda folder: write_portrait_model(folder / "model.tflite", side=64),
            name="hair-pruned-tflite-int8",
            kind="tflite",
            target="tflite-int8",
            feeding=feeding,
            payload="model.tflite",
            pruning=pruned,
        ),
    ]


def test_files_of_any_size_are_scored_on_the_same_pictures(
    files: list[Artifact], pictures: EvaluationSet, tmp_path: Path
) -> None:
    found = find_frontier(files, pictures, seconds=0.01)
    assert {c.kind for c in found} == {"float32", "int8, pruned"}
    assert {c.size for c in found} == {(32, 32), (64, 64)}
    assert all(c.sad > 0 and c.p50_ms > 0 for c in found)
    assert [c.p50_ms for c in found] == sorted(c.p50_ms for c in found)
    assert any(c.best_for_latency for c in found) and any(c.best_for_size for c in found)
    write_frontier(found, tmp_path / "frontier")
    save_frontier(found, tmp_path / "frontier" / PLOT)
    rows = json.loads((tmp_path / "frontier" / DATA).read_text())
    assert [row["name"] for row in rows] == [c.name for c in found]
    table = (tmp_path / "frontier" / TABLE).read_text()
    assert all(c.name in table for c in found)
    assert (tmp_path / "frontier" / PLOT).read_text().startswith("<?xml")
    console = Console(width=200)
    with console.capture() as capture:
        show_frontier(console, found)
    assert "int8, pruned" in capture.get()
    page = tmp_path / "page.html"
    write_bench_report(
        [], page, created="2026-01-01T00:00:00", frontier=read_frontier(tmp_path / "frontier")
    )
    html = page.read_text()
    assert all(c.name in html for c in found) and "data:image/svg+xml" in html
    assert 'id="latency"' not in html, "no result was given"
    with pytest.raises(UsageError, match="holds no frontier"):
        read_frontier(tmp_path)


def test_what_cannot_be_compared_is_refused(
    files: list[Artifact], pictures: EvaluationSet, tmp_path: Path
) -> None:
    other = tflite_artifact(tmp_path, name="trimap-tflite-int8", task="trimap")
    with pytest.raises(UsageError, match="different questions"):
        find_frontier([*files, other], pictures)
    package = tflite_artifact(tmp_path, name="hair-coreml", kind="coreml", target="coreml-fp16")
    with pytest.raises(UsageError, match=r"coreml, not a \.tflite"):
        find_frontier([package], pictures)


def test_operators_outside_of_the_delegate_are_named(tmp_path: Path) -> None:
    model = TfliteModel(write_mixed_model(tmp_path / "mixed.tflite"))
    assert model.operators() == ["ABS", "CUMSUM", "LOGISTIC", "ADD", "RELU"]
    assert model.operators_outside() == ["CUMSUM"]


def test_the_roofline_says_what_is_reached_and_what_stays_out() -> None:
    row = Roof("net", "tflite-int8", 10.0, 2.0, 200.0, 250.0, 2, {"SOFTMAX": 1}, 0, "invalid")
    assert row.to_json()["share_of_peak"] == pytest.approx(0.8)
    console = Console(width=200)
    with console.capture() as capture:
        show_roofline(console, [row])
    for text in ("net int8", "10.00 (!)", "80%", "1 SOFTMAX", "not quiet"):
        assert text in capture.get()
