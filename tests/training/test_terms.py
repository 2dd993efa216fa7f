"""Losses by name: known values, the region they look at, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from edgemat.errors import UsageError
from edgemat.models.network import MattingOutput
from edgemat.recipe.optimization import LossSection
from edgemat.training.detail import gradient_penalty_loss, laplacian_loss
from edgemat.training.losses import affinity_loss, pspm_loss
from edgemat.training.objective import ALL_UNKNOWN, compute_loss
from edgemat.training.pseudo import with_pseudo_labels
from edgemat.training.schedule import Schedule
from edgemat.training.terms import TERMS, weighted_terms

SIDE = 64


def batch(**changes: Tensor) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    trimap = torch.zeros(2, 1, SIDE, SIDE)
    trimap[..., 16:48], trimap[..., 48:] = ALL_UNKNOWN, 1.0
    alpha = torch.where(
        trimap == ALL_UNKNOWN, torch.rand(trimap.shape, generator=generator), trimap
    )
    layers = {
        name: torch.rand(2, 3, SIDE, SIDE, generator=generator)
        for name in ("foreground", "background")
    }
    image = alpha * layers["foreground"] + (1 - alpha) * layers["background"]
    return {"image": image, "alpha": alpha, "trimap": trimap} | layers | changes


def output(alpha: Tensor, *, estimates: bool = False) -> MattingOutput:
    logits = torch.zeros(len(alpha), 3, SIDE // 4, SIDE // 4) if estimates else None
    return MattingOutput(alpha, logits)


def test_names_are_the_recipe_s() -> None:
    assert set(LossSection.model_fields) == set(TERMS)


def test_a_perfect_matte_has_no_loss_but_the_penalty() -> None:
    data = batch()
    terms = dict.fromkeys(TERMS, 1.0) | {"cross_entropy": 0.0, "affinity": 0.0}
    parts = weighted_terms(output(data["alpha"]), data, terms).values()
    penalty = parts.pop("gradient_penalty")
    assert penalty == pytest.approx(parts.pop("total"), rel=1e-3) and penalty > 1e-4
    assert max(parts.values()) < 1e-5


def test_phase_two_is_the_printed_sum() -> None:
    data = batch()
    guess = torch.rand(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    weights = {"alpha_unknown": 1.0, "alpha_whole": 10.0, "gradient": 10.0, "affinity": 10.0}
    found = weighted_terms(output(guess, estimates=True), data, weights)
    unknown = data["trimap"] == ALL_UNKNOWN
    known = pspm_loss(guess, data["alpha"], image=data["image"], unknown=unknown, phase=2)
    torch.testing.assert_close(found.total, known.total)


def test_the_gradient_s_distance_of_a_ramp() -> None:
    """Truth 0, prediction a ramp of 0.01 a pixel across: |dx| is 0.01, and 0.01 of it on top."""
    ramp = (torch.arange(SIDE) * 0.01).expand(1, 1, SIDE, SIDE)
    flat = torch.zeros_like(ramp)
    mean = 0.01 * (SIDE - 1) / SIDE  # the last column has no right neighbour
    assert float(gradient_penalty_loss(ramp, flat, penalty=0)) == pytest.approx(mean, rel=1e-4)
    assert float(gradient_penalty_loss(ramp, flat)) == pytest.approx(1.01 * mean, rel=1e-4)


def test_the_pyramid_of_a_constant_is_its_last_level() -> None:
    """Nothing but the rest of level 4, sixteen times."""
    flat = torch.zeros(1, 1, 128, 128)
    inner = laplacian_loss(flat + 0.1, flat)
    assert float(inner) == pytest.approx(1.6, rel=0.2)  # zeros are spread at the border
    assert float(laplacian_loss(flat, flat)) == 0.0


def test_the_pyramid_weighs_coarse_errors_more() -> None:
    flat = torch.zeros(1, 1, 64, 64)
    fine = flat.clone()
    fine[..., ::2, ::2] = 0.4
    coarse = flat.clone()
    coarse[..., :32, :] = 0.2
    assert fine.mean() == pytest.approx(coarse.mean())
    assert laplacian_loss(coarse, flat) > laplacian_loss(fine, flat)


@pytest.mark.parametrize("loss", [laplacian_loss, gradient_penalty_loss])
def test_outside_of_the_region_nothing_is_learned(loss: object) -> None:
    data = batch()
    region = data["trimap"] == ALL_UNKNOWN
    wild = torch.where(region, data["alpha"], data["alpha"] + 3).requires_grad_()
    assert callable(loss)
    loss(wild, data["alpha"], region).backward()
    assert wild.grad is not None and not wild.grad[~region].any()


@pytest.mark.parametrize("loss", [laplacian_loss, gradient_penalty_loss])
def test_a_small_region_counts_as_a_large_one(loss: object) -> None:
    """The mean is over the region: the same error in a quarter of the picture is as large."""
    truth, pred = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    pred[..., 20:24, 20:24] = 1.0
    region = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    region[..., :32, :32] = True
    assert callable(loss)
    torch.testing.assert_close(loss(pred, truth, region), 4 * loss(pred, truth))


def test_the_printed_norm_is_as_many_times_larger_as_the_grid_has_cells() -> None:
    data = batch()
    mean, printed = (
        affinity_loss(data["alpha"], data["image"], side=8, norm=norm)
        for norm in ("mean", "frobenius")
    )
    torch.testing.assert_close(printed, 64 * mean)


def test_the_estimated_trimap_bounds_the_loss() -> None:
    data = batch()
    logits = torch.zeros(2, 3, SIDE // 4, SIDE // 4)
    logits[:, 0] = 1.0
    logits[:, 1, :, :2] = 9.0  # unknown at the left, where the truth says background
    wrong = data["alpha"].clone()
    wrong[..., :4] = 1.0
    seen = {
        unknown: weighted_terms(
            MattingOutput(wrong, logits), data, {"alpha_unknown": 1.0}, unknown=unknown
        ).values()["total"]
        for unknown in ("truth", "estimated")
    }
    assert seen["estimated"] > 0.3 and seen["truth"] < 1e-5


def test_what_a_network_lacks_is_said() -> None:
    data = batch()
    with pytest.raises(UsageError, match="estimates none"):
        weighted_terms(output(data["alpha"]), data, {"cross_entropy": 1.0})
    del data["foreground"], data["background"]
    with pytest.raises(UsageError, match="No loss is left"):
        weighted_terms(output(data["alpha"]), data, {"composition": 1.0})


class Seen(nn.Module):
    """Returns its input's first channel as a matte, and keeps what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> MattingOutput:
        self.inputs.append(x)
        return MattingOutput(x[:, :1])


def test_a_hidden_trimap_is_unknown_everywhere() -> None:
    network = Seen()
    settings = Schedule(steps=1, batch=2, prior="none", losses={"alpha_unknown": 1.0})
    compute_loss(network, batch(), "trimap", schedule=settings)
    assert torch.all(network.inputs[0][:, 3] == ALL_UNKNOWN)


@pytest.mark.parametrize("step", range(6))
def test_a_pseudo_label_is_turned_back(step: int) -> None:
    """A network that gives back a channel sees each picture as it is: only colours may move."""
    data = batch(pseudo=torch.tensor([True, False]))
    network = Seen().train()
    x = torch.cat([data["image"], data["trimap"]], dim=1)
    found = with_pseudo_labels(network, x, data, step=step)["alpha"]
    assert network.training and network.inputs[0].shape[0] == 1
    assert torch.equal(found[1], data["alpha"][1])
    known = data["trimap"][0] != ALL_UNKNOWN
    assert torch.equal(found[0][known], data["alpha"][0][known])
    channel = [0, 0, 0, 1, 2, 0][step]  # (1, 2, 0), (2, 0, 1) and (0, 2, 1) come first
    torch.testing.assert_close(found[0][~known], data["image"][0, channel : channel + 1][~known])


def test_a_pseudo_label_waits_for_no_other_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All take part in a call of DistributedDataParallel, and not all have AC at a step."""
    distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        network = nn.Sequential(nn.BatchNorm2d(4), Seen())
        wrapped = DistributedDataParallel(network)
        monkeypatch.delattr(DistributedDataParallel, "forward")
        data = batch(pseudo=torch.tensor([True, False]))
        x = torch.cat([data["image"], data["trimap"]], dim=1)
        assert with_pseudo_labels(wrapped, x, data, step=0) is not data
    finally:
        distributed.destroy_process_group()


def test_a_pseudo_picture_has_no_composition_loss() -> None:
    data = batch(pseudo=torch.tensor([True, True]))
    guess = data["alpha"] * 0.5
    found = weighted_terms(output(guess), data, {"alpha_unknown": 1.0, "composition": 1.0})
    assert float(found.parts["composition"]) == 0.0 and float(found.parts["alpha_unknown"]) > 0.1
