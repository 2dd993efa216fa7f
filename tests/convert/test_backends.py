"""The table of runtimes: a further one is a file and an entry, and all else follows.

The runtime of these tests stores an exported torch program in an .npz, and runs it with torch.
"""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy_artifacts import artifact
from toy_networks import calibration, evaluation, toy_deploy

from edgemat.artifacts.artifact import (
    GOLDEN,
    QUANT,
    Artifact,
    Feeding,
    Manifest,
)
from edgemat.artifacts.vocabulary import InputLayout
from edgemat.convert import backends
from edgemat.convert.backend import Backend, FloatCost, GridTensor, Int8Operators, Target
from edgemat.convert.backends import (
    all_targets,
    default_targets,
    find_backend,
    find_target,
    targets_in,
)
from edgemat.errors import EdgematWarning, UsageError
from edgemat.images import F32
from edgemat.matting.predictor import Predict
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.quantize.frozen import freeze
from edgemat.quantize.ptq import Quantized, quantize_ptq
from edgemat.quantize.spec import StoredGrid
from edgemat.recipe.load import read_recipe
from edgemat.recipe.schema import Recipe
from edgemat.report.collect import unchecked
from edgemat.report.data import FileReport, ModelRun
from edgemat.scoring.metrics import UNKNOWN
from edgemat.workflow.stages import converting
from edgemat.workflow.stages.converting import convert_stage
from edgemat.workflow.stages.judging import judge_files

ROOT = Path(__file__).parents[2]


class Numpy:
    """A runtime as a file of its own would bring it: nothing else knows of it."""

    runtime = "numpy"
    tools = ("numpy", "scipy")
    payload = "model.npz"
    layout: InputLayout = "NHWC"
    caveat = "No phone runs .npz files."
    optional = False
    pictures = 16
    targets = (
        Target("numpy-fp32", "numpy", "fp32", {"psnr_db": ">=90"}),
        Target("numpy-int8", "numpy", "int8", {"max_abs": "<=1e-6", "int8_share": "==1"}),
    )

    def convert(
        self,
        model: nn.Module,
        path: Path,
        *,
        target: Target,
        source: Manifest,
        card: Mapping[str, Any],
    ) -> None:
        feeding = source.feeding
        x = torch.zeros(1, feeding.channels, feeding.height, feeding.width)
        program = io.BytesIO()
        torch.export.save(torch.export.export(model, (x,)), program)
        np.savez(
            path,
            program=np.frombuffer(program.getvalue(), np.uint8),
            card=json.dumps(card),
        )

    def predictors(self, path: Path) -> dict[str, Predict]:
        with np.load(path) as file:
            program = torch.export.load(io.BytesIO(file["program"].tobytes()))
        return {"torch": torch_predictor(program.module())}

    def arithmetic(self) -> AbstractContextManager[None]:
        return nullcontext()

    def count_int8(self, path: Path) -> Int8Operators:
        return Int8Operators(4, 4, ("resize",))

    def weights(self, path: Path) -> list[GridTensor]:
        return _Watch(path, np.zeros((1, 32, 32, 3), np.float32)).weights

    def float_costs(self, path: Path) -> tuple[FloatCost, ...]:
        return ()

    def hazards(self, path: Path) -> tuple[str, ...]:
        return ("1 operation is as in nobody/issues#1, where phones round up.",)

    def layers(self, path: Path, x: F32) -> dict[str, list[GridTensor]]:
        return {"torch": _Watch(path, x).activations}


class _Watch(torch.fx.Interpreter):
    """Runs a stored program and keeps what its quantizers give."""

    def __init__(self, path: Path, x: F32) -> None:
        with np.load(path) as file:
            program = torch.export.load(io.BytesIO(file["program"].tobytes()))
        super().__init__(program.module())
        self.activations: list[GridTensor] = []
        self.weights: list[GridTensor] = []
        with torch.no_grad():
            self.run(torch.from_numpy(x).permute(0, 3, 1, 2))

    def run_node(self, n: torch.fx.Node) -> Any:
        result = super().run_node(n)
        if str(n.target).startswith("aten.fake_quantize_per"):
            (_, scale, zero, *rest), _ = self.fetch_args_kwargs_from_env(n)
            low = rest[-2]
            scales, zeros = np.ravel(np.asarray(scale)), np.ravel(np.asarray(zero))
            zeros = zeros - (128 if low == 0 else 0)
            steps = result.numpy() / scales.reshape(-1, 1, 1, 1)
            values = np.rint(steps).astype(np.int32) + zeros.reshape(-1, 1, 1, 1)
            stored = StoredGrid(tuple(map(float, scales)), tuple(map(int, zeros)))
            kept = self.weights if isinstance(scale, torch.Tensor) else self.activations
            kept.append(GridTensor(n.name, stored, values.transpose(0, 2, 3, 1)))
        return result


@pytest.fixture
def numpy_backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    backend = Numpy()
    monkeypatch.setattr(backends, "BACKENDS", (*backends.BACKENDS, backend))
    return backend


@pytest.fixture(scope="module")
def quantized() -> Quantized:
    return quantize_ptq(toy_deploy(), calibration(3, 32))


def source_of(target: Target, quantized: Quantized, shelf: Path) -> Artifact:
    """Write the artefact that the target is made from."""

    def fill(folder: Path) -> None:
        torch.save({}, folder / "weights.safetensors")
        blank = np.zeros((1, 32, 32), np.float32)
        pixels = np.full((1, 32, 32, 3), 128, np.uint8)
        np.savez(folder / GOLDEN, pixels=pixels, alphas=blank, truths=blank)
        if target.quantized:
            quantized.spec.save(folder / QUANT)

    return artifact(
        shelf,
        fill,
        kind=target.source,
        payload="weights.safetensors",
        feeding=Feeding(layout="NCHW", height=32, width=32, channels=3, stride=2),
        scores={"unknown": {"sad": 1.0, "mse": 1.0, "grad": 1.0, "conn": 1.0}},
    )


def recipe(folder: Path, **changes: str) -> Recipe:
    path = folder / "tiny.toml"
    keys = {"parity": "{}", "targets": '["numpy-fp32", "numpy-int8"]'} | changes
    lines = [f"{key} = {value}" for key, value in keys.items()]
    model = 'name = "hair"\narchitecture = "pspm-b5"\ninput_size = [32, 32]\ntrain = { steps = 2 }'
    path.write_text("\n".join(['name = "tiny"', "[[models]]", model, *lines, ""]))
    return read_recipe(path)


@pytest.mark.parametrize("name", ["numpy-fp32", "numpy-int8"])
def test_a_new_target_goes_all_the_way(
    name: str,
    numpy_backend: Backend,
    quantized: Quantized,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Converted, run, proven, written, opened, judged and named like those that were before."""
    target = find_target(name)
    model = freeze(quantized.deploy, quantized.spec) if target.quantized else toy_deploy()
    loaded: list[Artifact] = []

    def load_reference(source: Artifact) -> nn.Module:
        loaded.append(source)
        return model

    monkeypatch.setattr(converting, "load_reference", load_reference)
    source = source_of(target, quantized, tmp_path / "shelf")
    drawn = evaluation(3, 32)
    validation = replace(drawn, trimaps=np.full_like(drawn.trimaps, UNKNOWN))

    with pytest.warns(EdgematWarning, match=f"hair-{name}: 1 operation is as in nobody/issues#1"):
        made, verified = convert_stage(source, name, validation, out=tmp_path / "shelf")

    assert len(loaded) == 1, "the file is compared with the very model it was made from"
    manifest = Artifact(made.path).manifest
    assert (manifest.kind, manifest.target, manifest.payload) == ("numpy", name, "model.npz")
    assert manifest.is_mobile and manifest.feeding.layout == "NHWC"
    assert manifest.tools.keys() >= {"torch", *numpy_backend.tools}
    assert [a.runtime for a in manifest.agreements] == ["torch"]
    assert manifest.agreements[0].max_abs < 1e-6
    assert manifest.agreements[0].reference == target.reference
    assert unchecked([manifest]) == (
        f"hair-{name}: 1 operation is as in nobody/issues#1, where phones round up.",
    )
    assert len(verified.layers) == target.quantized
    assert FileReport(manifest).label == name
    with np.load(made.payload) as file:
        assert json.loads(str(file["card"]))["target"] == name
    if target.quantized:
        proof = manifest.int8_proof
        assert proof is not None
        assert proof.scales_exact == proof.scales == len(quantized.spec.tensors)
        assert made.quant.read_bytes() == source.quant.read_bytes()

    wanted = recipe(tmp_path, parity='{ numpy-fp32 = { mean_abs = "<=1e-6" } }')
    rows = judge_files(ModelRun(wanted.models[0], source, files=[made]), wanted)
    judged = {row.verdict.name for row in rows if "unknown" not in row.scope}
    bounds = {"max_abs", "int8_share"} if target.quantized else {"psnr_db", "mean_abs"}
    assert judged == bounds
    assert all(row.verdict.passed for row in rows if row.verdict.name in bounds)
    assert all(row.file == name for row in rows)


def test_recipes_and_exports_follow_the_table(numpy_backend: Backend, tmp_path: Path) -> None:
    assert {"numpy-fp32", "numpy-int8", "tflite-int8"} <= set(all_targets())
    assert recipe(tmp_path, targets=str(list(all_targets()))).models[0].targets[-1] == "numpy-int8"
    required = [backend for backend in backends.BACKENDS if not backend.optional]
    names = [target.name for target in targets_in("int8")]
    assert names == [t.name for b in required for t in b.targets if t.precision == "int8"]
    assert {"tflite-int8", "coreml-w8a8", "numpy-int8"} <= set(names)
    with pytest.raises(UsageError, match="int8_share"):
        recipe(tmp_path, parity='{ numpy-fp32 = { int8_share = "==1" } }')
    default = (tmp_path / "tiny.toml").read_text().replace('targets = ["numpy-fp32"', "# ")
    (tmp_path / "tiny.toml").write_text(default.replace("parity", "# "))
    assert read_recipe(tmp_path / "tiny.toml").models[0].targets == default_targets()


def test_without_its_entry_there_is_no_such_target(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="numpy-fp32"):
        recipe(tmp_path)
    for find in (find_target, find_backend):
        with pytest.raises(UsageError, match="numpy"):
            find("numpy")


def test_no_two_runtimes_are_confused() -> None:
    """By kind, by file, or by a target's name."""
    payloads = [Path(backend.payload) for backend in backends.BACKENDS]
    for what in (
        [backend.runtime for backend in backends.BACKENDS],
        [path.suffix for path in payloads],
        [target.name for backend in backends.BACKENDS for target in backend.targets],
    ):
        assert len(set(what)) == len(what)
    for backend in backends.BACKENDS:
        assert all(target.runtime == backend.runtime for target in backend.targets)
        assert all(target.name.startswith(f"{backend.runtime}-") for target in backend.targets)


def test_no_other_file_lists_the_runtimes() -> None:
    """A second list would be a second line for the next runtime."""
    runtimes = {backend.runtime for backend in backends.BACKENDS}
    lists = []
    for room in ("edgemat", "quantize", "convert", "bench"):
        for path in sorted((ROOT / room).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text()))
            texts = {n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is str}
            named = {text.split("-")[0] for text in texts if text in runtimes | set(all_targets())}
            if len(named) > 1:
                lists.append(path.relative_to(ROOT).as_posix())
    assert not lists
