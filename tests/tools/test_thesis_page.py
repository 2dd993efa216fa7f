"""docs/thesis.md: made again, and what it is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.thesis import evaluate, page, rounded

PAGE = Path(__file__).parents[2] / "docs" / "thesis.md"


@pytest.mark.long
def test_the_page_is_up_to_date() -> None:
    """Else: python -m tools.thesis docs/thesis.md"""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_table_is_there() -> None:
    found = [line.split()[2] for line in PAGE.read_text("utf-8").splitlines() if line[:3] == "## "]
    expected = "3.1 3.4 3.7 3.9 4.2 4.8 5.2 5.3 5.7 6.3 6.4 6.7"
    assert found == [f"{number}:" for number in expected.split()]


@pytest.mark.parametrize(
    ("value", "printed", "expected"),
    [
        (8_153_771, "8.15M", "8.15M"),
        (4_992, "+4.99K", "+4.99K"),
        (16, "+16", "+16"),
        (6.2988, "6.31", "6.30"),
        (19_456, "+20K", "+19K"),
    ],
)
def test_figures_are_rounded_as_printed(value: float, printed: str, expected: str) -> None:
    assert rounded(value, printed) == expected


@pytest.mark.parametrize(
    ("formula", "expected"), [("2*C", 6), ("4*s*s + 2*C", 42), ("(C*C*2 + 2)*4", 80)]
)
def test_formulas_have_a_value(formula: str, expected: int) -> None:
    assert evaluate(formula, {"C": 3, "s": 3}) == expected
