"""Recipes: TOML files that say what to train, quantize, convert, check and measure.

Every key is listed here, with its default; an unknown key, a wrong type or an impossible value is
named, with the nearest right key.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edgemat.errors import UsageError, nearest


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSection(_Section):
    """Where mattes come from: the procedural generator, or a folder of the user's."""

    source: str = Field(default="procedural", description='"procedural" or a folder')
    kinds: Literal["all", "portrait", "objects"] = "all"


class TrainSection(_Section):
    steps: int = Field(gt=0)
    batch: int = Field(default=8, gt=1, description="batch normalisation needs two pictures")
    size: int = Field(default=160, ge=64, description="side of the training crops, px")
    learning_rate: float = Field(default=1e-3, gt=0)
    encoder_rate: float = Field(
        default=1.0, ge=0, description="the encoder's learning rate, as a factor"
    )
    warmup: int = Field(default=50, ge=0, description="steps until the full learning rate")
    init: str | None = Field(
        default=None,
        description='encoder weights: "torchvision", or a MobileNetV2 .npz, .pth, .safetensors',
    )
    autocast: Literal["none", "bf16"] = "none"
    workers: int = Field(default=1, ge=0, description="processes that prepare data")
    checkpoint_every: int = Field(default=50, gt=0, description="steps")


class QuantizeSection(_Section):
    calibration: int = Field(default=64, gt=0, description="pictures")


class ModelSection(_Section):
    """One network on its way to the phone."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    architecture: str
    config: dict[str, Any] = {}
    input_size: tuple[int, int] = Field(description="height and width of the mobile files, px")
    data: DataSection = DataSection()
    train: TrainSection
    quantize: QuantizeSection = QuantizeSection()
    targets: tuple[str, ...] = (
        "tflite-fp32",
        "tflite-fp16",
        "tflite-int8",
        "coreml-fp16",
        "coreml-w8a8",
    )
    parity: dict[str, dict[str, str]] = Field(
        default={}, description="bounds on agreement, by target; they replace PARITY's"
    )


# How closely a file must agree with its reference, and what an int8 file must prove.
PARITY = {
    "tflite-fp32": {"psnr_db": ">=90"},
    "tflite-fp16": {"psnr_db": ">=45"},
    "tflite-int8": {"mean_abs": "<=0.005", "int8_share": "==1", "float_islands": "==0"},
    "coreml-fp16": {"psnr_db": ">=45"},
    "coreml-w8a8": {"max_abs": "<=1e-4", "int8_share": "==1", "float_islands": "==0"},
}


class VerifySection(_Section):
    images: int = Field(default=16, gt=0, description="validation composites")


class BenchSection(_Section):
    """The protocol's lengths; see `bench.protocol`."""

    runs: int = Field(default=100, gt=0)
    seconds: float = Field(default=10.0, gt=0)
    warmup_runs: int = Field(default=10, gt=0)
    warmup_seconds: float = Field(default=1.0, ge=0)
    threads: tuple[int, ...] = (1, 2)


class Recipe(_Section):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    seed: int = Field(default=1, ge=0)
    threads: int = Field(default=2, gt=0, description="of training; results depend on it")
    demonstration: bool = False
    licence: str = "Apache-2.0"
    data_notice: str = "Trained on procedural pictures made by edgemat; no photographs."
    models: tuple[ModelSection, ...] = Field(min_length=1)
    verify: VerifySection = VerifySection()
    gate: dict[str, str] = Field(
        default={"sad": "+5%", "grad": "+10%"},
        description="errors of int8 files in the unknown region, against the float model's",
    )
    bench: BenchSection = BenchSection()
    photo: str = Field(default="astronaut", description='"astronaut" (scikit-image) or a file')

    @field_validator("models")
    @classmethod
    def _names_differ(cls, models: tuple[ModelSection, ...]) -> tuple[ModelSection, ...]:
        names = [model.name for model in models]
        if len(set(names)) < len(names):
            raise ValueError("two models have the same name")
        return models

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tables(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("models"), dict):
            raise ValueError("write [[models]], with double brackets: there may be several")
        return values

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    UsageError
        For a missing file, broken TOML, or a wrong key or value, which is named.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        folder = path.parent
        names = sorted(p.name for p in folder.glob("*.toml")) if folder.is_dir() else []
        remedy = nearest(path.name, names) if names else "Give the path of a .toml file."
        raise UsageError(f"There is no recipe {path}.", remedy=remedy) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} is not readable as TOML: {error}.", remedy="Mend that line."
        ) from error
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: ValidationError) -> UsageError:
    """Turn the first of pydantic's complaints into a sentence and a remedy."""
    first = error.errors()[0]
    location = first["loc"]
    where = ".".join(str(part) for part in location) or "the recipe"
    if first["type"] == "extra_forbidden":
        known = _fields_at(location[:-1])
        return UsageError(
            f"{path}: there is no key {where!r}.", remedy=nearest(str(location[-1]), known)
        )
    if first["type"] == "missing":
        return UsageError(f"{path}: the key {where!r} is missing.", remedy="Add it.")
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    return UsageError(f"{path}: {where}: {message}{shown}.", remedy="Correct that value.")


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at `location` knows."""
    section: type[BaseModel] = Recipe
    children: dict[str, type[BaseModel]] = {
        "models": ModelSection,
        "data": DataSection,
        "train": TrainSection,
        "quantize": QuantizeSection,
        "verify": VerifySection,
        "bench": BenchSection,
    }
    for part in location:
        if isinstance(part, str):
            section = children.get(part, section)
    return list(section.model_fields)
