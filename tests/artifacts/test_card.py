"""Model cards: all figures come from a manifest or a measurement; shipped cards are current."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calling import Call
from safetensors.torch import save_file
from toy_artifacts import artifact, tflite_artifact

from edgemat.artifacts.artifact import Agreement, Card, Feeding, Int8Proof, MattingErrors
from edgemat.artifacts.card import make_card, read_measured
from edgemat.artifacts.shipped import SHELF, shipped_models
from edgemat.errors import UsageError
from edgemat.models import create_model

CARDS = Path(__file__).parents[2] / "docs" / "models"
ERRORS = MattingErrors(sad=1.25, mse=0.01, grad=2.5, conn=1.0)
QUALITY = {
    "model": "portrait",
    "set": "discs",
    "figure": "iou",
    "bound": ">=0.965",
    "photos": 7,
    "figures": {"float": 0.97123, "int8": 0.96},
    "verdict": {"passed": False},
}
BIAS = {"topic": "skin", "group": "dark", "people": 4, "iou": 0.9, "mad": 0.01, "mad_band": 0.1}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shelf = tmp_path / "weights"
    monkeypatch.setattr("edgemat.artifacts.shipped.SHELF", shelf)
    state = create_model("pspm-slim", width=0.25).state_dict()
    write: dict[str, Any] = {
        "kind": "float",
        "architecture": "pspm-slim",
        "config": {"width": 0.25},
        "feeding": Feeding(layout="NCHW", height=32, width=32, channels=3, stride=16),
        "payload": "weights.safetensors",
        "scores": {"unknown": ERRORS},
    }
    card = Card(purpose="Cuts out people.", data="Drawn discs.", limits="Everything else.")
    for name, described in (("portrait", card), ("bare", None)):
        artifact(
            shelf,
            lambda folder: save_file(state, folder / "weights.safetensors"),
            name=name,
            card=described,
            **write,
        )
        tflite_artifact(
            shelf,
            name=f"{name}-tflite-int8",
            scores={"unknown": ERRORS},
            agreements=(
                Agreement(
                    reference="frozen", runtime="LiteRT, XNNPACK", max_abs=0.1, mean_abs=0.00123,
                    psnr_db=50.0, images=4,
                ),
            ),
            int8_proof=Int8Proof(convolutions=70, int8_convolutions=70, scales=9, scales_exact=9),
        )  # fmt: skip
    return shelf


def test_a_card_says_what_was_measured(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "quality.json").write_text(json.dumps([QUALITY, QUALITY | {"model": "other"}]))
    (tmp_path / "bias-portrait.json").write_text(json.dumps({"model": "a", "groups": [BIAS]}))
    text = make_card("portrait", read_measured(tmp_path, "portrait"))
    assert text.startswith("# portrait\n\nCuts out people.\n")
    assert "| discs (7) | iou | 0.9712 | 0.96 | >=0.965 | **missed** |" in text
    assert text.count("| discs (7) |") == 1, "another model's scores do not belong here"
    assert "| skin | dark | 4 | 0.9000 | 0.0100 | 0.1000 |" in text
    assert "70 of 70 convolutions" in text and "within 0.0012" in text
    assert "Drawn discs." in text and "Everything else." in text
    assert "## Latency" not in text, "nothing was measured"


def test_the_latency_must_be_of_the_shipped_file(shelf: Path, tmp_path: Path) -> None:
    file = next(shelf.glob("portrait-tflite-int8@*")) / "manifest.json"
    latency = {"p50_ms": 12.34}
    ours = {
        "name": "portrait int8", "input_size": "32x32", "bytes": 3_000_000,
        "sha256": json.loads(file.read_text())["payload_sha256"], "network_latency": latency,
    }  # fmt: skip
    selfie = ours | {"name": "selfie", "sha256": "0" * 64}
    for contestants, found in (([ours, selfie], True), ([selfie], False)):
        (tmp_path / "peers-portrait.json").write_text(json.dumps({"contestants": contestants}))
        text = make_card("portrait", read_measured(tmp_path, "portrait"))
        assert ("| selfie | 32x32 | 12.3 | 3.00 |" in text) is found


def test_a_model_without_a_card_is_refused(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bare has no card"):
        make_card("bare", read_measured(tmp_path, "bare"))
    (tmp_path / "quality.json").write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        read_measured(tmp_path, "portrait")


def test_a_network_and_its_file_have_one_card_by_any_of_their_names(call: Call) -> None:
    names = ["portrait", "portrait-tflite-int8"]
    names += [path.name for name in names for path in SHELF.glob(f"{name}@*")]
    written = [call("card", name) for name in names]
    assert len(written) == 4
    assert {status for status, _, _ in written} == {0}
    assert len({text for _, text, _ in written}) == 1


@pytest.mark.parametrize("model", shipped_models())
def test_the_cards_in_the_documents_are_up_to_date(model: str) -> None:
    written = (CARDS / f"{model}.md").read_text(encoding="utf-8")
    assert written == make_card(model, read_measured(CARDS, model)), (
        f"write it anew: edgemat card {model} -o docs/models/{model}.md"
    )
