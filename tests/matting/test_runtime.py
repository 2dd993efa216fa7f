"""Running .tflite files: values, kernels, integer input and output, delegate, damaged files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from tiny_tflite import (
    write_integer_model,
    write_matte_model,
    write_mixed_model,
    write_two_headed_model,
)

from edgemat.errors import ArtifactError, MissingToolError, UsageError
from edgemat.matting.runtime import Kernels, TfliteModel, runtime_version


@pytest.fixture
def matte_model(tmp_path: Path) -> Path:
    return write_matte_model(tmp_path / "matte.tflite")


@pytest.mark.parametrize("kernels", ["xnnpack", "builtin", "reference"])
@pytest.mark.parametrize("threads", [1, 2])
def test_all_kernels_compute_the_network(matte_model: Path, kernels: Kernels, threads: int) -> None:
    model = TfliteModel(matte_model, kernels=kernels, threads=threads)
    assert model.input_shape == (1, 16, 16, 4)
    assert model.output_shape == (1, 16, 16, 1)
    x = np.random.default_rng(0).normal(size=model.input_shape).astype(np.float32)
    expected = 1 / (1 + np.exp(-(x @ np.array([1, -1, 0.5, 2], np.float32))))
    y = model.run(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[..., 0], expected, atol=2e-6)


def test_invoke_repeats_the_input_that_is_set(matte_model: Path) -> None:
    model = TfliteModel(matte_model)
    first = model.run(np.ones(model.input_shape, np.float32))
    model.invoke()
    again = model.read(model._output.index)
    np.testing.assert_array_equal(again, first)


def test_integer_input_and_output_use_the_file_s_scale(tmp_path: Path) -> None:
    model = TfliteModel(write_integer_model(tmp_path / "int8.tflite"))
    # Steps of 0.5: 0.25 and -0.25 lie halfway and go away from zero; 100 saturates at 127+3 steps.
    x = np.array([0.25, -0.25, 1.1, 100.0], np.float32).reshape(1, 2, 2, 1)
    assert model.run(x).ravel().tolist() == [0.5, -0.5, 1.0, 65.0]


def test_delegate_coverage_counts_what_xnnpack_took(tmp_path: Path, matte_model: Path) -> None:
    mixed = write_mixed_model(tmp_path / "mixed.tflite")
    coverage = TfliteModel(mixed).delegate_coverage()
    assert (coverage.delegated, coverage.total, coverage.partitions) == (4, 5, 2)
    assert coverage.share == 0.8
    whole = TfliteModel(matte_model).delegate_coverage()
    assert (whole.delegated, whole.total, whole.partitions) == (2, 2, 1)
    none = TfliteModel(mixed, kernels="builtin").delegate_coverage()
    assert (none.delegated, none.total, none.partitions) == (0, 5, 0)


@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
def test_kept_tensors_can_be_read(tmp_path: Path, kernels: Kernels) -> None:
    mixed = write_mixed_model(tmp_path / "mixed.tflite")
    model = TfliteModel(mixed, kernels=kernels, keep_tensors=True)
    x = -np.ones(model.input_shape, np.float32)
    model.run(x)
    by_name = {t.name: t for t in model.tensors()}
    np.testing.assert_array_equal(model.read(by_name["t1"].index), np.abs(x))
    np.testing.assert_array_equal(
        model.read(by_name["t2"].index), np.cumsum(np.abs(x), axis=1, dtype=np.float32)
    )


def test_tensor_info_carries_the_quantization(tmp_path: Path) -> None:
    model = TfliteModel(write_integer_model(tmp_path / "int8.tflite"), kernels="reference")
    info = model.tensors()[0]
    assert (info.dtype, info.scales, info.zero_points) == (np.int8, (0.5,), (-3,))


def test_wrong_input_is_named(matte_model: Path) -> None:
    model = TfliteModel(matte_model)
    with pytest.raises(UsageError, match=r"takes float32 \(1, 16, 16, 4\), not float32 \(1, 8"):
        model.run(np.zeros((1, 8, 8, 4), np.float32))
    with pytest.raises(UsageError, match="not float64"):
        model.run(np.zeros(model.input_shape))  # type: ignore[arg-type]
    x = np.zeros(model.input_shape, np.float32)
    x[0, 3, 3, 0] = np.nan
    with pytest.raises(UsageError, match="NaN"):
        model.run(x)


def test_impossible_settings_are_named(matte_model: Path) -> None:
    with pytest.raises(UsageError, match="0 threads"):
        TfliteModel(matte_model, threads=0)
    with pytest.raises(UsageError, match="no 'gpu' kernels"):
        TfliteModel(matte_model, kernels="gpu")  # type: ignore[arg-type]


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_an_error_and_not_a_crash(matte_model: Path, keep: float) -> None:
    content = matte_model.read_bytes()
    matte_model.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ArtifactError, match="convert it again"):
        TfliteModel(matte_model)


def test_missing_foreign_and_two_headed_files(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="There is no file"):
        TfliteModel(tmp_path / "none.tflite")
    with pytest.raises(ArtifactError, match="There is no file"):
        TfliteModel(tmp_path)
    picture = tmp_path / "picture.tflite"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with pytest.raises(ArtifactError, match="convert it again"):
        TfliteModel(picture)
    with pytest.raises(ArtifactError, match="has 2 outputs"):
        TfliteModel(write_two_headed_model(tmp_path / "two.tflite"))


def test_a_missing_runtime_names_its_package(
    matte_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingToolError, match="pip install ai-edge-litert"):
        TfliteModel(matte_model)


def test_runtime_version_is_said() -> None:
    assert runtime_version().startswith("ai-edge-litert ")


FORKED = """
import gc, os, sys
from edgemat.artifacts.shipped import find_artifact
from edgemat.matting.predict import load_predictor

def leave_garbage():
    cycle = [load_predictor(find_artifact("portrait", target="tflite-int8"), threads=4)]
    cycle.append(cycle)

gc.disable()
for _ in range(3):
    leave_garbage()
child = os.fork()
if not child:
    gc.collect()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_does_not_end_its_parents_interpreters() -> None:
    """Their threads are not there: it was a segmentation fault of whatever prepared data."""
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
