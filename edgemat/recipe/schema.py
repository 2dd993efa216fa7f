"""Recipes: TOML files that say what to train, quantize, convert, check and measure.

Every key is listed here, with its default; an unknown key, a wrong type or an impossible value is
named, with the nearest right key. Everything is checked when the recipe is loaded: a word that is
wrong must not be found after an hour of training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
)

from edgemat.artifacts.artifact import Card
from edgemat.artifacts.vocabulary import ERROR_NAMES
from edgemat.convert.backends import all_targets, default_targets
from edgemat.errors import UsageError, nearest
from edgemat.recipe.network import NetworkSection
from edgemat.recipe.sections import PruneSection, QuantizeSection
from edgemat.scoring.bounds import parse_limit
from edgemat.section import MAX_PICTURES, MAX_SEED, MAX_THREADS, Section, wrong

# What is measured of every file, and of int8 files besides: `parity` may bound these.
AGREEMENT = ("psnr_db", "max_abs", "mean_abs")
WHOLLY_INT8 = ("int8_share", "float_islands")
PROOF = (*WHOLLY_INT8, "scales_exact_share", "tensors_equal_share")


def _rule(rule: str) -> str:
    try:
        parse_limit(rule)
    except UsageError as error:
        raise wrong("this is no bound", error.remedy) from error
    return rule


def _absolute_rule(rule: str) -> str:
    remedy = "Write for example '>=45', '<=1e-4' or '==1'."
    try:
        limit = parse_limit(rule)
    except UsageError as error:
        raise wrong("this is no bound", remedy) from error
    if limit.relative:
        raise wrong("a bound on agreement has nothing to be relative to", remedy)
    return rule


def _known(kind: str, name: str, names: Iterable[str]) -> None:
    if name not in (names := tuple(names)):
        raise wrong(f"there is no {kind} {name!r}", nearest(name, names))


BoundRule = Annotated[str, AfterValidator(_rule)]
"""A bound as written; see :mod:`edgemat.scoring.bounds`."""
AbsoluteRule = Annotated[str, AfterValidator(_absolute_rule)]
"""One that compares with no reference."""
Threads = Annotated[int, Field(gt=0, le=MAX_THREADS)]


class ModelSection(NetworkSection):
    """One network on its way to the phone: what is trained, and what is made of it."""

    prune: PruneSection | None = None
    quantize: QuantizeSection = QuantizeSection()
    demonstration: bool = Field(
        default=False, description="weights of a run of minutes: not fit for an app"
    )
    card: Card | None = Field(default=None, description="purpose, data and limits, for users")
    targets: tuple[str, ...] = Field(default_factory=default_targets)
    parity: dict[str, dict[str, AbsoluteRule]] = Field(
        default={}, description="bounds on agreement, by target; they replace the target's own"
    )

    @property
    def network(self) -> NetworkSection:
        """The network and its training, without what is made of it afterwards."""
        return NetworkSection(**{name: getattr(self, name) for name in NetworkSection.model_fields})

    @field_validator("targets")
    @classmethod
    def _targets_exist(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        for target in targets:
            _known("target", target, all_targets())
        if len(set(targets)) < len(targets):
            raise wrong("a target is named twice", "Keep one of the two.")
        return targets

    @field_validator("parity")
    @classmethod
    def _figures_are_measured(cls, parity: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for target, bounds in parity.items():
            _known("target", target, all_targets())
            measured = AGREEMENT + (PROOF if all_targets()[target].quantized else ())
            for figure in bounds:
                _known(f"measured figure of {target}", figure, measured)
        return parity


class VerifySection(Section):
    """The pictures that files are run on to be compared."""

    images: int = Field(default=16, gt=0, le=MAX_PICTURES, description="validation composites")


class BenchSection(Section):
    """The devices to measure on, and the protocol's lengths; see `edgemat.bench.protocol`."""

    devices: tuple[str, ...] = Field(
        default=("host",), description="as `edgemat devices` lists them"
    )
    runs: int = Field(default=200, gt=0)
    seconds: float = Field(default=10.0, gt=0)
    warmup_runs: int = Field(default=10, gt=0)
    warmup_seconds: float = Field(default=1.0, ge=0)
    threads: tuple[Threads, ...] = Field(default=(1, 2), min_length=1)


class Recipe(Section):
    """The whole file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    seed: int = Field(default=1, ge=0, le=MAX_SEED)
    threads: int = Field(
        default=2, gt=0, le=MAX_THREADS, description="of training; results depend on it"
    )
    licence: str = "Apache-2.0"
    data_notice: str | None = Field(
        default=None, description="by default that of the weights that training starts from"
    )
    models: tuple[ModelSection, ...] = Field(min_length=1)
    verify: VerifySection = VerifySection()
    gate: dict[str, BoundRule] = Field(
        default={"sad": "+5%", "grad": "+10%"},
        description="errors of int8 files in the unknown region, against the float model's",
    )
    bench: BenchSection = BenchSection()
    photo: str = Field(default="astronaut", description='"astronaut" (scikit-image) or a file')
    album: str | None = Field(
        default=None, description="folder of photographs that the report shows cut out"
    )

    @field_validator("gate")
    @classmethod
    def _errors_are_measured(cls, gate: dict[str, str]) -> dict[str, str]:
        for metric in gate:
            _known("error", metric, ERROR_NAMES)
        return gate

    @field_validator("models")
    @classmethod
    def _names_differ(cls, models: tuple[ModelSection, ...]) -> tuple[ModelSection, ...]:
        names = [model.name for model in models]
        if len(set(names)) < len(names):
            raise ValueError("two models have the same name")
        return models

    @property
    def sha256(self) -> str:
        """Hex SHA-256 over all values that are not the defaults.

        A key that a later version adds leaves it as it is: what ships stays tied to its recipe.
        """
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()
