"""Recipes: what loads, and that targets, figures and bounds are those of who uses them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError, create_model
from toy_recipes import HEAD, complaint, load, model, recipe

from edgemat.artifacts.artifact import Agreement, Artifact, Int8Proof
from edgemat.bench.quality import load_bars
from edgemat.convert.backends import all_targets, default_targets
from edgemat.errors import UsageError
from edgemat.recipe.checks import check_network
from edgemat.recipe.load import load_recipe, read_recipe
from edgemat.recipe.schema import AGREEMENT, PROOF, AbsoluteRule, BoundRule, Recipe
from edgemat.scoring.bounds import _RULE, Limit, parse_limit
from edgemat.workflow.stages.judging import measured

RECIPES = Path(__file__).parents[2] / "recipes"


# What loads


BARS = RECIPES / "weights" / "bars.toml"


@pytest.mark.parametrize(
    "path", sorted(set(RECIPES.glob("**/*.toml")) - {BARS}), ids=lambda p: p.name
)
def test_shipped_recipes_can_be_read(path: Path) -> None:
    """The data of the weights' recipes are not here; all else must be right."""
    read = read_recipe(path)
    assert read.name == path.stem
    for section in read.models:
        check_network(section.name, section)
        assert section.targets


def test_shipped_bars_can_be_read() -> None:
    models = {path.stem for path in BARS.parent.glob("*.toml")}
    assert {bar.model for bar in load_bars(BARS).bars} <= models


def test_there_is_a_quickstart() -> None:
    loaded = load_recipe(RECIPES / "quickstart.toml")
    assert [model.demonstration for model in loaded.models] == [False, True]
    assert {m.architecture for m in loaded.models} == {"pspm-slim", "indexnet-slim"}
    assert all(set(m.targets) == set(default_targets()) for m in loaded.models)


def test_defaults_and_values(tmp_path: Path) -> None:
    loaded = load(tmp_path, recipe())
    section = loaded.models[0]
    assert section.input_size == (64, 96)
    assert section.config == {"width": 0.35}
    assert section.train.batch == 8
    assert section.targets == default_targets()
    assert "coreai-fp32" in all_targets() and "coreai-fp32" not in section.targets
    assert loaded.gate == {"sad": "+5%", "grad": "+10%"}


def test_the_hash_depends_on_values_and_not_on_layout(tmp_path: Path) -> None:
    plain = load(tmp_path, recipe()).sha256
    assert load(tmp_path, f"# the same\n{HEAD}\nseed = 1\n\n{model()}").sha256 == plain
    assert load(tmp_path, recipe(top="seed = 2")).sha256 != plain


def test_a_key_of_a_later_version_leaves_the_hash(tmp_path: Path) -> None:
    """A recipe that does not name it trains what it always did."""
    first = load(tmp_path, recipe())
    later = create_model("Recipe", __base__=Recipe, novelty=(int, 1))
    assert later.model_validate(first.model_dump()).sha256 == first.sha256


def test_an_absolute_gate_and_spaces_are_understood(tmp_path: Path) -> None:
    gate = '[gate]\nsad = "<= +5 %"\nmse = "<=0.02"\n'
    assert load(tmp_path, recipe(tail=gate)).gate == {"sad": "<= +5 %", "mse": "<=0.02"}


# The vocabulary agrees with those who use it


def test_targets_are_those_of_convert() -> None:
    for target in all_targets().values():
        assert target.parity, "every file is compared with something"
        known = AGREEMENT + (PROOF if target.quantized else ())
        assert set(target.parity) <= set(known)
        assert ("int8_share" in target.parity) == target.quantized


def test_figures_are_those_that_the_pipeline_measures() -> None:
    agreement = Agreement(
        reference="float", runtime="any", max_abs=0.5, mean_abs=0.1, psnr_db=40.0, images=1
    )
    proof = Int8Proof(
        convolutions=4, int8_convolutions=3, scales=8, scales_exact=6, tensors=5, tensors_equal=4
    )
    manifest = SimpleNamespace(agreements=(agreement,), int8_proof=proof)
    figures = measured(cast(Artifact, SimpleNamespace(manifest=manifest)))
    assert set(figures) == {*AGREEMENT, *PROOF}
    assert figures["int8_share"] == 0.75
    manifest.int8_proof = None
    assert set(measured(cast(Artifact, SimpleNamespace(manifest=manifest)))) == {*AGREEMENT}


COMPARE = r"\s*(<=|>=|==|<|>)"
NUMBER = r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?"
ABSOLUTE = re.compile(rf"{COMPARE}\s*(all|[+-]?{NUMBER})\s*", re.ASCII)
RELATIVE = re.compile(rf"({COMPARE})?\s*[+-]{NUMBER}\s*%\s*", re.ASCII)


def in_recipe(kind: Any, rule: str) -> bool:
    """Return whether a recipe takes a text as a bound of one kind."""
    try:
        TypeAdapter(kind).validate_python(rule)
    except ValidationError:
        return False
    return True


def in_gate(rule: str) -> Limit | None:
    """Return what a text bounds, None when it bounds nothing."""
    try:
        return parse_limit(rule)
    except UsageError:
        return None


@given(rule=st.one_of(st.from_regex(ABSOLUTE, fullmatch=True), st.just("== all")))
def test_every_absolute_bound_is_one_to_recipe_and_gate(rule: str) -> None:
    assert not parse_limit(rule).relative
    assert in_recipe(BoundRule, rule) and in_recipe(AbsoluteRule, rule)


@given(rule=st.from_regex(RELATIVE, fullmatch=True))
def test_every_relative_bound_is_one_to_recipe_and_gate(rule: str) -> None:
    assert parse_limit(rule).relative
    assert in_recipe(BoundRule, rule) and not in_recipe(AbsoluteRule, rule)


@given(rule=st.one_of(st.from_regex(_RULE, fullmatch=True), st.from_regex(_RULE), st.text()))
def test_recipe_and_gate_take_the_same_bounds(rule: str) -> None:
    limit = in_gate(rule)
    assert in_recipe(BoundRule, rule) is (limit is not None)
    assert in_recipe(AbsoluteRule, rule) is (limit is not None and not limit.relative)


def test_a_bound_may_be_as_large_as_a_float(tmp_path: Path) -> None:
    parity = "{ tflite-fp32 = { psnr_db = '>=1e100' } }"
    loaded = load(tmp_path, recipe(tail="[gate]\nsad = '<=1e100'", parity=parity))
    assert parse_limit(loaded.gate["sad"]) == Limit("<=", 1e100, relative=False)
    assert parse_limit(loaded.models[0].parity["tflite-fp32"]["psnr_db"]).value == 1e100
    error = complaint(tmp_path, recipe(tail="[gate]\nsad = '<=1e400'"))
    assert "gate.sad" in error.message and "smaller number" in error.remedy
