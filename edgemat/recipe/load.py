"""Reading a recipe: what is wrong is named, with the nearest right key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from edgemat.artifacts.artifact import Card
from edgemat.data.sections import BackgroundSection, DataSection, SourceSection
from edgemat.errors import UsageError, nearest
from edgemat.files import shorten
from edgemat.recipe.optimization import BlendSection, LossSection, PartsSection
from edgemat.recipe.override import override
from edgemat.recipe.schema import BenchSection, ModelSection, Recipe, VerifySection
from edgemat.recipe.sections import (
    PhaseSection,
    PruneSection,
    QatSection,
    QuantizeSection,
    TrainSection,
    TuneSection,
)
from edgemat.section import parse_toml


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe and check all that can be checked before work starts.

    Needs torch, which knows the networks and their arguments.

    Parameters
    ----------
    changes:
        Values to set, KEY=VALUE each: see :mod:`edgemat.recipe.override`.

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
    try:
        values = parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        folder = path.parent
        names = sorted(p.name for p in folder.glob("*.toml")) if folder.is_dir() else []
        remedy = nearest(path.name, names) if names else "Give the path of a .toml file."
        raise UsageError(f"There is no recipe {path}.", remedy=remedy) from error
    except OSError as error:
        raise UsageError(
            f"The recipe {path} cannot be read: {error.strerror}.",
            remedy="Give the path of a .toml file.",
        ) from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or 5,000 digits or brackets
        raise UsageError(
            f"{path} is not readable as TOML: {error}.", remedy="Mend that line."
        ) from error
    override(values, changes)
    if isinstance(values.get("models"), dict):
        raise UsageError(
            f"{path}: models is one table and must be a list of them.",
            remedy="Write [[models]], with double brackets: there may be several.",
        )
    try:
        # By way of JSON, because there pydantic can be strict ("600" is no number) and still
        # takes a list for a tuple.
        return Recipe.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise _explain(path, error) from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply.", remedy="Use fewer brackets.") from error


def _explain(path: Path, error: ValidationError) -> UsageError:
    """Turn one of pydantic's complaints into a sentence and a remedy."""
    # A misspelt key is also a missing one: the first complaint says what was meant.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    location = first["loc"]
    where = shorten(".".join(str(part) for part in location) or "the recipe")
    if first["type"] == "extra_forbidden":
        known = _fields_at(location[:-1])
        return UsageError(
            f"{path}: there is no key {where!r}.", remedy=nearest(str(location[-1]), known)
        )
    if first["type"] == "missing":
        return UsageError(f"{path}: the key {where!r} is missing.", remedy="Add it.")
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (given: {shorten(repr(given))})" if isinstance(given, str | int | float) else ""
    remedy = first.get("ctx", {}).get("remedy", "Correct that value.")
    return UsageError(f"{path}: {where}: {message}{shown}.", remedy=remedy)


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
