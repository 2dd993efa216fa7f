"""The objective of training: the losses of a network's chapter, and the distance to a teacher."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.images import UNKNOWN
from edgemat.models.info import MattingTask
from edgemat.models.network import Mattes, MattingOutput
from edgemat.training.losses import (
    Loss,
    alpha_loss,
    forgive_overshoot,
    gradient_loss,
    indexnet_loss,
    pspm_loss,
    trimap_classes,
)
from edgemat.training.pseudo import with_pseudo_labels
from edgemat.training.schedule import Schedule
from edgemat.training.terms import weighted_terms

# The thesis starts PSPM from two trained networks and has two phases. From nothing, in one go, the
# segmentation branch needs more than eq. 6.3's 0.1, and the losses on detail must come in slowly:
# at full weight they first make the matte flat, and it stays flat for hundreds of steps.
SEGMENTATION_WEIGHT = 3.0
PORTRAIT_GRADIENT = 10.0
# A trimap of which nothing is known, as files hold it.
ALL_UNKNOWN = UNKNOWN / 255


def compute_loss(
    network: Mattes,
    batch: dict[str, Tensor],
    task: MattingTask,
    *,
    schedule: Schedule,
    progress: float = 1.0,
    teacher: Mattes | None = None,
    step: int = 0,
) -> Loss:
    """Run the network on a batch and return the losses of its chapter, or those of the schedule.

    Parameters
    ----------
    schedule:
        Has the weights of the losses.
    progress:
        Share of the training that is done, 0..1.
    teacher:
        Adds the distance to its answers.
    step:
        Of the training; says from where pseudo labels are seen, where there are any.
    """
    x = batch["image"]
    if task == "trimap":
        trimap = batch["trimap"]
        if schedule.prior == "none":
            trimap = torch.full_like(trimap, ALL_UNKNOWN)
        x = torch.cat([x, trimap], dim=1)
    if isinstance(network, nn.Module):
        batch = with_pseudo_labels(network, x, batch, step=step)
    output = network(x)
    if schedule.losses is None:
        loss = _matting_loss(output, batch, task, schedule, progress)
    else:
        loss = weighted_terms(
            output,
            batch,
            schedule.losses,
            unknown=schedule.unknown,
            affinity_norm=schedule.affinity_norm,
        )
    if teacher is None:
        return loss
    with torch.no_grad():
        answer = teacher(x)
    distance = distillation_loss(output, answer, ignored=batch.get("ignored"))
    total = loss.total + schedule.distillation_weight * distance
    return Loss(total, loss.parts | {"distillation": distance})


def distillation_loss(
    output: MattingOutput, answer: MattingOutput, *, ignored: Tensor | None = None
) -> Tensor:
    """Return how far mattes, and trimaps where there are any, lie from a teacher's.

    The alpha-prediction loss (eq. 6.5) over the whole picture, the teacher's matte in the place of
    the truth, and the Kullback-Leibler divergence of the trimap's classes.

    Parameters
    ----------
    ignored:
        B,1,H,W bool, where any answer is right.
    """
    learned = None if ignored is None else ~ignored
    distance = alpha_loss(output.alpha, answer.alpha.clamp(0, 1), learned)
    if output.trimap_logits is None or answer.trimap_logits is None:
        return distance
    own = F.log_softmax(output.trimap_logits.float(), dim=1)
    wanted = F.log_softmax(answer.trimap_logits.float(), dim=1)
    divergence = F.kl_div(own, wanted, reduction="none", log_target=True).sum(dim=1, keepdim=True)
    if ignored is None:
        return distance + divergence.mean()
    covered = F.adaptive_max_pool2d(ignored.float(), divergence.shape[-2:])
    kept = 1 - covered
    return distance + (divergence * kept).sum() / kept.sum().clamp_min(1)


def _matting_loss(
    output: MattingOutput,
    batch: dict[str, Tensor],
    task: MattingTask,
    schedule: Schedule,
    progress: float,
) -> Loss:
    image, trimap, truth = batch["image"], batch["trimap"], batch["alpha"]
    ignored = batch.get("ignored")
    unknown = (trimap > 0) & (trimap < 1)
    if task == "trimap":
        alpha = forgive_overshoot(output.alpha.float(), truth)
        if "foreground" not in batch:  # photographs, whose layers nobody knows
            only = alpha_loss(alpha, truth, unknown)
            return Loss(only, {"alpha": only})
        loss = indexnet_loss(
            alpha,
            truth,
            image=image,
            foreground=batch["foreground"],
            background=batch["background"],
            unknown=unknown,
        )
        if not schedule.gradient_weight:
            return loss
        gradient = gradient_loss(alpha, truth, unknown)
        total = loss.total + schedule.gradient_weight * gradient
        return Loss(total, loss.parts | {"gradient": gradient})
    if output.trimap_logits is None:  # of a stranger's network, which has no trimap of its own
        return _own_matte(output.alpha.float(), truth, unknown, ignored, schedule)
    logits = F.interpolate(
        output.trimap_logits.float(), size=truth.shape[-2:], mode="bilinear", align_corners=False
    )
    ramp = min(1.0, progress / schedule.detail_ramp) if schedule.detail_ramp else 1.0
    gradient_weight = schedule.gradient_weight
    if gradient_weight is None:
        gradient_weight = PORTRAIT_GRADIENT
    alpha = forgive_overshoot(output.alpha.float(), truth)
    if ignored is not None:  # what is right there has no error, and no gradient
        alpha, unknown = torch.where(ignored, truth, alpha), unknown & ~ignored
    return pspm_loss(
        alpha,
        truth,
        image=image,
        unknown=unknown,
        phase=2,
        logits=logits,
        classes=trimap_classes(trimap, ignored),
        ce_weight=SEGMENTATION_WEIGHT,
        gradient_weight=gradient_weight * ramp,
        affinity_weight=schedule.affinity_weight * ramp,
    )


def _own_matte(
    alpha: Tensor, truth: Tensor, unknown: Tensor, ignored: Tensor | None, schedule: Schedule
) -> Loss:
    """Return the alpha and gradient losses of a network that gives a matte and nothing else."""
    alpha = forgive_overshoot(alpha, truth)
    if ignored is not None:
        alpha, unknown = torch.where(ignored, truth, alpha), unknown & ~ignored
    weight = PORTRAIT_GRADIENT if schedule.gradient_weight is None else schedule.gradient_weight
    whole, gradient = alpha_loss(alpha, truth), gradient_loss(alpha, truth, unknown)
    return Loss(whole + weight * gradient, {"alpha": whole, "gradient": gradient})
