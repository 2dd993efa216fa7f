"""Recipes of one small model as text, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.errors import UsageError
from edgemat.recipe.load import load_recipe
from edgemat.recipe.schema import Recipe

MODEL = {
    "name": '"hair"',
    "architecture": '"pspm-b5"',
    "config": "{ width = 0.35 }",
    "input_size": "[64, 96]",
    "train": "{ steps = 2 }",
}
HEAD = 'name = "tiny"'


def model(**changes: str) -> str:
    lines = [f"{key} = {value}" for key, value in (MODEL | changes).items() if value]
    return "\n".join(["[[models]]", *lines, ""])


def recipe(*, top: str = "", tail: str = "", **changes: str) -> str:
    """Return a recipe of one model: lines at the top, at the end, and other keys of the model."""
    return "\n".join([HEAD, top, model(**changes), tail, ""])


def load(folder: Path, text: str) -> Recipe:
    path = folder / "tiny.toml"
    path.write_text(text)
    return load_recipe(path)


def complaint(folder: Path, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(folder, text)
    assert "tiny.toml" in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value
