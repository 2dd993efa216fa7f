"""A recipe that starts from a network that somebody else wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from calling import Call
from torch import Tensor, nn

import edgemat
from edgemat.artifacts.artifact import Artifact
from edgemat.errors import InputWarning, UsageError
from edgemat.recipe.load import load_recipe

TRAIN = "steps = 3, batch = 2, warmup = 1, workers = 0"
RECIPE = """
name = "hers"
seed = 3
threads = 1

[[models]]
name = "tuned"
architecture = "adopted"
input_size = [64, 64]
data = { source = "procedural" }
train = { start = "START", TRAIN }
quantize = { mode = "qat", calibration = 8, qat = { steps = 2, batch = 2, workers = 0 } }
targets = ["tflite-int8"]
parity = { tflite-int8 = { mean_abs = "<=1" } }

[verify]
images = 2

[gate]
sad = "<=1000"

[bench]
devices = ["host"]
runs = 5
seconds = 0.05
warmup_runs = 2
warmup_seconds = 0.0
threads = [1]
"""


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return _adopt(tmp_path_factory.mktemp("hers"), (64, 64))


def _adopt(folder: Path, size: tuple[int, int]) -> Artifact:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.PReLU(), nn.Conv2d(8, 1, 3, padding=1)
    )
    return edgemat.adopt(
        network, size=size, logits=True, name="net", licence="hers", images=1,
        data="procedural", output=folder,
    )  # fmt: skip


def write(folder: Path, start: Artifact, **changes: str) -> Path:
    text = RECIPE.replace("TRAIN", TRAIN)
    for old, new in {"START": str(start.path)}.items():
        text = text.replace(old, new)
    for key, value in changes.items():
        text, times = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.M)
        assert times == 1
    path = folder / "hers.toml"
    path.write_text(text)
    return path


def test_her_weights_are_trained_on(
    adopted: Artifact, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the only size, by her licence; what is stored is her program with the new weights."""
    monkeypatch.chdir(tmp_path)
    status, _, err = call("train", write(tmp_path, adopted))
    assert status == 0, err
    (folder,) = (tmp_path / "runs/hers/artifacts").glob("tuned@*")
    manifest = Artifact(folder).manifest
    assert (manifest.architecture, manifest.licence) == ("adopted", "hers")
    assert manifest.data_notice == adopted.manifest.data_notice
    assert (folder / "program.pt2").is_file() and not (folder / "weights.safetensors").exists()
    before, after = (edgemat.load(one).state_dict() for one in (adopted.path, folder))
    assert before.keys() == after.keys()
    assert all(torch.isfinite(value).all() for value in after.values())
    log = (folder / "training.jsonl").read_text()
    assert '"step": 2' in log and '"val_sad"' in log


class Remembers(nn.Module):
    """A picture, and optionally what was before it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x: Tensor, before: Tensor | None = None) -> Tensor:
        y: Tensor = self.conv(x)
        return y if before is None else y + before


@pytest.mark.parametrize("steps", [0, 1])
def test_what_stays_at_its_default_is_told_of_what_is_made_of_her_network(
    steps: int, tmp_path: Path
) -> None:
    options = {"images": 1, "data": "procedural", "output": tmp_path}
    with pytest.warns(InputWarning, match="before = None"):
        start = edgemat.adopt(Remembers(), size=(64, 64), logits=True, **options)  # type: ignore[arg-type]
    train = f'{{ start = "{start.path}", steps = {steps}, batch = 2, workers = 0 }}'
    (trained,) = edgemat.train(write(tmp_path, start, train=train), output=tmp_path / "run")
    quantized = edgemat.quantize(trained, calibration=2, **options)  # type: ignore[arg-type]
    for made in (trained, quantized):
        assert made.manifest.config == start.manifest.config == {"constants": {"before": "None"}}


@pytest.mark.long
def test_one_recipe_takes_her_data_through_training_qat_and_gate(
    adopted: Artifact, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = write(tmp_path, adopted)
    status, text, err = call("run", recipe)
    assert status == 0, text + err
    shelf = tmp_path / "runs/hers/artifacts"
    names = {path.name.split("@")[0] for path in shelf.iterdir()}
    assert names == {"tuned", "tuned-quantized", "tuned-qat", "tuned-tflite-int8"}
    (file,) = shelf.glob("tuned-tflite-int8@*")
    proof = Artifact(file).manifest.int8_proof
    assert proof is not None and proof.int8_convolutions == proof.convolutions
    assert proof.scales_exact == proof.scales
    assert "adopted" in (tmp_path / "runs/hers/report.html").read_text()
    assert call("run", recipe)[0] == 0
    assert {path.name.split("@")[0] for path in shelf.iterdir()} == names, "nothing was made anew"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": "{ steps = 3 }"}, "train.start: architecture"),
        ({"train": '{ start = "nothing", steps = 3 }'}, "train.start: There is no artefact"),
        ({"train": '{ start = "portrait", steps = 3 }'}, "is no adopted network, but a float pspm"),
        ({"input_size": "[64, 96]"}, "input_size: net@.* takes 64 x 64 px alone"),
        ({"train": '{ start = "START", steps = 3, size = 96 }'}, "train.size: .* 64 px alone"),
        (
            {"quantize": '{ mode = "qat", qat = { size = 96 } }'},
            "quantize.qat.size: this network takes 64 px alone",
        ),
        ({"train": '{ start = "START", steps = 3, bn = "running" }'}, "train.bn: an adopted"),
        ({"train": '{ start = "START", steps = 3, half_weights = true }'}, "half_weights: an ad"),
        ({"train": '{ start = "START", steps = 3, prior = "none" }'}, "adopted is a portrait netw"),
        ({"quantize": '{ keep_float = ["fist"] }'}, "quantize: .* no block 'fist'"),
        ({"architecture": '"adoptd"'}, "no matting network 'adoptd'"),
    ],
)
def test_what_a_program_has_not_is_refused_before_any_work(
    changes: dict[str, str], message: str, adopted: Artifact, tmp_path: Path
) -> None:
    changes = {key: value.replace("START", str(adopted.path)) for key, value in changes.items()}
    with pytest.raises(UsageError, match=message) as caught:
        load_recipe(write(tmp_path, adopted, **changes))
    assert "hers.toml: models.0" in caught.value.message and caught.value.remedy


def test_one_that_is_not_square_is_quantized_but_not_trained(tmp_path: Path) -> None:
    wide = _adopt(tmp_path, (32, 64))
    start = f'{{ start = "{wide.path}", steps = 0 }}'
    ptq = '{ mode = "ptq" }'
    load_recipe(write(tmp_path, wide, input_size="[32, 64]", train=start, quantize=ptq))
    for changes, key in (
        ({"train": start.replace("0 }", "2 }"), "quantize": ptq}, "train"),
        ({"train": start}, "quantize.qat"),
    ):
        with pytest.raises(UsageError, match=f"{key}: training has square crops") as caught:
            load_recipe(write(tmp_path, wide, input_size="[32, 64]", **changes))
        assert "square --size" in caught.value.remedy
