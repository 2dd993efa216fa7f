"""What series of the thesis' protocols do stands in its text: Tables 3.2, 3.6 to 3.10 and 4.1."""

from __future__ import annotations

import numpy as np
import pytest
from thesis_text import Said, cited_lines, not_in_the_text, quotations
from torch.nn import functional as F
from toy_pairs import write_classes, write_depths
from toy_series import noise_trial

from edgemat.data import pairs, small_pictures
from edgemat.experiments import denoise
from edgemat.experiments.denoise import denoising_trial
from edgemat.experiments.dense import class_loss, depth_loss, depth_trial, segmentation_trial
from edgemat.experiments.protocol import FOLDER, Subject, read_protocol
from edgemat.experiments.trial import Trial
from edgemat.images import write_image

FILES = FOLDER / "thesis"

SAID: dict[Subject, tuple[Said, ...]] = {
    "reconstruct": (
        Said(1341, "60,000 training images", {"samples": 60_000}),
        Said(1341, "the input images are resized to 32x32", {"size": 32}),
        Said(1341, "l_1 loss is used", {"loss": F.l1_loss}),
        Said(1341, "We use the SGD optimizer with an initial learning rate of 0.01",
             {"optimizer": "sgd", "learning_rate": 0.01}),
        Said(1341, "at the 50-th, 70-th, and 85-th epoch", {"falls": (50, 70, 85)}),
        Said(1341, "100 epochs in total with a batch size of 100", {"epochs": 100, "batch": 100}),
    ),
    "denoise": (
        Said(866, "40x40 image patches are cropped", {"size": 40}),
        Said(866, "from multiple scales (0.7, 0.8, 0.9, 1)", {"scales": (0.7, 0.8, 0.9, 1.0)}),
        Said(866, "around 240,000 training samples", {"samples": 240_000}),
        Said(866, "l_2 loss is used", {"loss": F.mse_loss}),
        Said(866, "with a batch size of 128", {"batch": 128}),
        Said(866, "initialized with the improved Xavier [42]", {"begin": "random"}),
        Said(866, "The Adam optimizer is also used", {"optimizer": "adam"}),
        Said(866, "Parameters are updated with 60 epochs", {"epochs": 60}),
        Said(866, "The learning rate is initially set to 0.001", {"learning_rate": 0.001}),
        Said(866, "at the 45-th and 55-th epoch", {"falls": (45, 55)}),
    ),
    "segment": (
        Said(894, "random cropping 320x320 sub-images", {"size": 320}),
        Said(894, "We learn the model with the standard softmax loss", {"loss": class_loss}),
        Said(894, "The SGD optimizer [52] is used with a momentum of 0.9",
             {"optimizer": "sgd", "momentum": 0.9}),
        Said(894, "a weight decay of 0.0001", {"weight_decay": 1e-4}),
        Said(894, "a batch size of 16 for 300 epochs (around 90,000 iterations)",
             {"batch": 16, "epochs": 300, "iterations": 90_000, "samples": 4_800}),
        Said(894, "The learning rate is initially set to 0.01", {"learning_rate": 0.01}),
        Said(894, "at the 250-th and 280-th epoch", {"falls": (250, 280)}),
    ),
    "depth": (
        Said(1024, r"measured on a $224 \times 224 \times 3$ input", {"size": 224}),
        Said(972, "l_1 loss is used", {"loss": depth_loss}),
        Said(972, "The initial learning rate is set to 0.01", {"learning_rate": 0.01}),
        Said(972, r"reduced by $\times 10$ every 5 epochs", {"falls": (5, 10, 15, 20, 25)}),
        Said(972, "The SGD optimizer is used with a momentum of 0.9",
             {"optimizer": "sgd", "momentum": 0.9}),
        Said(972, "a weight decay of 0.0001", {"weight_decay": 1e-4}),
        Said(972, "A batch size of 16 is used", {"batch": 16}),
        Said(972, "30 epochs in total", {"epochs": 30}),
    ),
}  # fmt: skip
ASKED = {"optimizer", "learning_rate", "falls", "epochs", "batch", "size", "loss"}
ELSEWHERE = {("reconstruct", "momentum"), ("depth", "samples")}
"""What the text does not give: the files say where it is from."""
SIZES: dict[Subject, int] = {
    "reconstruct": small_pictures.SIDE,
    "denoise": denoise.PATCH,
    "segment": pairs.CROP,
    "depth": pairs.DEPTH_SIDE,
}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[Subject, Trial]:
    root = tmp_path_factory.mktemp("sets")
    for seed, name in enumerate(("photos", "judged")):
        noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        write_image(root / name / "0.png", noise)
    return {
        "reconstruct": noise_trial(),
        "denoise": denoising_trial(root / "photos", [root / "judged"]),
        "segment": segmentation_trial(write_classes(root / "sun")),
        "depth": depth_trial(write_depths(root / "nyu")),
    }


@pytest.mark.parametrize("subject", SAID)
def test_a_protocol_has_the_values_that_the_words_give(
    subject: Subject, trials: dict[Subject, Trial]
) -> None:
    protocol = read_protocol(subject, "thesis")
    found = protocol.model_dump() | {
        "iterations": protocol.epochs * protocol.steps,
        "size": SIZES[subject],
        "scales": tuple(sorted(denoise.SCALES)),
        "loss": trials[subject].loss,
    }
    for one in SAID[subject]:
        assert {key: found[key] for key in one.values} == one.values, one
    assert protocol.width == 1


@pytest.mark.parametrize("subject", SAID)
def test_an_epoch_shows_pictures_of_that_size(
    subject: Subject, trials: dict[Subject, Trial]
) -> None:
    few = {"samples": 2, "batch": 2}
    brief = read_protocol(subject, "thesis").model_copy(update=few)
    shown, _ = next(trials[subject].epoch(1, 0, brief))
    assert shown.shape[-2:] == (SIZES[subject], SIZES[subject])


@pytest.mark.parametrize("subject", SAID)
def test_all_that_is_asked_is_quoted_and_all_that_is_not_is_from_elsewhere(
    subject: Subject,
) -> None:
    quoted = {key for one in SAID[subject] for key in one.values}
    assert quoted >= ASKED
    text = (FILES / f"{subject}.toml").read_text()
    for line in text.splitlines():
        key = line.partition(" = ")[0]
        if (subject, key) in ELSEWHERE:
            assert key not in quoted and "# not in the text: " in line, line
        elif "=" in line and not line.startswith("#") and key != "name":
            assert key in quoted, line


@pytest.mark.parametrize("subject", SAID)
def test_a_line_that_a_protocol_cites_is_quoted_for_that_key(subject: Subject) -> None:
    quoted = {(key, one.line) for one in SAID[subject] for key in one.values}
    cited = cited_lines((FILES / f"{subject}.toml").read_text())
    assert cited and cited <= quoted, cited - quoted


def test_every_protocol_of_the_thesis_is_quoted() -> None:
    assert set(SAID) == {path.stem for path in FILES.glob("*.toml")}


def test_the_words_stand_at_their_lines() -> None:
    found = {(one.line, one.words) for many in SAID.values() for one in many}
    for path in FILES.glob("*.toml"):
        found |= quotations(path.read_text())
    assert not not_in_the_text(found)
