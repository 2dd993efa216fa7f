"""A stranger's network, from her code to proven files, and what a check says of it beforehand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from calling import Call
from torch import Tensor, nn

import edgemat
from edgemat.artifacts.artifact import Artifact
from edgemat.errors import UsageError
from edgemat.images import read_image, write_image
from edgemat.matting.runtime import TfliteModel

STRANGERS = Path(__file__).parent.parent / "models" / "adopted" / "strangers.py"


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a user's own code."""
    folder = tmp_path_factory.mktemp("hers")
    shutil.copyfile(STRANGERS, folder / "hercode.py")
    return folder


@pytest.fixture(scope="module")
def adopted(factory: Path) -> Artifact:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(factory)
        patch.syspath_prepend(str(factory))
        return edgemat.adopt(
            "hercode:unet",
            size=(32, 64),
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            logits=True,
            images=2,
            data="procedural",
            output=factory / "made",
        )


def test_an_artefact_needs_her_code_no_more(adopted: Artifact) -> None:
    manifest = Artifact(adopted.path).manifest
    assert (manifest.name, manifest.kind, manifest.task) == ("unet", "float", "portrait")
    assert (manifest.feeding.height, manifest.feeding.width) == (32, 64)
    network = edgemat.load(adopted)
    x = torch.rand(1, 3, 32, 64)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    import hercode  # type: ignore[import-not-found]

    with torch.no_grad():
        expected = torch.sigmoid(hercode.unet().eval()((x - mean) / std))
        assert torch.allclose(network(x).alpha, expected, atol=1e-6)
    assert "hercode" not in (adopted.path / "manifest.json").read_text()


def test_it_mattes_a_photograph(adopted: Artifact, tmp_path: Path, call: Call) -> None:
    photo, cut = tmp_path / "photo.png", tmp_path / "cut.png"
    write_image(photo, np.full((40, 90, 3), 90, np.uint8))
    status, _, _ = call("matte", str(photo), "--model", str(adopted.path), "--output", str(cut))
    assert status == 0
    assert read_image(cut).shape == (40, 90, 3)


@pytest.mark.long
def test_from_her_code_to_proven_int8_files(adopted: Artifact) -> None:
    """All convolutions in int8, all grids at their own tensors, in both files; nothing differs."""
    for target, least in (("tflite-fp32", 90), ("coreml-fp16", 45)):
        file = edgemat.convert(adopted, target, images=2, data="procedural")
        assert min(agreement.psnr_db for agreement in file.manifest.agreements) >= least
    quantized = edgemat.quantize(adopted, calibration=8, images=2, data="procedural")
    assert (quantized.path / "program.pt2").is_file()
    for target, most in (("tflite-int8", 0.005), ("coreml-w8a8", 1e-4)):
        manifest = edgemat.convert(quantized, target, images=2, data="procedural").manifest
        proof = manifest.int8_proof
        assert proof is not None
        assert proof.int8_convolutions == proof.convolutions == 18
        assert proof.scales_exact == proof.scales
        assert proof.float_islands == ()
        assert manifest.agreements[0].mean_abs <= most


@pytest.mark.long
def test_quantization_aware_training_at_its_own_size(factory: Path, call: Call) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.PReLU(), nn.Conv2d(8, 1, 3, padding=1)
    )
    made = edgemat.adopt(
        network,
        size=(32, 32),
        logits=True,
        name="small",
        images=2,
        data="procedural",
        output=factory / "qat",
    )
    trained = edgemat.quantize(
        made, mode="qat", steps=2, batch=2, calibration=8, images=2, data="procedural"
    )
    assert trained.manifest.name == "small-qat"


def test_single_weights_become_zero_and_stay_so_in_training(tmp_path: Path) -> None:
    """Those of convolutions, transposed too, and of linear layers; at the only size."""
    made = edgemat.adopt(
        Mixed(), size=(64, 64), name="mixed", images=1, data="procedural", output=tmp_path
    )
    sparse = edgemat.prune(
        made, keep=0.4, unstructured=True, steps=2, batch=2, images=1, data="procedural"
    )
    assert (sparse.manifest.name, sparse.manifest.zeros) == ("mixed-sparse", pytest.approx(0.6))
    before, after = (edgemat.load(one).state_dict() for one in (made, sparse))
    assert before.keys() == after.keys()
    kernels = [name for name in after if name.endswith(".weight")]
    assert len(kernels) == 4
    zeros = sum(int((after[name] == 0).sum()) for name in kernels)
    assert zeros == pytest.approx(0.6 * sum(after[name].numel() for name in kernels), abs=1)
    assert any(not torch.equal(before[n], after[n]) for n in after.keys() - set(kernels))


class Mixed(nn.Module):
    """Each kind of weights that can be zeroed."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.up = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 8, 2, 2)
        self.mix, self.last = nn.Linear(8, 8), nn.Conv2d(8, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.mix(self.up(torch.relu(self.first(x))).permute(0, 2, 3, 1))
        return torch.sigmoid(self.last(y.permute(0, 3, 1, 2)))


@pytest.mark.long
def test_a_pruned_one_is_an_artefact_like_others(
    factory: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    """Its channels leave, its weights are trained, and its int8 file is proven."""
    monkeypatch.chdir(factory)
    monkeypatch.syspath_prepend(str(factory))
    made = edgemat.adopt(
        "hercode:unet",
        size=(64, 64),
        logits=True,
        name="wide",
        images=2,
        data="procedural",
        output=factory / "pruned",
    )
    options = "--keep 0.7 --rounds 2 --steps 1 --batch 2 --images 2 --data procedural"
    status, shown, _ = call("prune", str(made.path), *options.split(), "--importance", "magnitude")
    assert status == 0 and "float16 weights" in shown
    (folder,) = made.path.parent.glob("wide-pruned@*")
    pruned = Artifact(folder)
    manifest = pruned.manifest
    assert manifest.pruning is not None and manifest.pruning.left_alone == ()
    assert manifest.cost.macs < 0.75 * manifest.pruning.macs_before
    assert sum(p.numel() for p in edgemat.load(pruned).parameters()) == manifest.cost.parameters
    quantized = edgemat.quantize(pruned, calibration=8, images=2, data="procedural")
    file = edgemat.convert(quantized, "tflite-int8", images=2, data="procedural").manifest
    assert file.int8_proof is not None
    assert file.int8_proof.int8_convolutions == file.int8_proof.convolutions
    assert file.int8_proof.scales_exact == file.int8_proof.scales


@pytest.mark.long
def test_its_blocks_are_ranked_and_kept_in_float(adopted: Artifact) -> None:
    """By the modules of her code; what a block gives to others stays int8."""
    found = edgemat.sensitivity(
        adopted, keep_under="SAD+0.1%", calibration=8, images=1, data="procedural"
    )
    assert {row.block for row in found.blocks} == {"first", "down", "deep", "up", "mix", "last"}
    worst = found.blocks[0]
    assert worst.tensors > 1 and worst.errors.sad >= found.blocks[-1].errors.sad
    assert found.kept is not None and found.artifact is not None
    with pytest.raises(UsageError, match=r"no block 'fist'\. Did you mean 'first'"):
        edgemat.quantize(adopted, keep_float=["fist"], calibration=8, images=1, data="procedural")
    mixed = edgemat.quantize(
        adopted, keep_float=["down"], calibration=8, images=1, data="procedural"
    )
    file = edgemat.convert(mixed, "tflite-int8", images=1, data="procedural").manifest
    assert file.int8_proof is not None
    assert file.int8_proof.scales_exact == file.int8_proof.scales
    assert file.int8_proof.int8_convolutions == file.int8_proof.convolutions - 3


def test_training_at_another_shape_is_refused(adopted: Artifact) -> None:
    with pytest.raises(UsageError, match="32 x 64 px alone"):
        edgemat.quantize(adopted, mode="qat", steps=1, calibration=8, images=1, data="procedural")


class Looking(nn.Module):
    """Every pixel looks at every other, of 1,024."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        flat = self.first(x).flatten(2)
        shares = torch.softmax(3 * flat.transpose(1, 2) @ flat, dim=-1)
        y: Tensor = self.last((flat @ shares.transpose(1, 2)).reshape(1, 4, *x.shape[2:]))
        return y


def test_attention_over_many_pixels_stays_in_float(tmp_path: Path) -> None:
    network = Looking().eval()
    rows = edgemat.check(network, size=(32, 32)).operators
    (row,) = [row for row in rows if "softmax" in row.operator]
    assert row.arithmetic == "float" and row.latency_ms is not None
    made = edgemat.adopt(network, size=(32, 32), logits=True, name="looking", output=tmp_path)
    quantized = edgemat.quantize(made, calibration=8, images=2, data="procedural")
    for target, float_kind in (("tflite-int8", "EXP"), ("coreml-w8a8", None)):
        manifest = edgemat.convert(quantized, target, images=2, data="procedural").manifest
        assert manifest.agreements[0].mean_abs < 1e-3, target
        proof = manifest.int8_proof
        assert proof is not None and proof.scales_exact == proof.scales > 5
        assert proof.int8_convolutions == proof.convolutions
        assert float_kind is None or float_kind in proof.float_islands


def test_a_check_says_what_will_happen(
    factory: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(factory)
    monkeypatch.syspath_prepend(str(factory))
    status, text, _ = call("check", "hercode:OddUNet", "--size", "32", "32", "--json")
    found = json.loads(text)
    by_name = {row["operator"]: row for row in found["operators"]}
    assert status == 0
    assert by_name["aten.instance_norm"]["arithmetic"] == "float"
    assert by_name["aten.conv2d"]["count"] == 4
    assert found["partitions"] == 2  # delegates take norms, and no GELU
    assert found["refusal"] == ""
    assert found["macs"] > 0 < found["memory_bytes"]
    timed = {name for name, row in by_name.items() if row["latency_ms"] is not None}
    assert timed == {"aten.instance_norm"} and by_name["aten.instance_norm"]["latency_ms"] > 0
    status, text, _ = call("check", "hercode:OddUNet", "--size", "32", "32")
    assert status == 0 and "What stays in float takes" in text


def test_a_check_that_fails_ends_in_3(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hersamples.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        grid = torch.zeros(1, 32, 32, 2)\n"
        "        return torch.nn.functional.grid_sample(x, grid)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    status, text, error = call("check", "hersamples:Net", "--size", "32", "32")
    assert status == 3
    assert "nowhere" in text
    assert "hersamples.py:5" in error


class Squeezed(nn.Module):
    """Squeeze-and-excitation as SENet wrote it, with rows; sigmoids that are split and joined."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(12, 1, 3, padding=1)
        self.excite = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8), nn.Sigmoid())
        self.gates = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first(x))
        b, c, _, _ = y.shape
        shares = self.excite(nn.functional.adaptive_avg_pool2d(y, 1).view(b, c))
        y = y * shares.view(b, c, 1, 1).expand_as(y)
        y = y * nn.functional.hardsigmoid(y.mean((2, 3)))[:, :, None, None]
        before = torch.full_like(y, 0.5)
        left, right = torch.sigmoid(self.gates(y + before)).chunk(2, 1)
        z: Tensor = self.last(torch.cat([y, left * right], 1))
        return nn.functional.interpolate(z, scale_factor=2, mode="nearest")


def test_squeezed_rows_and_divided_sigmoids_reach_both_phones_in_int8(tmp_path: Path) -> None:
    network = Squeezed().eval()
    expected = edgemat.check(network, size=(64, 64))
    assert expected.refusal == ""
    made = edgemat.adopt(
        network, size=(64, 64), logits=True, images=1, data="procedural", output=tmp_path
    )
    quantized = edgemat.quantize(made, calibration=8, images=1, data="procedural")
    for target in ("tflite-int8", "coreml-w8a8"):
        file = edgemat.convert(quantized, target, images=1, data="procedural")
        proof = file.manifest.int8_proof
        assert proof is not None and proof.float_islands == ()
        assert proof.int8_convolutions == proof.convolutions >= 5
        assert proof.scales_exact == proof.scales
        assert file.manifest.agreements[0].mean_abs <= 1e-4
        if target == "tflite-int8":
            cut = TfliteModel(file.payload).delegate_coverage().partitions
            assert expected.partitions == cut == 2  # nearest upsampling is no delegate's


@pytest.mark.slow
def test_operators_cut_a_file_where_a_check_says_so(tmp_path: Path) -> None:
    """Delegates leave out ELU, softplus, Mish, which is made of that, powers and divisions."""
    functional = nn.functional
    bends = (
        *(functional.elu, functional.mish, functional.softplus, torch.tanh, torch.exp, torch.abs),
        *(lambda x: (x.relu() + 1).log(), lambda x: (x.relu() + 1).sqrt().rsqrt()),
        *(lambda x: (x.relu() + 1) ** 1.5, lambda x: x / (x.relu() + 1), lambda x: x**2 / 3),
    )

    class Bent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 1, 1)
            self.between = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in bends)

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            for layer, bend in zip(self.between, bends, strict=True):
                y = layer(bend(y))
            z: Tensor = self.last(y)
            return z

    network = Bent().eval()
    made = edgemat.adopt(
        network, size=(32, 32), logits=True, images=1, data="procedural", output=tmp_path
    )
    quantized = edgemat.quantize(made, calibration=2, images=1, data="procedural")
    file = edgemat.convert(quantized, "tflite-int8", images=1, data="procedural")
    cut = TfliteModel(file.payload).delegate_coverage().partitions
    expected = edgemat.check(network, size=(32, 32))
    assert expected.partitions == cut == 6
    found = {(row.operator, row.arithmetic) for row in expected.operators}
    assert found >= {("aten.pow", "float"), ("aten.pow", "int8"), ("aten.div", "int8")}
