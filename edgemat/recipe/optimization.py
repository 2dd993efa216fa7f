"""The keys of a training that its text in the thesis fixes: optimiser, decay, losses, parts.

Apart from `edgemat.recipe.sections`, whose TrainSection has them all; none is needed where
edgemat's own defaults will do.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from edgemat.section import Section, wrong


class LossSection(Section):
    """Weights of the losses, which then replace the task's own; see `edgemat.training.terms`."""

    alpha_unknown: float = Field(default=0.0, ge=0, description="l_aU, eq. 6.5")
    alpha_whole: float = Field(default=0.0, ge=0, description="l_aI, eq. 6.5")
    composition: float = Field(default=0.0, ge=0, description="where layers are known")
    gradient: float = Field(default=0.0, ge=0, description="l_g, eq. 6.6 to 6.8")
    affinity: float = Field(default=0.0, ge=0, description="l_A, eq. 6.9")
    cross_entropy: float = Field(default=0.0, ge=0, description="L_c, eq. 6.3")
    laplacian: float = Field(default=0.0, ge=0, description="l_lap")
    gradient_difference: float = Field(default=0.0, ge=0, description="l_g of Table 5.3")
    gradient_penalty: float = Field(default=0.0, ge=0, description="l_gp, eq. 5.4")

    @model_validator(mode="after")
    def _something_is_learned(self) -> LossSection:
        if not any(self.model_dump().values()):
            raise wrong("no loss has a weight", "Give one, such as alpha_unknown = 1.")
        return self


class PartsSection(Section):
    """Two trained networks to start from, each of which gives the part that it has."""

    segmentation: str = Field(description="encoder and trimap decoder: a float artefact, or a name")
    matting: str = Field(description="the matting decoder's layers: one of an IndexNet")


class BlendSection(Section):
    """Another trained network of the same architecture, whose weights are mixed into the result."""

    other: str = Field(description="a float artefact, or a name")
    share: float = Field(gt=0, lt=1, description="of its weights in the result")


class OptimizationSection(Section):
    """Base of the section on training."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of SGD")
    weight_decay: float = Field(default=0.0, ge=0)
    decay: Literal["cosine", "step", "poly", "constant"] = Field(
        default="cosine", description="how the learning rate falls after the warm-up"
    )
    epoch: int = Field(default=1, gt=0, description="steps of an epoch")
    milestones: tuple[int, ...] = Field(
        default=(), description="epochs at which a step decay multiplies by drop"
    )
    drop: float = Field(default=0.1, gt=0, lt=1)
    power: float = Field(default=0.9, gt=0, description="of a poly decay")
    hold: int = Field(default=1, gt=0, description="epochs between two values of a poly decay")
    accumulate: int = Field(
        default=1, gt=0, description="parts that a batch is gone through in, for want of memory"
    )
    average: float = Field(
        default=0.0, ge=0, lt=1, description="decay of a moving average of the weights; 0: none"
    )
    losses: LossSection | None = Field(
        default=None, description="by default edgemat's own for the task"
    )
    unknown: Literal["truth", "estimated"] = Field(
        default="truth", description="whose unknown region the losses look at"
    )
    prior: Literal["trimap", "none"] = Field(
        default="trimap", description="none: a trimap network sees unknown everywhere"
    )
    affinity_norm: Literal["mean", "frobenius"] = Field(
        default="mean", description="of eq. 6.9; frobenius as printed"
    )
    trains: Literal["all", "segmentation", "matting"] = Field(
        default="all", description="part of a portrait network; the rest stays as it is"
    )
    blend: BlendSection | None = Field(
        default=None,
        description="at the end, each weight is that share of another network's: what was tuned to "
        "new pictures from it keeps more of the old ones",
    )
    parts: PartsSection | None = Field(
        default=None, description="instead of start: two networks to start from"
    )
    augmentation: Literal["auto", "indexnet", "gca", "photographs"] = Field(
        default="auto", description="views of the mattes; see edgemat.data.pipelines"
    )
    strong: tuple[Literal["af", "afb", "ac", "degrade", "degrade-alpha"], ...] = Field(
        default=(), description="changes of colour and quality; see edgemat.data.strong"
    )

    @model_validator(mode="after")
    def _milestones_go_with_steps(self) -> OptimizationSection:
        if (self.decay == "step") != bool(self.milestones):
            raise wrong(
                f'decay = "{self.decay}" with milestones {list(self.milestones)}',
                'Milestones and decay = "step" go together.',
            )
        if list(self.milestones) != sorted(set(self.milestones)):
            raise wrong("milestones that do not rise", "Write them in order, each once.")
        return self
