"""TFLite files: the same matte, NNCF's own grids, int8 throughout, the same bytes every time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("litert_torch")

from shared_networks import quantized_network, quantized_toy, tflite_file
from tiny_tflite import TinyGraph
from toy_networks import calibration, evaluation, toy_deploy

from edgemat.artifacts.artifact import Int8Proof
from edgemat.convert.ai_edge import quantize_with_ai_edge
from edgemat.convert.backends import find_backend, find_target
from edgemat.convert.flatbuffer import (
    METADATA_NAME,
    cancel_transposes,
    read_model,
    split_unit_clamps,
    write_model,
)
from edgemat.convert.layer_parity import compare_layers
from edgemat.convert.operators import float_operators
from edgemat.convert.pairing import run_both
from edgemat.convert.parity import compare
from edgemat.convert.proof import prove
from edgemat.convert.tflite import convert_tflite
from edgemat.errors import ArtifactError
from edgemat.matting.runtime import TfliteModel
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.deploy import DeployForm
from edgemat.quantize.frozen import freeze
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.spec import QuantSpec, TensorQuant
from edgemat.scoring.evaluate import EvaluationSet

FLOAT32, FLOAT16, INT8 = (
    find_target("tflite-fp32"),
    find_target("tflite-fp16"),
    find_target("tflite-int8"),
)
TFLITE = find_backend("tflite")
METADATA = {"name": "toy", "licence": "Apache-2.0"}


@dataclass(frozen=True)
class Toy:
    deploy: DeployForm
    quantized: Quantized

    @property
    def frozen(self) -> torch.nn.Module:
        return freeze(self.quantized.deploy, self.quantized.spec)

    def proof(self, path: Path, tensors: tuple[TensorQuant, ...] | None = None) -> Int8Proof:
        """Prove a file, as made from the toy or from a toy with other grids."""
        spec = QuantSpec(tensors=tensors or self.quantized.spec.tensors)
        frozen = freeze(self.quantized.deploy, spec)
        return prove(path, TFLITE, run_both(path, TFLITE, frozen, evaluation(3, 32).inputs(0)))

    def file(self, target: str) -> Path:
        model = self.frozen if find_target(target).quantized else self.deploy
        return tflite_file(model, target, shape=(3, 32, 32), metadata=METADATA)


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy(toy_deploy(), quantized_toy())


def read_metadata(path: Path) -> object:
    """Return what `embed_metadata` put in."""
    model = read_model(path)
    (entry,) = (m for m in model.metadata if m.name.decode() == METADATA_NAME)
    return json.loads(bytes(model.buffers[entry.buffer].data))


def mattes(predict: object, data: EvaluationSet) -> np.ndarray:
    return np.concatenate([predict(data.inputs(i))[..., 0] for i in range(len(data))])


@pytest.mark.parametrize(("target", "least"), [("tflite-fp32", 90), ("tflite-fp16", 45)])
def test_float_files_agree_with_torch(toy: Toy, target: str, least: float) -> None:
    data = evaluation(3, 32)
    expected = mattes(torch_predictor(toy.deploy), data)
    found = mattes(TfliteModel(toy.file(target)).run, data)
    assert expected.std() > 0.02
    assert compare(found, expected, reference="float", runtime="").psnr_db >= least


@pytest.mark.parametrize("target", ["tflite-fp32", "tflite-fp16"])
def test_the_delegate_takes_float_files_whole(toy: Toy, target: str) -> None:
    model = TfliteModel(toy.file(target))
    assert model.operators_outside() == []
    assert model.delegate_coverage().partitions == 1


def test_the_int8_file_gives_the_frozen_model_s_matte_to_the_last_bit(toy: Toy) -> None:
    """In XNNPACK's arithmetic; in torch's own a resize alone moves one value in thirty."""
    data = evaluation(3, 32)
    found = mattes(TfliteModel(toy.file("tflite-int8")).run, data)
    with TFLITE.arithmetic():
        expected = mattes(torch_predictor(toy.frozen), data)
    assert expected.std() > 0.02
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, mattes(torch_predictor(toy.frozen), data))


@pytest.mark.parametrize("kernels", ["xnnpack", "builtin", "reference"])
def test_the_int8_file_is_the_frozen_model_within_two_steps(toy: Toy, kernels: str) -> None:
    """One step of an inner tensor, rounded the other way, is up to two of the output."""
    data = evaluation(3, 32)
    expected = mattes(torch_predictor(toy.frozen), data)
    found = mattes(TfliteModel(toy.file("tflite-int8"), kernels=kernels).run, data)
    assert np.abs(found - expected).max() <= 2.01 / 255
    assert np.abs(found - expected).mean() <= 0.1 / 255


def test_the_int8_file_carries_every_grid_and_no_float(toy: Toy) -> None:
    proof = toy.proof(toy.file("tflite-int8"))
    assert proof.convolutions == proof.int8_convolutions == 4
    assert proof.float_islands == ()
    assert proof.scales_exact == proof.scales == len(toy.quantized.spec.tensors)
    assert proof.tensors_equal == proof.tensors == 11


def test_the_proof_finds_a_float_island(toy: Toy, tmp_path: Path) -> None:
    """A float file is no int8 file, whatever the specification says."""
    proof = toy.proof(toy.file("tflite-fp32"))
    assert proof.int8_convolutions == 0 and proof.convolutions == 4
    assert "CONV_2D" in proof.float_islands
    assert proof.scales_exact == 0


def test_the_proof_finds_a_missing_grid(toy: Toy) -> None:
    first, *others = toy.quantized.spec.tensors
    other = first.model_copy(update={"scale": tuple(s * 1.001 for s in first.scale)})
    proof = toy.proof(toy.file("tflite-int8"), (other, *others))
    assert proof.scales_exact == proof.scales - 1


@pytest.mark.parametrize("kind", ["activation", "weight"])
def test_a_grid_at_another_tensor_proves_nothing(toy: Toy, kind: str) -> None:
    """Both grids are in the file, but each where the other belongs."""
    tensors = list(toy.quantized.spec.tensors)
    places = [(quant.kind, quant.places[0].operator) for quant in tensors]
    one, two = (places.index((kind, f"network/{name}/conv2d/0")) for name in ("wide", "narrow"))
    grids = [{"scale": tensors[n].scale, "zero_point": tensors[n].zero_point} for n in (one, two)]
    tensors[one] = tensors[one].model_copy(update=grids[1])
    tensors[two] = tensors[two].model_copy(update=grids[0])
    proof = toy.proof(toy.file("tflite-int8"), tuple(tensors))
    assert proof.scales_exact == proof.scales - 2


def test_the_proof_tells_who_decided_on_each_grid(toy: Toy) -> None:
    proof = toy.proof(toy.file("tflite-int8"))
    assert proof.origins is not None
    counts = Counter(quant.origin for quant in toy.quantized.spec.tensors)
    assert proof.origins.model_dump() == {name: counts[name] for name in ("nncf", "nature", "rule")}
    assert counts["nncf"] > 0 < counts["nature"]
    untold = [q.model_copy(update={"origin": None}) for q in toy.quantized.spec.tensors]
    assert toy.proof(toy.file("tflite-int8"), tuple(untold)).origins is None


def test_files_take_and_give_float32_channels_last(toy: Toy) -> None:
    for target in ("tflite-fp32", "tflite-fp16", "tflite-int8"):
        model = TfliteModel(toy.file(target))
        assert model.input_shape == (1, 32, 32, 3) and model.output_shape == (1, 32, 32, 1)
        alpha = model.run(np.zeros((1, 32, 32, 3), np.float32))
        assert alpha.dtype == np.float32 and alpha.min() >= 0 and alpha.max() <= 1


def test_files_carry_their_metadata(toy: Toy) -> None:
    assert read_metadata(toy.file("tflite-int8")) == METADATA
    assert read_metadata(toy.file("tflite-fp16")) == METADATA


def test_float16_weights_halve_the_file(toy: Toy) -> None:
    def weight_bytes(path: Path) -> int:
        return sum(len(b.data) for b in read_model(path).buffers if b.data is not None)

    assert weight_bytes(toy.file("tflite-fp16")) < 0.7 * weight_bytes(toy.file("tflite-fp32"))


def test_conversion_gives_the_same_bytes_again_and_leaves_the_model_as_it_was(
    toy: Toy, tmp_path: Path
) -> None:
    """What was converted is the reference that the file is compared with afterwards."""
    data, frozen, again = evaluation(3, 32), toy.frozen, tmp_path / "again.tflite"
    before = mattes(torch_predictor(frozen), data)
    convert_tflite(frozen, again, target=INT8, shape=(3, 32, 32), metadata=METADATA)
    assert again.read_bytes() == toy.file("tflite-int8").read_bytes()
    assert np.array_equal(mattes(torch_predictor(frozen), data), before)


def test_the_layer_table_names_the_first_layer_that_is_off(toy: Toy) -> None:
    data = evaluation(3, 32, count=1)
    path = toy.file("tflite-int8")
    tables = compare_layers(run_both(path, TFLITE, toy.frozen, data.inputs(0)))
    assert [table.runtime for table in tables] == ["LiteRT, XNNPACK", "LiteRT, reference kernels"]
    for table in tables:
        assert len(table.rows) >= 5
        assert table.first_above(1.0) is None
    # a bias moved by a quarter of the range shows up, at its own layer
    broken = freeze(toy.quantized.deploy, toy.quantized.spec)
    with torch.no_grad():
        broken.get_parameter("network.narrow.bias").add_(3.0)
    for table in compare_layers(run_both(path, TFLITE, broken, data.inputs(0))):
        worst = table.first_above(1.0)
        assert worst is not None and "narrow" in worst.layer


def test_a_file_that_is_no_tflite_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    with pytest.raises(ArtifactError, match="There is no file"):
        read_model(path)
    path.write_bytes(b"not a flatbuffer at all")
    with pytest.raises(ArtifactError, match=r"not a \.tflite"):
        read_model(path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "channels", "config"),
    [
        ("indexnet-m2o-nlc", 4, {"width": 0.25, "hidden_mult": 1}),
        ("pspm-b5", 3, {"width": 0.25}),
    ],
)
def test_int8_networks_are_proven(name: str, channels: int, config: dict[str, float]) -> None:
    """Every grid in the file, no transpose, no float, and one piece in the delegate."""
    quantized = quantized_network(name, channels, **config)
    frozen = freeze(quantized.deploy, quantized.spec)
    path = tflite_file(frozen, "tflite-int8", shape=(channels, 64, 64))
    data = evaluation(channels, 64)
    proof = prove(path, TFLITE, run_both(path, TFLITE, frozen, data.inputs(0)))
    assert proof.int8_convolutions == proof.convolutions > 50
    assert proof.float_islands == ()
    assert proof.scales_exact == proof.scales
    operators = Counter(_operator_names(path))
    assert operators["TRANSPOSE"] == 0
    assert TfliteModel(path).delegate_coverage().partitions == 1
    expected = mattes(torch_predictor(frozen), data)
    agreement = compare(
        mattes(TfliteModel(path).run, data), expected, reference="frozen", runtime="XNNPACK"
    )
    assert agreement.mean_abs <= 0.005


def _operator_names(path: Path) -> list[str]:
    from ai_edge_litert import schema_py_generated as schema

    model = read_model(path)
    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if key.isupper()}
    codes = [names[code.builtinCode] for code in model.operatorCodes]
    return [codes[operator.opcodeIndex] for operator in model.subgraphs[0].operators]


def test_another_tool_quantizes_the_float_file(toy: Toy, tmp_path: Path) -> None:
    inputs = [x.permute(0, 2, 3, 1).contiguous().numpy() for x in calibration(3, 32)]
    path = tmp_path / "ai-edge.tflite"
    quantize_with_ai_edge(toy.file("tflite-fp32"), inputs, path)
    exact, found = (TfliteModel(f).run(inputs[0]) for f in (toy.file("tflite-fp32"), path))
    assert 0 < np.abs(exact - found).mean() < 0.02
    operators = float_operators(path)
    assert "CONV_2D" not in operators
    assert set(float_operators(toy.file("tflite-fp32"))) > {"CONV_2D"}
    assert float_operators(toy.file("tflite-int8")) == []


def test_pairs_of_transposes_that_undo_each_other_leave(tmp_path: Path) -> None:
    graph = TinyGraph()
    axes = [graph.tensor((4,), dtype="INT32", content=np.array(p, np.int32))
            for p in ((0, 3, 1, 2), (0, 2, 3, 1))]  # fmt: skip
    x = graph.tensor((1, 4, 6, 3))
    first, back, other, y, z = (
        graph.tensor(shape)
        for shape in ((1, 3, 4, 6), (1, 4, 6, 3), (1, 6, 3, 4), (1, 4, 6, 3), (1, 6, 3, 4))
    )
    graph.op("TRANSPOSE", [x, axes[0]], [first])
    graph.op("TRANSPOSE", [first, axes[1]], [back])  # undoes the first
    graph.op("ABS", [back], [y])
    graph.op("TRANSPOSE", [first, axes[0]], [other])  # does not
    graph.op("RELU", [other], [z])
    path = graph.write(tmp_path / "model.tflite", inputs=[x], outputs=[y])
    before = TfliteModel(path)
    picture = np.random.default_rng(0).normal(size=(1, 4, 6, 3)).astype(np.float32)
    expected = before.run(picture)
    model = read_model(path)
    cancel_transposes(model)
    write_model(model, path)
    after = TfliteModel(path)
    assert after.operators() == ["TRANSPOSE", "ABS", "TRANSPOSE", "RELU"]
    assert np.array_equal(after.run(picture), expected)


def test_a_clamp_to_0_and_1_becomes_what_the_delegate_takes(tmp_path: Path) -> None:
    graph = TinyGraph()
    x, y, z = (graph.tensor((1, 4, 6, 3)) for _ in range(3))
    graph.op("RELU_0_TO_1", [x], [y])
    graph.op("ABS", [y], [z])
    path = graph.write(tmp_path / "model.tflite", inputs=[x], outputs=[z])
    before = TfliteModel(path)
    picture = np.random.default_rng(0).normal(size=(1, 4, 6, 3)).astype(np.float32)
    expected = before.run(picture)
    assert before.operators_outside() == ["RELU_0_TO_1"]
    assert expected.min() == 0 and expected.max() == 1
    model = read_model(path)
    split_unit_clamps(model)
    write_model(model, path)
    after = TfliteModel(path)
    assert after.operators() == ["RELU", "MINIMUM", "ABS"] and after.operators_outside() == []
    assert np.array_equal(after.run(picture), expected)
