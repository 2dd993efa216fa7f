"""The sections of a recipe on training, pruning and quantization; see :mod:`.schema`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from edgemat.artifacts.shipped import find_artifact
from edgemat.artifacts.vocabulary import BatchNorm, Importance, PruningCost, QuantizationMode
from edgemat.errors import UsageError
from edgemat.recipe.optimization import OptimizationSection
from edgemat.section import MAX_PICTURES, MAX_SIDE, Section, wrong

MAX_BATCH = 65_536


class PhaseSection(Section):
    """A part of the training with pictures of one size."""

    steps: int = Field(gt=0)
    batch: int = Field(gt=1, le=MAX_BATCH)
    size: int = Field(ge=64, le=MAX_SIDE)


class TuneSection(PhaseSection):
    """The training of a network that is trained already: its length, its rates, its crops."""

    batch: int = Field(
        default=8, gt=1, le=MAX_BATCH, description="batch normalisation needs two pictures"
    )
    size: int = Field(default=160, ge=64, le=MAX_SIDE, description="side of the training crops, px")
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup: int = Field(default=50, ge=0, description="steps until the full learning rate")
    gradient_weight: float | None = Field(
        default=None, ge=0, description="by default 10 for portrait networks, else 0"
    )
    affinity_weight: float = Field(default=10.0, ge=0, description="portrait networks")
    distillation_weight: float = Field(
        default=1.0, ge=0, description="of the distance to the teacher, where there is one"
    )
    bn: Literal["auto", "frozen", "running"] = Field(
        default="auto",
        description="statistics of batch normalisation: frozen where a trained network is the "
        "start, running where it is not, or where it was pruned",
    )
    autocast: Literal["none", "bf16", "fp16", "auto"] = "none"
    workers: int = Field(default=1, ge=0, le=256, description="processes that prepare data")
    checkpoint_every: int = Field(default=50, gt=0, description="steps")

    @property
    def statistics(self) -> BatchNorm:
        """Return what `bn` means here."""
        return "running" if self.bn == "auto" else self.bn


class TrainSection(TuneSection, OptimizationSection):
    """The training of a network: from nothing, from ImageNet's encoder, or from a trained one."""

    steps: int = Field(ge=0, description="0 takes the weights of `start` as they are")
    before: tuple[PhaseSection, ...] = Field(
        default=(), description="earlier phases, on smaller pictures"
    )
    bn: Literal["auto", "encoder", "frozen", "running"] = Field(  # type: ignore[assignment] # one more
        default="auto",
        description="statistics of batch normalisation: frozen where a trained network is the "
        "start, running where it is not; encoder fixes its layers, scale and shift as well",
    )
    encoder_rate: float = Field(
        default=1.0, ge=0, description="the encoder's learning rate, as a factor"
    )
    init: str | None = Field(
        default=None,
        description='encoder weights of ImageNet: "torchvision", or a checkpoint',
    )
    encoder: str | None = Field(
        default=None,
        description="a trained network of any architecture whose encoder is started from: a float "
        "artefact, or a name",
    )
    start: str | None = Field(
        default=None, description="a trained network to start from: a float artefact, or a name"
    )
    teacher: str | None = Field(
        default=None,
        description="a trained network of the same task, whose mattes are learned from as well: "
        "a float artefact, or a name",
    )
    half_weights: bool = Field(
        default=False,
        description="round convolutions to half precision at the end: half the file",
    )

    def paths(self) -> Iterable[Path]:
        if self.init is not None and self.init != "torchvision":
            yield Path(self.init)
        yield from (find_artifact(named) for _, named in self.named())

    def named(self) -> Iterable[tuple[str, str]]:
        """Return the trained networks that are named, by their keys."""
        found = {"encoder": self.encoder, "start": self.start, "teacher": self.teacher}
        if self.blend is not None:
            found["blend.other"] = self.blend.other
        if self.parts is not None:
            found["parts.segmentation"] = self.parts.segmentation
            found["parts.matting"] = self.parts.matting
        return [(key, name) for key, name in found.items() if name is not None]

    @property
    def statistics(self) -> BatchNorm:
        """Return what `bn` means here."""
        trained = self.start is not None or self.parts is not None
        return "frozen" if self.bn == "auto" and trained else super().statistics

    @model_validator(mode="after")
    def _no_steps_need_weights(self) -> TrainSection:
        if self.steps == 0 and self.start is None and self.parts is None:
            raise wrong("no steps and no weights", "Give steps, or start, or both.")
        return self

    @model_validator(mode="after")
    def _one_start(self) -> TrainSection:
        if sum(one is not None for one in (self.init, self.encoder, self.start, self.parts)) > 1:
            raise wrong(
                "two weights to start from", "Give init, encoder, start or parts, one of them."
            )
        return self

    @model_validator(mode="after")
    def _batch_is_gone_through_in_equal_parts(self) -> TrainSection:
        for phase in (*self.before, self):
            if phase.batch % self.accumulate:
                raise wrong(
                    f"a batch of {phase.batch} in {self.accumulate} parts",
                    "Give accumulate that divides every batch.",
                )
        return self


class RecoverSection(TuneSection):
    """The training of a pruned network: by its errors, and by the matte of the whole one."""

    steps: int = Field(default=250, gt=0)
    size: int = Field(default=192, ge=64, le=MAX_SIDE, description="side of the training crops, px")
    learning_rate: float = Field(default=5e-4, gt=0)
    warmup: int = Field(default=20, ge=0, description="steps until the full learning rate")
    gradient_weight: float = Field(default=5.0, ge=0)
    affinity_weight: float = Field(default=0.0, ge=0, description="portrait networks")
    distillation_weight: float = Field(
        default=3.0, ge=0, description="of the distance to the whole"
    )
    autocast: Literal["none", "bf16", "fp16", "auto"] = "auto"


class PruneSection(Section):
    """Structured pruning, in rounds that each end in training."""

    keep: float | None = Field(default=None, gt=0, lt=1, description="share of the cost that stays")
    milliseconds: float | None = Field(
        default=None, gt=0, description="instead: what the int8 convolutions may take on this host"
    )
    cost: PruningCost = Field(
        default="macs",
        description="multiply-accumulates, or int8 convolutions' milliseconds on this host",
    )
    importance: Importance = "taylor"
    rounds: int = Field(default=2, gt=0, le=1000)
    batches: int = Field(
        default=8, gt=0, le=MAX_PICTURES, description="that the importance is measured on"
    )
    tune: RecoverSection = RecoverSection()

    @model_validator(mode="after")
    def _one_target(self) -> PruneSection:
        if (self.keep is None) == (self.milliseconds is None):
            raise wrong("no target for pruning, or two", "Give either keep or milliseconds.")
        if self.milliseconds is not None and self.cost != "host":
            raise wrong("milliseconds of multiply-accumulates", 'Give cost = "host" as well.')
        return self

    def share_of(self, full: float) -> float:
        """Return the share of the whole network's cost that stays.

        Raises
        ------
        UsageError
            When the network costs no more than that.
        """
        if self.milliseconds is None:
            assert self.keep is not None
            return self.keep
        if self.milliseconds >= full:
            raise UsageError(
                f"The int8 convolutions take {full:.2f} ms here: {self.milliseconds:g} ms is kept "
                "without pruning.",
                remedy="Give fewer milliseconds.",
            )
        return self.milliseconds / full


class QatSection(TuneSection):
    """Quantization-aware training, from the post-training result on."""

    steps: int = Field(default=200, gt=0)
    batch: int = Field(default=4, gt=1)
    size: int = Field(default=288, ge=64, le=MAX_SIDE, description="side of the training crops, px")
    learning_rate: float = Field(
        default=1e-5, gt=0, description="relative: a share of a channel's largest weight"
    )
    warmup: int = Field(default=10, ge=0, description="steps until the full learning rate")
    gradient_weight: float = Field(default=20.0, ge=0)
    affinity_weight: float = Field(default=0.0, ge=0, description="portrait networks")
    distillation_weight: float = Field(
        default=3.0, ge=0, description="of the distance to the float model"
    )
    range_rate: float = Field(
        default=0.1, ge=0, description="the quantizers' learning rate, as a factor; 0 keeps ranges"
    )


class QuantizeSection(Section):
    """The pictures that quantization ranges are collected on, and whether they are trained on."""

    mode: QuantizationMode = Field(
        default="ptq", description="post-training, or trained on from there"
    )
    calibration: int = Field(default=64, gt=0, le=MAX_PICTURES, description="pictures")
    keep_float: tuple[str, ...] = Field(
        default=(), description="blocks that stay in float; `edgemat sensitivity` names them"
    )
    keep_w8a16: tuple[str, ...] = Field(
        default=(), description="blocks of which only the weights become int8"
    )
    qat: QatSection = QatSection()

    @property
    def wholly_int8(self) -> bool:
        return not (self.keep_float or self.keep_w8a16)
