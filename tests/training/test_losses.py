"""The losses against values worked out by hand, and their gradients."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from edgemat.errors import UsageError
from edgemat.training.losses import (
    affinity_loss,
    alpha_loss,
    composition_loss,
    forgive_overshoot,
    gradient_loss,
    indexnet_loss,
    pspm_loss,
    sobel,
    trimap_classes,
    trimap_cross_entropy,
)


def tensor(rows: Any) -> Tensor:
    """Return a 1,1,H,W float64 tensor."""
    return torch.tensor(rows, dtype=torch.float64)[None, None]


@pytest.fixture
def batch() -> dict[str, Tensor]:
    """Two random 12x10 samples; the second one has no unknown pixel."""
    random = torch.Generator().manual_seed(0)

    def rand(channels: int) -> Tensor:
        return torch.rand(2, channels, 12, 10, generator=random)

    unknown = rand(1) > 0.5
    unknown[1] = False
    return {
        "pred": rand(1),
        "truth": rand(1),
        "image": rand(3),
        "foreground": rand(3),
        "background": rand(3),
        "unknown": unknown,
        "logits": rand(3),
        "classes": torch.randint(0, 3, (2, 12, 10), generator=random),
    }


def test_alpha_loss_by_hand() -> None:
    pred, truth = tensor([[0.5, 1.0], [0.0, 0.2]]), tensor([[0.0, 1.0], [0.0, 1.0]])
    assert float(alpha_loss(pred, truth)) == pytest.approx((0.5 + 0.8) / 4, abs=1e-6)
    region = tensor([[1, 1], [0, 0]]).bool()
    assert float(alpha_loss(pred, truth, region)) == pytest.approx(0.25, abs=1e-6)


def test_overshoot_is_forgiven_on_the_right_side_alone() -> None:
    truth = tensor([[1.0, 1.0, 0.0, 0.0, 0.5]])
    pred = tensor([[1.2, -0.3, -0.2, 1.1, 1.2]]).requires_grad_()
    forgiven = forgive_overshoot(pred, truth)
    assert forgiven[0, 0, 0].tolist() == pytest.approx([1.0, -0.3, 0.0, 1.1, 1.2])
    alpha_loss(forgiven, truth).backward()
    assert pred.grad is not None
    # what is wrong goes on learning, by how it is wrong
    assert pred.grad[0, 0, 0].sign().tolist() == [0, -1, 0, 1, 1]


def test_batch_mean_is_over_images_not_over_pixels() -> None:
    pred = torch.zeros(2, 1, 2, 2)
    truth = torch.ones(2, 1, 2, 2) * torch.tensor([1.0, 0.5]).view(2, 1, 1, 1)
    region = torch.ones(2, 1, 2, 2)
    region[0, 0, 0, 0] = 0
    assert float(alpha_loss(pred, truth, region)) == pytest.approx((1.0 + 0.5) / 2)


def test_composition_loss_sums_channels_and_divides_by_pixels() -> None:
    foreground, background = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    image = torch.tensor([0.5, 0.25, 0.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    loss = composition_loss(
        torch.full((1, 1, 2, 2), 0.5), image=image, foreground=foreground, background=background
    )
    assert float(loss) == pytest.approx(0.0 + 0.25 + 0.5, abs=1e-5)


def test_composition_loss_of_the_true_matte_is_nothing(batch: dict[str, Tensor]) -> None:
    truth, fg, bg = batch["truth"], batch["foreground"], batch["background"]
    image = truth * fg + (1 - truth) * bg
    loss = composition_loss(truth, image=image, foreground=fg, background=bg)
    assert float(loss) <= 3e-6  # three channels of the Charbonnier floor 1e-6


def test_sobel_of_a_ramp_is_its_slope() -> None:
    ramp = torch.arange(6, dtype=torch.float64).expand(1, 1, 5, 6)
    gx, gy = sobel(ramp)
    assert torch.equal(gx[..., 1:-1], torch.ones(1, 1, 5, 4, dtype=torch.float64))
    assert (gx[..., 0] == 0.5).all() and (gx[..., -1] == 0.5).all()  # the border is replicated
    assert (gy == 0).all()
    gx_t, gy_t = sobel(ramp.mT)
    assert torch.equal(gy_t, gx.mT) and torch.equal(gx_t, gy.mT)


def test_gradient_loss_weighs_the_unknown_region_twice() -> None:
    ramp = torch.arange(8, dtype=torch.float64).expand(1, 1, 6, 8) * 0.1
    flat = torch.zeros_like(ramp)
    inner = torch.zeros_like(ramp)
    inner[..., 2:4] = 1  # |gx| is 0.1 here
    outer_mean = (0.05 * 2 + 0.1 * 4) / 6  # two replicated border columns, four inner ones
    assert float(gradient_loss(ramp, flat, inner)) == pytest.approx(0.1 + 0.5 * outer_mean)
    assert float(gradient_loss(ramp, ramp, inner)) == 0.0


def test_affinity_loss_by_hand() -> None:
    pred = tensor([[0.0, 1.0]])
    flat = torch.full((1, 3, 1, 2), 0.5, dtype=torch.float64)
    # Matrix of the matte: 1 on the diagonal, exp(-1) off it; of the flat image: all 1.
    assert float(affinity_loss(pred, flat)) == pytest.approx((1 - math.exp(-1)) / math.sqrt(2))
    assert float(affinity_loss(pred, pred.expand(1, 3, 1, 2))) == pytest.approx(1e-6)


def test_affinity_of_a_flat_matte_is_not_stretched() -> None:
    noise = 1e-6 * torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    flat = torch.full((1, 3, 8, 8), 0.5)
    matte = noise.requires_grad_()
    loss = affinity_loss(matte, flat)
    loss.backward()
    assert float(loss.detach()) < 1e-5
    assert matte.grad is not None and matte.grad.abs().max() < 1.0


@pytest.mark.parametrize("size", [(39, 39), (601, 333), (20, 20)])
def test_affinity_grid_is_bounded_whatever_the_size(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    exp = torch.exp

    def spy(x: Tensor) -> Tensor:
        sizes.append(x.numel())
        return exp(x)

    monkeypatch.setattr(torch, "exp", spy)
    affinity_loss(torch.rand(1, 1, *size), torch.rand(1, 3, *size))
    assert sizes and max(sizes) <= 20**4


def test_trimap_classes_of_the_network_channel() -> None:
    trimap = torch.tensor([0, 128, 255]).view(1, 1, 1, 3) / 255
    assert trimap_classes(trimap).tolist() == [[[0, 1, 2]]]


def test_cross_entropy_by_hand() -> None:
    logits = torch.log(torch.tensor([0.2, 0.5, 0.3])).view(1, 3, 1, 1)
    loss = trimap_cross_entropy(logits, torch.tensor([[[1]]]))
    assert float(loss) == pytest.approx(-math.log(0.5))


def test_indexnet_loss_is_the_mean_of_its_parts(batch: dict[str, Tensor]) -> None:
    names = ("image", "foreground", "background", "unknown")
    loss = indexnet_loss(batch["pred"], batch["truth"], **{n: batch[n] for n in names})
    values = loss.values()
    assert values["total"] == pytest.approx((values["alpha"] + values["composition"]) / 2)
    assert values["alpha"] == pytest.approx(
        float(alpha_loss(batch["pred"], batch["truth"], batch["unknown"]))
    )


def test_pspm_phases_are_weighted_as_in_the_thesis(batch: dict[str, Tensor]) -> None:
    pred, truth, image, unknown = (batch[n] for n in ("pred", "truth", "image", "unknown"))
    first = pspm_loss(pred, truth, image=image, unknown=unknown, phase=1)
    assert list(first.parts) == ["alpha_unknown"]
    assert float(first.total) == float(alpha_loss(pred, truth, unknown))
    second = pspm_loss(
        pred,
        truth,
        image=image,
        unknown=unknown,
        phase=2,
        logits=batch["logits"],
        classes=batch["classes"],
    ).values()
    whole = second["alpha_whole"] + second["gradient"] + second["affinity"]
    expected = second["alpha_unknown"] + 10 * whole + 0.1 * second["cross_entropy"]
    assert second["total"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("content", ["random", "perfect", "flat", "nothing unknown"])
def test_every_loss_and_gradient_is_finite(batch: dict[str, Tensor], content: str) -> None:
    if content == "perfect":
        batch["pred"] = batch["truth"].clone()
    if content == "flat":
        batch["pred"] = torch.zeros_like(batch["pred"])
        batch["image"] = torch.zeros_like(batch["image"])
    if content == "nothing unknown":
        batch["unknown"] = torch.zeros_like(batch["unknown"])
    pred, logits = batch["pred"].requires_grad_(), batch["logits"].requires_grad_()
    names = ("image", "foreground", "background", "unknown")
    indexnet = indexnet_loss(pred, batch["truth"], **{n: batch[n] for n in names})
    pspm = pspm_loss(
        pred,
        batch["truth"],
        image=batch["image"],
        unknown=batch["unknown"],
        phase=2,
        logits=logits,
        classes=batch["classes"],
    )
    (indexnet.total + pspm.total).backward()
    assert all(math.isfinite(v) for v in {**indexnet.values(), **pspm.values()}.values())
    assert pred.grad is not None and pred.grad.isfinite().all()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_autocast_changes_nothing(batch: dict[str, Tensor]) -> None:
    pred, truth, image, unknown = (batch[n] for n in ("pred", "truth", "image", "unknown"))
    plain = pspm_loss(pred, truth, image=image, unknown=unknown, phase=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = pspm_loss(pred, truth, image=image, unknown=unknown, phase=2)
    assert cast.values() == plain.values()


def test_half_precision_is_raised(batch: dict[str, Tensor]) -> None:
    pred = batch["truth"].bfloat16().requires_grad_()
    loss = alpha_loss(pred, pred.detach())
    loss.backward()
    assert loss.dtype == torch.float32
    assert pred.grad is not None and pred.grad.isfinite().all()


def test_gradients_are_the_true_ones(batch: dict[str, Tensor]) -> None:
    small = {n: t[:, :, :4, :4].double() for n, t in batch.items() if n != "classes"}
    pred = small["pred"].clone().requires_grad_()
    logits = small["logits"].clone().requires_grad_()
    names = ("image", "foreground", "background", "unknown")
    assert torch.autograd.gradcheck(
        lambda p: indexnet_loss(p, small["truth"], **{n: small[n] for n in names}).total, (pred,)
    )
    assert torch.autograd.gradcheck(
        lambda p, s: (
            pspm_loss(
                p,
                small["truth"],
                image=small["image"],
                unknown=small["unknown"],
                phase=2,
                logits=s,
                classes=batch["classes"][:, :4, :4],
            ).total
        ),
        (pred, logits),
    )


def test_wrong_shapes_are_named() -> None:
    square, wide = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 4, 8)
    with pytest.raises(UsageError, match="1x1x4x4 beside 1x1x4x8"):
        alpha_loss(square, wide)
    with pytest.raises(UsageError, match="1x1x4x8 beside 1x1x4x4"):
        alpha_loss(square, square, wide)
    with pytest.raises(UsageError, match="logits without classes"):
        pspm_loss(
            square, square, image=square, unknown=square, phase=1, logits=torch.rand(1, 3, 4, 4)
        )
    with pytest.raises(UsageError, match="no training phase 3"):
        pspm_loss(square, square, image=square, unknown=square, phase=3)  # type: ignore[arg-type]
