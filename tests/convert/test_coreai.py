"""Core AI files: the network and its grids, as Apple's own runtime has them."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

pytest.importorskip("coreai", reason="needs coreai-core: make coreai")
pytest.importorskip("coreai_torch", reason="needs coreai-torch: make coreai")

from shared_networks import file_of, quantized_toy
from toy_artifacts import artifact
from toy_networks import evaluation, toy_deploy

from edgemat.artifacts.artifact import Feeding, Manifest
from edgemat.convert import coreai
from edgemat.convert.backends import find_target
from edgemat.convert.backends.coreai import COREAI, RUNTIME
from edgemat.convert.coreai import convert_coreai
from edgemat.convert.coreai_hazards import find_hazards
from edgemat.convert.coreai_program import count_int8, load_program, quantizers
from edgemat.convert.coreai_runtime import CoreAiModel
from edgemat.convert.layer_parity import compare_layers
from edgemat.convert.pairing import run_both
from edgemat.convert.parity import compare
from edgemat.convert.proof import prove
from edgemat.errors import ArtifactError, ConversionError
from edgemat.files import sha256_tree
from edgemat.images import F32
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.quantize.frozen import freeze
from edgemat.quantize.ptq import Quantized
from edgemat.scoring.bounds import Bound, judge
from edgemat.scoring.metrics import UNKNOWN
from edgemat.workflow.stages.converting import verify_file

SHAPE = (3, 32, 32)
ABOUT = {"licence": "Apache-2.0", "author": "edgemat", "description": "a toy"}


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test asks the runtime itself: see convert/kept_mattes.py."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def int8() -> Quantized:
    return quantized_toy()


@pytest.fixture(scope="module")
def frozen(int8: Quantized) -> nn.Module:
    return freeze(int8.deploy, int8.spec)


@pytest.fixture(scope="module")
def int8_file(frozen: nn.Module) -> Path:
    return file_of(frozen, "coreai-w8a8", shape=SHAPE)


@pytest.fixture
def picture() -> F32:
    return evaluation(3, 32).inputs(0)


def source(folder: Path) -> Manifest:
    """Return the manifest of an artefact that files of the toy are made of."""
    feeding = Feeding(layout="NCHW", height=32, width=32, channels=3, stride=2)

    def fill(inside: Path) -> None:
        (inside / "weights.safetensors").write_bytes(b"")

    return artifact(
        folder, fill, kind="float", payload="weights.safetensors", feeding=feeding
    ).manifest


def convert(model: nn.Module, path: Path) -> Path:
    convert_coreai(model, path, height=32, width=32, channels=3, metadata={}, **ABOUT)
    return path


@pytest.mark.parametrize("name", ["coreai-fp32", "coreai-fp16", "coreai-w8a8"])
def test_files_keep_the_bars_of_their_targets(name: str, frozen: nn.Module, tmp_path: Path) -> None:
    target = find_target(name)
    model = frozen if target.quantized else toy_deploy()
    path = tmp_path / "model.aimodel"
    COREAI.convert(model, path, target=target, source=source(tmp_path), card={"a": [1]})
    drawn = evaluation(3, 32, count=2)
    validation = replace(drawn, trimaps=np.full_like(drawn.trimaps, UNKNOWN))
    verified = verify_file(path, target, model, validation)
    (agreement,) = verified.agreements
    assert agreement.runtime == RUNTIME
    figures = agreement.model_dump() | {"int8_share": 1.0, "float_islands": 0.0}
    if target.quantized:
        proof = verified.proof
        assert proof is not None
        assert proof.int8_convolutions == proof.convolutions == 4
        assert proof.float_islands == ()
        figures["scales_exact_share"] = proof.scales_exact / proof.scales
    bounds = [Bound(*rule) for rule in target.parity.items()]
    assert [verdict for verdict in judge(bounds, figures) if not verdict.passed] == []


def test_a_file_says_what_it_is_and_nothing_of_the_day(tmp_path: Path) -> None:
    target = find_target("coreai-fp32")
    card = {"target": "coreai-fp32", "feeding": {"height": 32, "trimap_channel": None}}
    made = []
    for name in ("one", "two"):
        path = tmp_path / name / "model.aimodel"
        COREAI.convert(toy_deploy(), path, target=target, source=source(tmp_path), card=card)
        made.append(sha256_tree(path))
    said = json.loads((path / "metadata.json").read_text())
    assert said["license"] == "Apache-2.0" and said["description"].startswith("hair")
    assert json.loads(said["creatorDefinedMetadata"]["edgemat"]) == card
    assert made[0] == made[1], "the same network gives the same bytes"
    counted = COREAI.count_int8(path)
    assert (counted.convolutions, counted.int8_convolutions) == (4, 0)
    assert COREAI.weights(path) == []


def test_every_grid_lies_in_the_file_bit_for_bit(
    int8: Quantized, frozen: nn.Module, int8_file: Path, picture: F32
) -> None:
    runs = run_both(int8_file, COREAI, frozen, picture)
    proof = prove(int8_file, COREAI, runs)
    assert proof.scales_exact == proof.scales == len(int8.spec.tensors)
    for quant in int8.spec.tensors:
        same = [one for one in int8.spec.tensors if one.stored == quant.stored]
        tensors = [*runs.found[RUNTIME], *COREAI.weights(int8_file)]
        places = sum(len(one.places) for one in same)
        assert 1 <= sum(one.grid == quant.stored for one in tensors) <= places


def test_a_grid_that_is_one_bit_off_is_noticed(
    int8: Quantized, int8_file: Path, picture: F32
) -> None:
    moved = [
        quant.model_copy(update={"scale": (float(np.nextafter(np.float32(quant.scale[0]), 1)),)})
        if number == 5
        else quant
        for number, quant in enumerate(int8.spec.tensors)
    ]
    other = freeze(int8.deploy, int8.spec.model_copy(update={"tensors": tuple(moved)}))
    proof = prove(int8_file, COREAI, run_both(int8_file, COREAI, other, picture))
    assert proof.scales_exact < proof.scales


def test_layers_differ_by_rounding_alone(frozen: nn.Module, int8_file: Path, picture: F32) -> None:
    (table,) = compare_layers(run_both(int8_file, COREAI, frozen, picture))
    assert table.runtime == RUNTIME and table.unmatched == 0
    assert len(table.rows) == len(quantizers(load_program(int8_file)))
    assert table.first_above(0) is None
    assert all(row.max_lsb <= 2 and row.share_off < 0.05 for row in table.rows)


def test_a_layer_in_float_is_counted(tmp_path: Path, int8: Quantized) -> None:
    """Without the grid of a convolution's input, the convolution is no longer int8."""
    spec = int8.spec
    left = [q for q in spec.tensors if not any("sub/0" in p.operator for p in q.places)]
    assert len(left) < len(spec.tensors)
    path = convert(
        freeze(int8.deploy, spec.model_copy(update={"tensors": tuple(left)})),
        tmp_path / "model.aimodel",
    )
    counted = COREAI.count_int8(path)
    assert (counted.convolutions, counted.int8_convolutions) == (4, 3)
    assert any("conv2d" in operator for operator in counted.float_islands)


def test_the_runtime_serves_callers_with_and_without_an_event_loop(
    int8_file: Path, picture: F32
) -> None:
    model = CoreAiModel(int8_file)
    plain = model.run(picture)

    async def notebook() -> F32:
        return model.run(picture)

    assert np.array_equal(asyncio.run(notebook()), plain)
    assert plain.shape == (1, 32, 32, 1) and plain.dtype == np.float32


def test_the_trimap_is_the_fourth_channel(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(4, 1, 3, padding=1).eval()
    path = tmp_path / "model.aimodel"
    convert_coreai(network, path, height=64, width=64, channels=4, metadata={}, **ABOUT)
    x = evaluation(4, 64, count=1).inputs(0)
    expected = torch_predictor(network)(x)
    found = CoreAiModel(path).run(x)
    assert compare(found, expected, reference="float", runtime=RUNTIME).max_abs <= 1e-6


class Rectified(nn.Module):
    def __init__(self, *, halfway: float) -> None:
        super().__init__()
        self.halfway = halfway

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        grid = (1 / 255, 0, 0, 255)
        x = torch.fake_quantize_per_tensor_affine(x, *grid)
        x = torch.relu(x * x.flip(3))
        if self.halfway:
            x = torch.exp(x) * self.halfway
        return torch.fake_quantize_per_tensor_affine(x, *grid)


@pytest.mark.parametrize(("halfway", "islands"), [(0.0, 0), (0.3, 1)])
def test_a_rectifier_belongs_to_what_it_stands_behind(
    halfway: float, islands: int, tmp_path: Path
) -> None:
    path = convert(Rectified(halfway=halfway).eval(), tmp_path / "model.aimodel")
    found = count_int8(load_program(path)).islands
    assert [island.place for island in found] == ["inside"] * islands


class Doubtful(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        product = torch.fake_quantize_per_tensor_affine(x * x.flip(3), 0.1, 0, 0, 255)
        return x.argmax(1, keepdim=True) + product[:, :1]


def test_what_is_known_to_come_out_wrong_is_named(
    int8_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_hazards(load_program(int8_file)) == {}
    monkeypatch.setattr(coreai, "PRODUCTS", ())  # without the clamp that mends them
    path = tmp_path / "model.aimodel"
    COREAI.convert(
        Doubtful().eval(),
        path,
        target=find_target("coreai-fp32"),
        source=source(tmp_path),
        card={},
    )
    index, product = COREAI.hazards(path)
    assert index.startswith("1 operation is as in apple/coreai-torch#116, where the index")
    assert "coreai-torch#112" in product


def test_the_clamp_of_a_product_changes_nothing(picture: F32, tmp_path: Path) -> None:
    class Product(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            product = (2 * x[:, :1] - 1) * (4 * x[:, 1:2] - 2)
            return torch.fake_quantize_per_tensor_affine(product, 0.0057, 100, 0, 255)

    network = Product().eval()
    path = convert(network, tmp_path / "model.aimodel")
    expected = torch_predictor(network)(picture)
    assert expected.min() < -0.56 and expected.max() > 0.88, "both ends are met"
    assert np.abs(CoreAiModel(path).run(picture) - expected).max() < 1e-6


class Complex(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.fft2(x).real


class Narrow(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fake_quantize_per_tensor_affine(F.relu(x), 0.1, 0, 0, 127)


@pytest.mark.parametrize(
    ("network", "why"), [(Complex(), "fft"), (Narrow(), r"0\.\.127"), (nn.ReLU().train(), "train")]
)
def test_what_cannot_be_converted_is_named(network: nn.Module, why: str, tmp_path: Path) -> None:
    path = tmp_path / "model.aimodel"
    if why != "train":
        network.eval()
    with pytest.raises(ConversionError, match=why):
        convert(network, path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_named(int8_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.aimodel"
    for damage in (b"", b"MLIR", (int8_file / "main.mlirb").read_bytes()[:-300]):
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(int8_file, path)
        (path / "main.mlirb").write_bytes(damage)
        with pytest.raises(ArtifactError, match=r"model\.aimodel"):
            load_program(path)
        with pytest.raises(ArtifactError, match=r"model\.aimodel"):
            CoreAiModel(path)
    for absent in (tmp_path / "none.aimodel", tmp_path):
        with pytest.raises(ArtifactError):
            load_program(absent)
