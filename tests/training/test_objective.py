"""The objective of a training: its losses, their regions and weights, and what learns how fast."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from toy_training import data

from edgemat.models import create_matting
from edgemat.models.network import MattingOutput
from edgemat.training.loop import train
from edgemat.training.losses import alpha_loss, pspm_loss, trimap_classes
from edgemat.training.objective import compute_loss
from edgemat.training.schedule import Schedule


class Answers(nn.Module):
    """Stands for a network: it answers what it was given."""

    def __init__(self, alpha: Tensor, logits: Tensor | None = None) -> None:
        super().__init__()
        self.output = MattingOutput(alpha, logits)

    def forward(self, x: Tensor) -> MattingOutput:
        return self.output


@pytest.fixture
def batch() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)

    def rand(channels: int) -> Tensor:
        return torch.rand(2, channels, 16, 12, generator=random)

    trimap = torch.full((2, 1, 16, 12), 0.5)
    trimap[:, :, :4], trimap[:, :, -4:] = 0.0, 1.0
    return {
        "image": rand(3),
        "foreground": rand(3),
        "background": rand(3),
        "alpha": rand(1),
        "trimap": trimap,
        "prediction": rand(1),
        "logits": rand(3)[:, :, ::4, ::4].contiguous(),
    }


def schedule(**settings: object) -> Schedule:
    return Schedule(**{"steps": 1, "batch": 2} | settings)  # type: ignore[arg-type]


def portrait_loss(batch: dict[str, Tensor], progress: float) -> dict[str, float]:
    network = Answers(batch["prediction"], batch["logits"])
    found = compute_loss(
        network, batch, "portrait", schedule=schedule(detail_ramp=0.6), progress=progress
    )
    return found.values()


@pytest.mark.parametrize(("progress", "ramp"), [(0.0, 0.0), (0.3, 0.5), (0.6, 1.0), (1.0, 1.0)])
def test_portraits_learn_by_the_second_phase_whose_details_come_in_slowly(
    batch: dict[str, Tensor], progress: float, ramp: float
) -> None:
    """Cross-entropy weighs 3.0, gradient and affinity 10 each at the end."""
    expected = pspm_loss(
        batch["prediction"],
        batch["alpha"],
        image=batch["image"],
        unknown=batch["trimap"] == 0.5,
        phase=2,
        logits=F.interpolate(batch["logits"], size=(16, 12), mode="bilinear", align_corners=False),
        classes=trimap_classes(batch["trimap"]),
        ce_weight=3.0,
        gradient_weight=10.0 * ramp,
        affinity_weight=10.0 * ramp,
    ).values()
    found = portrait_loss(batch, progress)
    assert found == pytest.approx(expected, rel=1e-6)
    assert {"alpha_unknown", "alpha_whole", "gradient", "cross_entropy"} <= found.keys()
    assert ("affinity" in found) == (ramp > 0), "what has no weight is not computed"


@pytest.mark.parametrize("layers", [True, False])
def test_trimap_networks_learn_in_the_unknown_region_alone(
    batch: dict[str, Tensor], layers: bool
) -> None:
    if not layers:
        batch = {name: value for name, value in batch.items() if name != "foreground"}

    def loss(changed: slice) -> float:
        prediction = batch["prediction"].clone()
        prediction[:, :, changed] = 1 - prediction[:, :, changed]
        settings = schedule(gradient_weight=None)
        return float(compute_loss(Answers(prediction), batch, "trimap", schedule=settings).total)

    assert loss(slice(0, 4)) == loss(slice(-4, None)) == loss(slice(0, 0))
    assert loss(slice(4, 12)) != loss(slice(0, 0))


def test_a_teacher_is_followed_over_the_whole_picture(batch: dict[str, Tensor]) -> None:
    answer = torch.zeros_like(batch["alpha"])
    settings = schedule(distillation_weight=2.0)
    arguments = (Answers(batch["prediction"]), batch, "trimap")
    alone = compute_loss(*arguments, schedule=settings).total  # type: ignore[arg-type]
    taught = compute_loss(*arguments, schedule=settings, teacher=Answers(answer)).total  # type: ignore[arg-type]
    assert float(taught - alone) == pytest.approx(
        2 * float(alpha_loss(batch["prediction"], answer)), rel=1e-5
    )


def test_the_encoder_learns_at_its_own_rate(tmp_path: Path) -> None:
    def moved(rate: float) -> tuple[float, float]:
        """Return the largest step of the encoder and of the rest."""
        torch.manual_seed(0)
        network = create_matting("pspm-slim", width=0.25)
        before = {name: value.clone() for name, value in network.named_parameters()}
        trained = train(
            network,
            data(),
            task="portrait",
            encoder=network.encoder,
            schedule=schedule(warmup=0, workers=0, learning_rate=1e-3, encoder_rate=rate),
            folder=tmp_path / str(rate),
        )
        steps = {
            name: float((value.detach() - before[name]).abs().max())
            for name, value in trained.named_parameters()
        }
        encoder = max(step for name, step in steps.items() if name.startswith("encoder."))
        return encoder, max(step for name, step in steps.items() if not name.startswith("encoder."))

    # Adam's first step is the learning rate, whatever the gradient
    assert moved(0.0) == (0.0, pytest.approx(1e-3, rel=1e-2))
    assert moved(0.01) == (pytest.approx(1e-5, rel=1e-2), pytest.approx(1e-3, rel=1e-2))
