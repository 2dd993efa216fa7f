"""Every row of the thesis' tables is reached: by a recipe and what is set, or by a series' network.

What the recipes and protocols set is compared with the text in test_thesis_lines.py, and in
tests/experiments/test_thesis_series.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from thesis_rows import INDEX, TABLES, Method, Model, Others, Recipe, Row, net
from thesis_text import lines_of_the_text

from edgemat.experiments.fit import known_models
from edgemat.experiments.kinds import kind_of
from edgemat.experiments.protocol import read_protocol
from edgemat.experiments.series import TASKS
from edgemat.models import CLASSICAL_METHODS, list_models, model_info
from edgemat.recipe.checks import check_network
from edgemat.recipe.load import read_recipe
from edgemat.workflow.stages.training import schedule_of

RECIPES = Path(__file__).parents[2] / "recipes" / "thesis"
DIM_AS_NETWORK = net("rmat-domain-gap", "dim", "train.init=torchvision")
"""Of Table 5.1, if DIM is a network in line 1498, and not the data set."""
WAYS = sorted(
    {DIM_AS_NETWORK, *(way for rows in TABLES.values() for row in rows for way in row.ways)},
    key=str,
)
DENOISERS = ("dncnn", "dncnn-segnet", *(f"dncnn-{x}-carafe" for x in ("max", "avg", "conv")))


@pytest.mark.parametrize("way", [way for way in WAYS if isinstance(way, Recipe)], ids=str)
def test_a_recipe_takes_what_is_set(way: Recipe) -> None:
    path = RECIPES / f"{way.name}.toml"
    (model,) = read_recipe(path, way.changes).models
    check_network(way.name, model)
    if model.train.steps:
        assert schedule_of(model.train).factor(0) > 0
    for number, change in enumerate(way.changes):
        others = [*way.changes[:number], *way.changes[number + 1 :]]
        key, _, value = change.partition("=")
        own = read_recipe(path, others).models[0]
        assert model != own or value == str(own.architecture) or "up_kernel = 3" in value, (
            f"{key} was {value} before"
        )


@pytest.mark.parametrize("way", [way for way in WAYS if isinstance(way, Model)], ids=str)
def test_a_series_takes_the_network(way: Model) -> None:
    assert known_models(TASKS[way.subject], [way.name]) == (way.name,)
    assert kind_of(way.name) and read_protocol(way.subject, "thesis").width == 1


@pytest.mark.parametrize("table", TABLES)
def test_a_network_of_a_table_has_a_row_in_it(table: str) -> None:
    reached = {name for row in TABLES[table] for name in networks_of(row)}
    of_table = {info.name for info in list_models() if info.thesis and info.thesis.table == table}
    assert of_table - {"dim"} <= reached, "DIM itself is the authors' own, B3 is it made lighter"


def networks_of(row: Row) -> set[str]:
    names = set()
    for way in row.ways:
        if isinstance(way, Model):
            names.add(way.name)
        if isinstance(way, Recipe):
            names.add(read_recipe(RECIPES / f"{way.name}.toml", way.changes).models[0].architecture)
    return names


def test_methods_are_evaluated_and_only_others_are_not_reached() -> None:
    assert {way.name for way in WAYS if isinstance(way, Method)} <= set(CLASSICAL_METHODS)
    for rows in TABLES.values():
        assert all(row.ways for row in rows)
    unreached = [row for rows in TABLES.values() for row in rows if isinstance(row.ways[0], Others)]
    cited = [row for row in unreached if "[" in row.begins or "*" in row.begins]
    assert unreached == cited, "a row without a reference is the thesis' own"


def test_the_networks_of_table_3_6_are_those_of_the_words() -> None:
    """Line 870 names five, and "almost all types of IndexNet"; the table itself is not in it."""
    found = {info.name for info in list_models() if info.task == "denoising"}
    assert found == {*DENOISERS, *(f"dncnn-{name}" for name in INDEX)}
    assert all(info.thesis and info.thesis.table == "3.6" for info in map(model_info, found))
    words = lines_of_the_text()[870 - 1]
    for name in ("DnCNN-max-carafe", "DnCNN-avg-carafe", "DnCNN-conv-carafe", "DnCNN-SegNet"):
        assert name in words


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_these_rows_and_no_other(table: str) -> None:
    lines = lines_of_the_text()
    rows = TABLES[table]
    for row in rows:
        assert lines[row.line - 1].startswith(row.begins), row
    title = next(n for n, line in enumerate(lines) if line.strip().startswith(f"TABLE {table}:"))
    first = min(row.line for row in rows)
    with_figures = {
        number
        for number in range(first, title + 1)
        if any(c.isdigit() for c in lines[number - 1].partition("\t")[2])
        and not lines[number - 1].rstrip().endswith("DINs")  # a heading
    }
    assert with_figures == {row.line for row in rows}
    before = lines[first - 2]  # a heading, not a row that is left out
    assert not any(part.replace(".", "").isdigit() for part in before.split("\t")), before
