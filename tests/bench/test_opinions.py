"""Second opinions: what the tables say, and what happens without the other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("litert_torch")

from rich.console import Console
from toy_artifacts import portrait_shelf, write_portrait_model

from edgemat.artifacts.artifact import Agreement
from edgemat.bench.opinions import Opinion
from edgemat.cli import app
from edgemat.cli.tables import show_agreements, show_old_runs, show_opinions
from edgemat.convert.old_runtime import OldRun
from edgemat.convert.parity import Distance
from edgemat.terminal import run_app

SAME = OldRun(distances={"default": Distance(0.125, 0.0625), "reference": Distance(0, 0)})


def opinion(name: str, *, agrees: bool | None, old: OldRun | None) -> Opinion:
    agreement = Agreement(
        reference="float", runtime="", max_abs=0.5, mean_abs=0.25, psnr_db=12.0, images=3
    )
    return Opinion(
        name=name,
        precision="int8" if agrees is None else "fp32",
        p50_ms=3.0,
        litert_benchmark_ms=3.25 if agrees else None,
        quiet=True,
        megabytes=1.5,
        sad=1.25,
        grad=None,
        partitions=1,
        float_operators={"ABS": 2} if agrees is None else {},
        agreement=agreement,
        from_ours=None if agrees is None else Distance(0.5, 0.25),
        agrees=agrees,
        old=old,
    )


def test_tables_say_what_is_wrong_and_what_does_not_run() -> None:
    found = [
        opinion("right", agrees=True, old=SAME),
        opinion("other", agrees=False, old=None),
        opinion("small", agrees=None, old=OldRun("ValueError: no op [DIV]")),
    ]
    assert [o.passed for o in found] == [True, False, False]
    assert json.loads(json.dumps(found[0].to_json()))["old"]["distances"]["default"]["max_abs"]
    console = Console(width=200)
    with console.capture() as capture:
        for show in (show_opinions, show_agreements, show_old_runs):
            show(console, found)
    for text in ("2 ABS", "3.25", "agrees", "wrong", "no: ValueError: no op [DIV]", "0.12, 0.062"):
        assert text in capture.get()


QUICK = ("--images", "2", "--calibration", "2", "--seconds", "0.1", "--data", "procedural")


@pytest.fixture
def quick_tools(nothing_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipped model, and converters in whose files alpha is red, so that none agrees."""
    monkeypatch.setattr("edgemat.artifacts.shipped.SHELF", portrait_shelf(tmp_path))
    monkeypatch.setattr(
        "edgemat.convert.tflite.convert_tflite", lambda model, path, **_: write_portrait_model(path)
    )
    monkeypatch.setattr(
        "edgemat.convert.ai_edge.quantize_with_ai_edge",
        lambda _, __, path: write_portrait_model(path),
    )


@pytest.mark.usefixtures("quick_tools")
def test_a_missing_tool_does_not_keep_the_others_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    assert run_app(app, ["opinions", "portrait", *QUICK, "--json", "--output", str(kept)]) == 3
    said = capsys.readouterr()
    assert "make onnx2tf" in said.err and "make old-runtime" in said.err
    rows = json.loads(said.out)
    assert [row["precision"] for row in rows] == ["fp32", "fp16", "int8", "int8"]
    assert all(row["old"] is None for row in rows)
    assert all(row["litert_benchmark_ms"] is not None for row in rows)
    assert sorted(path.name for path in kept.iterdir()) == [
        "portrait-ai-edge-quantizer-int8.tflite",
        "portrait-litert-torch-fp16.tflite",
        "portrait-litert-torch-fp32.tflite",
    ]


@pytest.mark.usefixtures("quick_tools")
def test_a_wrong_file_is_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgemat.convert.onnx2tf.convert_onnx2tf", lambda *_, **__: [])
    monkeypatch.setattr("edgemat.convert.old_runtime.check_old_runtime", lambda *_: SAME)
    assert run_app(app, ["opinions", "portrait", *QUICK, "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [row["agrees"] for row in rows] == [False, False, None, None]
    assert [row["passed"] for row in rows] == [False, False, True, True]


def test_a_name_that_is_no_network_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_app(app, ["opinions", "portrat"]) == 2
    assert "portrait" in capsys.readouterr().err
