"""The thesis' recipes: what their heads say, and what is refused.

What they set is compared with the text in test_thesis_lines.py; the rows of the tables that they
reach are in test_thesis_rows.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edgemat.errors import UsageError
from edgemat.images import UNKNOWN
from edgemat.matting.classical import solve_alpha
from edgemat.recipe.checks import check_network
from edgemat.recipe.load import read_recipe
from edgemat.recipe.schema import ModelSection

THESIS = Path(__file__).parents[2] / "recipes" / "thesis"


def model(name: str, *changes: str) -> ModelSection:
    (section,) = read_recipe(THESIS / f"{name}.toml", changes).models
    check_network(name, section)
    return section


@pytest.mark.parametrize("name", sorted({p.stem for p in THESIS.glob("*.toml")} - {"pspm-b"}))
def test_lines_of_the_text_are_cited(name: str) -> None:
    keys = ("steps", "losses") if name not in ("pspm-b1", "pspm-a2") else ("losses",)
    lines = (THESIS / f"{name}.toml").read_text().splitlines()
    for key in keys:
        (line,) = (line for line in lines if line.startswith(f"{key} = "))
        assert re.search(r"# (\d{3,4}|eq\.)", line), line


def test_rows_without_a_recipe_are_named_in_the_head_of_one() -> None:
    """A3 and A4 of Table 6.2 are closed-form matting; DIM of line 1498 may be a network, too."""
    heads = {
        name: (THESIS / f"{name}.toml").read_text().partition("\n\n")[0]
        for name in ("pspm-a2", "rmat-domain-gap")
    }
    assert "edgemat evaluate closed-form data/portrait-2k --layout portrait-2k" in heads["pspm-a2"]
    assert "A4" in heads["pspm-a2"] and "--no-trimap: refused" in heads["pspm-a2"]
    assert "models.0.architecture=dim" in heads["rmat-domain-gap"]


def test_closed_form_without_a_trimap_is_refused() -> None:
    """A4 of Table 6.2, whose mattes are "almost dark" (line 2024): any constant solves it."""
    image = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(UsageError, match="known foreground and background"):
        solve_alpha(image, np.full((16, 16), UNKNOWN, np.uint8))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("models.0.train.prior=none", "is a portrait network"),
        ("models.0.train.augmentation=gca", "is a portrait network"),
        ("models.0.architecture=pspm-slim", None),
        ("models.0.architecture=indexnet-m2o-nlc", "is a trimap network"),
    ],
)
def test_keys_of_another_task_are_refused(change: str, said: str | None) -> None:
    if said is None:
        assert model("pspm-phase-1", change)
        return
    with pytest.raises(UsageError, match=said):
        model("pspm-phase-1", change)


@pytest.mark.parametrize(
    "change",
    ["models", "=2", "models.7.name=x", "name.x=1", "models.0.train.steps.x=1", "models.0=x"],
)
def test_a_change_that_leads_nowhere_is_said(change: str) -> None:
    with pytest.raises(UsageError) as caught:
        model("indexnet", change)
    assert caught.value.remedy
