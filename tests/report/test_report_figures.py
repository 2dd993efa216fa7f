"""How figures are written in a report: digits, signs, bounds, times, sizes of files."""

from __future__ import annotations

import math

import pytest

from edgemat.report.figures import EM_DASH, change, megabytes, moment, number, signs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "0.0123"),
        (28_400.0, "28,400"),
        (0.0000123, "1.23·10⁻⁵"),
        (9.996, "10.0"),
        (-1.5, "\u22121.50"),
        (0.0, "0"),
        (math.nan, EM_DASH),
        (None, EM_DASH),
        (math.inf, "∞"),
    ],
)
def test_numbers_have_significant_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_changes_carry_their_sign() -> None:
    assert change(0.05) == "+5.0\u202f%"
    assert change(-0.123) == "\u221212.3\u202f%"
    assert change(-1e-9) == "±0.0\u202f%"
    assert change(None) == change(math.nan) == EM_DASH


def test_bounds_and_times_are_written_as_in_print() -> None:
    assert signs("<= +5 %") == "≤ +5\u202f%"
    assert signs(">= -5 %") == "≥ \u22125\u202f%"
    assert moment("2026-11-22T10:00:30+00:00") == "2026-11-22 10:00 UTC"
    assert number(1.0, 4, trim=True) == "1" and number(100.0, trim=True) == "100"


def test_small_files_are_in_kilobytes() -> None:
    assert (megabytes(1_234_567), megabytes(7_890)) == ("1.23\u202fMB", "7.9\u202fkB")
