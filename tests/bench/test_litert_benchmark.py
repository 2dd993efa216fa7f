"""LiteRT's own benchmark, as it comes with ai-edge-litert."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ml_dtypes", reason="litert-benchmark needs it")

from edgemat.artifacts.shipped import open_artifact
from edgemat.bench import litert_benchmark
from edgemat.bench.litert_benchmark import median_ms
from edgemat.errors import MissingToolError


def test_a_file_is_measured() -> None:
    path = open_artifact("portrait", target="tflite-int8").payload
    assert median_ms(path, threads=1, seconds=0.05, expected_ms=50) > 1


def test_what_it_cannot_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=r"did not measure none\.tflite: .*not found"):
        median_ms(tmp_path / "none.tflite", threads=1, seconds=0.1, expected_ms=1)


def test_a_file_that_is_no_model_is_said_in_the_tool_s_words(tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(MissingToolError, match=r"bad\.tflite: .*Error") as raised:
        median_ms(path, threads=1, seconds=0.1, expected_ms=1)
    assert "INFO" not in raised.value.message and "pip install" not in raised.value.remedy


def test_one_that_writes_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litert_benchmark, "MODULE", "this")  # Python's poem: it ends well
    with pytest.raises(MissingToolError, match="wrote no latency"):
        median_ms(tmp_path / "a.tflite", threads=1, seconds=0.1, expected_ms=1)
