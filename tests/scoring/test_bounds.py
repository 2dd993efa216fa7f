"""Bounds as they are written, and the verdict on each figure."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemat.errors import GateFailed, UsageError
from edgemat.scoring.bounds import Bound, Limit, Verdict, enforce, judge, parse_limit


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("+5%", Limit("<=", 0.05, True)),
        ("<= +5 %", Limit("<=", 0.05, True)),
        (" < + 5%", None),
        ("-5%", Limit(">=", -0.05, True)),
        (">= -2.5 %", Limit(">=", -0.025, True)),
        (">=45", Limit(">=", 45.0, False)),
        ("<=1e-4", Limit("<=", 1e-4, False)),
        ("<.5", Limit("<", 0.5, False)),
        ("==1", Limit("==", 1.0, False)),
        ("== all", Limit("==", 1.0, False)),
        ("5%", None),
        ("<= 5 %", None),
        ("45", None),
        ("all", None),
        ("", None),
        (">=", None),
        ("=> 3", None),
        (">= nan", None),
        ("<= 1e999", None),
        ("== all %", None),
    ],
)
def test_rules(rule: str, limit: Limit | None) -> None:
    if limit is None:
        with pytest.raises(UsageError, match="bound"):
            parse_limit(rule)
    else:
        parsed = parse_limit(rule)
        assert (parsed.operator, parsed.relative) == (limit.operator, limit.relative)
        assert parsed.value == pytest.approx(limit.value)


@settings(deadline=None)
@given(
    st.sampled_from(["<=", ">=", "==", "<", ">"]),
    st.floats(-1e6, 1e6).map(lambda x: float(f"{x:g}")),
    st.booleans(),
)
def test_a_limit_prints_as_it_is_parsed(sign: str, value: float, relative: bool) -> None:
    limit = Limit(sign, value / 100 if relative else value, relative)
    parsed = parse_limit(str(limit))
    assert (parsed.operator, parsed.relative) == (sign, relative)
    assert parsed.value == pytest.approx(limit.value, rel=1e-5)


@pytest.mark.parametrize(
    ("rule", "measured", "reference", "passed"),
    [
        ("+5%", 1.04, 1.0, True),
        ("+5%", 1.06, 1.0, False),
        ("+5%", 0.5, 1.0, True),
        ("-5%", 0.96, 1.0, True),
        ("-5%", 0.94, 1.0, False),
        ("<= -5%", 0.96, 1.0, False),
        ("+5%", -0.97, -1.0, True),
        ("+5%", -0.9, -1.0, False),
    ],
)
def test_relative_bounds(rule: str, measured: float, reference: float, passed: bool) -> None:
    (verdict,) = judge([Bound("sad", rule)], {"sad": measured}, reference={"sad": reference})
    assert verdict.passed is passed
    assert verdict.change == pytest.approx((measured - reference) / abs(reference))


def test_absolute_bounds() -> None:
    bounds = [Bound("psnr", ">=45"), Bound("max_abs", "<=1e-4"), Bound("int8_share", "== all")]
    good = judge(bounds, {"psnr": math.inf, "max_abs": 1e-4, "int8_share": 1.0})
    assert [v.passed for v in good] == [True, True, True]
    bad = judge(bounds, {"psnr": 44.99, "max_abs": 1.01e-4, "int8_share": 55 / 56})
    assert [v.passed for v in bad] == [False, False, False]


@pytest.mark.parametrize("base", [0.0, 1e-9, -1e-9])
def test_a_reference_of_nothing_has_no_percentage(base: float) -> None:
    def verdict(rule: str, measured: float) -> Verdict:
        (result,) = judge([Bound("sad", rule)], {"sad": measured}, reference={"sad": base})
        assert result.change is None
        assert "percentage has no meaning" in result.note
        return result

    assert verdict("+5%", 0.0).passed
    assert not verdict("+5%", 0.01).passed
    assert verdict("-5%", 0.01).passed
    assert not verdict("-5%", -0.01).passed


@pytest.mark.parametrize("rule", ["+5%", ">=45", "<=1", "==1"])
def test_nan_never_passes(rule: str) -> None:
    (verdict,) = judge([Bound("sad", rule)], {"sad": math.nan}, reference={"sad": 1.0})
    assert not verdict.passed
    assert verdict.note
    assert json.dumps(verdict.to_json(), allow_nan=False)


def test_a_metric_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(UsageError, match="Did you mean 'grad'"):
        judge([Bound("grda", ">=1")], {"grad": 1.0, "sad": 2.0})
    with pytest.raises(UsageError, match="given as reference"):
        judge([Bound("sad", "+5%")], {"sad": 1.0})


def test_enforce_names_the_rows_that_failed() -> None:
    bounds = [Bound("sad", "+5%"), Bound("psnr", ">=45")]
    verdicts = judge(bounds, {"sad": 2.2, "psnr": 50.0}, reference={"sad": 2.0})
    with pytest.raises(GateFailed, match=r"sad = 2\.2 \(\+10\.0%\), bound <= \+5 %") as caught:
        enforce(verdicts)
    assert caught.value.exit_code == 1
    assert "psnr" not in str(caught.value)
    enforce(v for v in verdicts if v.passed)


def test_numpy_figures_are_taken() -> None:
    (verdict,) = judge([Bound("sad", ">=1")], {"sad": float(np.float32(2))})
    assert verdict.passed is True
