"""An old runtime: which files it takes, what it computes, and why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_tflite import write_matte_model
from toy_environments import needs, pretend
from toy_networks import evaluation

from edgemat.artifacts.shipped import open_artifact
from edgemat.convert.flatbuffer import read_model, write_model
from edgemat.convert.old_runtime import OldRun, check_old_runtime
from edgemat.errors import MissingToolError


def test_an_old_runtime_that_is_missing(nothing_installed: Path, tmp_path: Path) -> None:
    file = write_matte_model(tmp_path / "model.tflite")
    with pytest.raises(MissingToolError, match="make old-runtime"):
        check_old_runtime(file, evaluation(4, 16))


def test_an_old_runtime_that_crashes(nothing_installed: Path, tmp_path: Path) -> None:
    pretend(nothing_installed, "old-runtime", "kill -SEGV $$")
    run = check_old_runtime(write_matte_model(tmp_path / "model.tflite"), evaluation(4, 16))
    assert run == OldRun("killed by SIGSEGV") and not run.agrees


@needs("old-runtime")
def test_an_old_runtime_computes_the_same_or_names_the_operator(tmp_path: Path) -> None:
    path = write_matte_model(tmp_path / "model.tflite")
    run = check_old_runtime(path, evaluation(4, 16))
    assert run.agrees and run.distances["default"].max_abs < 1e-5
    model = read_model(path)
    model.operatorCodes[1].version = 99
    write_model(model, path)
    refused = check_old_runtime(path, evaluation(4, 16)).refused
    assert refused is not None and "'LOGISTIC' version '99'" in refused


@needs("old-runtime")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["portrait", "live", "portrait-clean", "trimap"])
def test_shipped_files_run_on_old_phones(name: str) -> None:
    """Reference kernels of 2023 and of today agree to the last bit on them."""
    file = open_artifact(name, target="tflite-int8")
    feeding = file.manifest.feeding
    run = check_old_runtime(file.payload, evaluation(feeding.channels, feeding.height, count=1))
    assert run.refused is None
    assert run.distances["reference"].max_abs == 0
