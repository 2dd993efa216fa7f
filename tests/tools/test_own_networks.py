"""The page about other people's networks is what its figures give."""

from __future__ import annotations

import json

from tools.own_networks import FOUND, INT8_BAR, NETWORKS, PAGE, ROOT, page

FIGURES = json.loads((ROOT / FOUND).read_text())


def test_the_page_is_that_of_its_figures() -> None:
    assert page(FIGURES) == (ROOT / PAGE).read_text()


def test_a_missed_bar_is_bold() -> None:
    name = next(name for name, row in FIGURES.items() if "refused" not in row)
    row = FIGURES[name]
    for off, bold in ((INT8_BAR, False), (INT8_BAR * 1.1, True)):
        text = page({name: row | {"tflite-int8": row["tflite-int8"] | {"mean_abs": off}}})
        assert (f"**{off:.5f}**" in text) == bold


def test_what_was_not_measured_is_named() -> None:
    left = page({}).split("## Not taken through it yet")[1]
    assert all(name in left for name in NETWORKS)
