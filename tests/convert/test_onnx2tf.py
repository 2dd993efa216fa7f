"""onnx2tf's files: compared with torch before they get their name, whatever its exit status."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("litert_torch")

from tiny_tflite import write_matte_model
from toy_environments import needs, pretend
from toy_networks import evaluation, network_deploy, toy_deploy

from edgemat.convert import onnx2tf
from edgemat.convert.onnx2tf import convert_onnx2tf, export_onnx, place
from edgemat.errors import ConversionError, MissingToolError
from edgemat.matting.runtime import TfliteModel
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.deploy import DeployForm
from edgemat.scoring.evaluate import predict_all


def test_a_file_that_computes_another_matte_is_named_wrong(tmp_path: Path) -> None:
    data = evaluation(4, 16)
    references = predict_all(TfliteModel(write_matte_model(tmp_path / "right.tflite")).run, data)
    made, path = tmp_path / "made.tflite", tmp_path / "net-fp32.tflite"
    # red and green exchanged: the file is a good .tflite of the right shape
    write_matte_model(made, weight=np.array([-1, 1, 0.5, 2], np.float32))
    wrong = place(made, path, "fp32", data, references)
    assert not wrong.agrees and wrong.agreement.psnr_db < 40
    assert wrong.path.name == "net-fp32.wrong.tflite" and wrong.path.is_file()
    assert not path.exists() and not made.exists()
    right = place(write_matte_model(made), path, "fp32", data, references)
    assert right.agrees and right.path == path and path.is_file()
    assert not wrong.path.exists()


@pytest.mark.parametrize("content", [None, b"no flatbuffer", "other size", "NaN"])
def test_a_file_that_does_not_run_gets_no_name(content: bytes | str | None, tmp_path: Path) -> None:
    data = evaluation(4, 16)
    made, path = tmp_path / "made.tflite", tmp_path / "net-fp32.tflite"
    if content == "other size":
        write_matte_model(made, size=8)
    elif content == "NaN":
        write_matte_model(made, weight=np.full(4, np.nan, np.float32))
    elif isinstance(content, bytes):
        made.write_bytes(content)
    with pytest.raises(ConversionError):
        place(made, path, "fp32", data, np.zeros((4, 16, 16), np.float32))
    assert not path.exists()


def skip_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx2tf, "export_onnx", lambda model, path, shape: path.touch())


def test_what_onnx2tf_writes_is_compared_though_it_succeeds(
    nothing_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_export(monkeypatch)
    data, out = evaluation(4, 16), tmp_path / "out"
    out.mkdir()
    right = write_matte_model(tmp_path / "right.tflite")
    wrong = write_matte_model(tmp_path / "wrong.tflite", weight=np.ones(4, np.float32))
    script = f"cp {right} model_float32.tflite; cp {wrong} model_float16.tflite"
    pretend(nothing_installed, "onnx2tf", script)
    references = predict_all(TfliteModel(right).run, data)
    made = convert_onnx2tf(toy_deploy(), out, "net", pictures=data, references=references)
    assert [(c.precision, c.agrees) for c in made] == [("fp32", True), ("fp16", False)]
    assert sorted(p.name for p in out.iterdir()) == ["net-fp16.wrong.tflite", "net-fp32.tflite"]


def test_a_failure_of_onnx2tf_leaves_nothing_behind(
    nothing_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_export(monkeypatch)
    out = tmp_path / "out"
    out.mkdir()
    pretend(nothing_installed, "onnx2tf", "echo 'ValueError: cannot reshape' >&2; exit 1")
    none = np.zeros((4, 16, 16), np.float32)
    with pytest.raises(ConversionError, match="cannot convert net: ValueError: cannot reshape"):
        convert_onnx2tf(toy_deploy(), out, "net", pictures=evaluation(3, 16), references=none)
    assert not list(out.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_exporting_needs_onnx(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec("json")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else found
    )
    with pytest.raises(MissingToolError, match=f"needs {package}, .* make onnx2tf"):
        export_onnx(toy_deploy(), tmp_path / "model.onnx", shape=(3, 32, 32))


@needs("onnx2tf")
@pytest.mark.skipif(
    importlib.util.find_spec("onnxscript") is None, reason="it needs onnxscript: make onnx2tf"
)
@pytest.mark.slow
@pytest.mark.parametrize("name", ["toy", "pspm-slim"])
def test_onnx2tf_agrees_with_torch(name: str, tmp_path: Path) -> None:
    deploy: DeployForm = toy_deploy() if name == "toy" else network_deploy(name, width=0.25)
    data = evaluation(3, 64)
    references = predict_all(torch_predictor(deploy), data)
    made = convert_onnx2tf(deploy, tmp_path, name, pictures=data, references=references)
    assert [c.path.name for c in made] == [f"{name}-fp32.tflite", f"{name}-fp16.tflite"]
    assert made[0].agreement.max_abs < 1e-3
