"""Reading a recipe: what is wrong is named, with the nearest right key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from edgemat.artifacts.artifact import Card
from edgemat.data.sections import BackgroundSection, DataSection, SourceSection
from edgemat.errors import UsageError
from edgemat.recipe.optimization import BlendSection, LossSection, PartsSection
from edgemat.recipe.schema import BenchSection, ModelSection, Recipe, VerifySection
from edgemat.recipe.sections import (
    PhaseSection,
    PruneSection,
    QatSection,
    QuantizeSection,
    TrainSection,
    TuneSection,
)
from edgemat.toml import check_section, override, read_toml


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe and check all that can be checked before work starts.

    Needs torch, which knows the networks and their arguments.

    Parameters
    ----------
    changes:
        Values to set, KEY=VALUE each: see :func:`edgemat.toml.override`.

    Raises
    ------
    UsageError
        As :func:`read_recipe`; and for a network, argument, data folder, photograph or weights
        file that does not exist, and for a size that the network cannot take.
    """
    from edgemat.recipe.checks import check_recipe

    recipe = read_recipe(path, changes)
    check_recipe(recipe, path)
    return recipe


def read_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe; what it names need not be there.

    Parameters
    ----------
    changes:
        As for :func:`load_recipe`.

    Raises
    ------
    UsageError
        For a missing file, broken TOML, or a wrong key or value, which is named.
    """
    values = read_toml(path, what="recipe")
    override(values, changes)
    if isinstance(values.get("models"), dict):
        raise UsageError(
            f"{path}: models is one table and must be a list of them.",
            remedy="Write [[models]], with double brackets: there may be several.",
        )
    return check_section(path, Recipe, values, _fields_at)


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at `location` knows."""
    section: type[BaseModel] = Recipe
    children: dict[str, type[BaseModel]] = {
        "models": ModelSection,
        "data": DataSection,
        "validation": DataSection,
        "mix": SourceSection,
        "backgrounds": BackgroundSection,
        "before": PhaseSection,
        "card": Card,
        "train": TrainSection,
        "losses": LossSection,
        "blend": BlendSection,
        "parts": PartsSection,
        "prune": PruneSection,
        "tune": TuneSection,
        "quantize": QuantizeSection,
        "qat": QatSection,
        "verify": VerifySection,
        "bench": BenchSection,
    }
    for part in location:
        if isinstance(part, str):
            section = children.get(part, section)
    return list(section.model_fields)
