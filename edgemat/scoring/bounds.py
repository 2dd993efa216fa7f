"""Bounds on measured figures, written as in a recipe, and the verdict on each.

A bound is an operator and a number: ``">=45"``, ``"<=1e-4"``, ``"==1"``; ``"== all"`` stands for
a share of exactly 1. With a sign and a percent sign it bounds the change against a reference:
``"+5%"`` (or ``"<= +5 %"``) lets the figure rise by at most 5 %, ``"-5%"`` (or ``">= -5 %"``)
lets it fall by at most 5 %.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from edgemat.artifacts.vocabulary import ERROR_NAMES
from edgemat.errors import GateFailed, UsageError, nearest

SCHEMA = 1
TINY = 1e-6
"""A reference this near to zero has no meaningful percentage."""

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_RULE = re.compile(
    r"\s*(?P<op><=|>=|==|<|>)?\s*"
    r"(?:(?P<all>all)|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<percent>%)?)\s*"
)


@dataclass(frozen=True)
class Limit:
    """A parsed rule: `operator` and `value`; a relative value is a fraction (5 % is 0.05)."""

    operator: str
    value: float
    relative: bool

    def holds(self, figure: float) -> bool:
        """Return whether `figure` lies within the limit; NaN never does."""
        return _COMPARE[self.operator](figure, self.value)

    def __str__(self) -> str:
        if self.relative:
            return f"{self.operator} {self.value * 100:+g} %"
        return f"{self.operator} {self.value:g}"


@dataclass(frozen=True)
class Bound:
    """One line of a gate, for example ``Bound("sad", "<= +5 %")``.

    Attributes
    ----------
    metric:
        Name of the measured figure.
    rule:
        The bound as written; see the module's text.
    """

    metric: str
    rule: str

    def __post_init__(self) -> None:
        _ = self.limit  # a rule that is none is said at once

    @cached_property
    def limit(self) -> Limit:
        """The parsed rule."""
        return parse_limit(self.rule)


@dataclass(frozen=True)
class Verdict:
    """The verdict on one bound.

    Attributes
    ----------
    name:
        The metric.
    measured:
        The measured figure.
    bound:
        The bound, spelt uniformly.
    passed:
        Whether the figure lies within it.
    reference:
        The figure it was compared with, for a relative bound.
    change:
        The relative change against the reference, None where it has no meaning.
    note:
        What a reader must know, else empty.
    """

    name: str
    measured: float
    bound: str
    passed: bool
    reference: float | None = None
    change: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold; NaN and infinity become text."""
        fields = asdict(self)
        for name, value in fields.items():
            if isinstance(value, float) and not math.isfinite(value):
                fields[name] = str(value)
        return {"schema": SCHEMA, **fields}


def parse_named_bound(text: str) -> Bound:
    """Return what a text such as "SAD+2%" or "grad <= 12" bounds.

    Raises
    ------
    UsageError
        When it is none of the kind, or names no error of mattes.
    """
    found = re.fullmatch(r"\s*([A-Za-z]+)\s*(.+)", text)
    if found is None:
        raise UsageError(f"{text!r} is no bound.", remedy="Write for example SAD+2%.")
    name, rule = found[1].lower(), found[2]
    if name not in ERROR_NAMES:
        raise UsageError(f"There is no error {found[1]!r}.", remedy=nearest(name, ERROR_NAMES))
    return Bound(name, rule)


def parse_limit(rule: str) -> Limit:
    """Return the parsed rule.

    Raises
    ------
    UsageError
        When the text is no rule, or leaves open which way it bounds.
    """
    match = _RULE.fullmatch(rule)
    if match is None:
        raise UsageError(
            f"{rule!r} is not a bound.",
            remedy="Write for example '+5%', '>=45', '<=1e-4', '==1' or '== all'.",
        )
    sign, text, relative = match["op"], match["number"] or "1", match["percent"] is not None
    value = float(text) / 100 if relative else float(text)
    if not math.isfinite(value):
        raise UsageError(f"The bound {rule!r} is not finite.", remedy="Write a smaller number.")
    if relative and text[0] not in "+-":
        raise UsageError(
            f"The bound {rule!r} has no sign.",
            remedy=f"Write '+{text}%' for a rise of at most {text} %, or '-{text}%' for a fall.",
        )
    if sign is None and not relative:
        bare = rule.strip()
        percent = f", or '{value:+g}%' against a reference" if match["number"] else ""
        raise UsageError(
            f"The bound {rule!r} does not say which way it bounds.",
            remedy=f"Write '<={bare}', '>={bare}' or '=={bare}'{percent}.",
        )
    return Limit(sign or ("<=" if text[0] == "+" else ">="), value, relative)


def judge(
    bounds: Iterable[Bound],
    measured: Mapping[str, float],
    *,
    reference: Mapping[str, float] | None = None,
) -> list[Verdict]:
    """Return one verdict per bound, in order.

    Parameters
    ----------
    measured:
        Metric to figure.
    reference:
        Metric to the figure that relative bounds compare with, for example the float model's.

    Raises
    ------
    UsageError
        When a bound names a metric that was not measured, or that lacks a reference: a gate
        that checks nothing must not pass.
    """
    verdicts = []
    for bound in bounds:
        figure = _look_up(bound.metric, measured, "measured")
        if bound.limit.relative:
            base = _look_up(bound.metric, reference or {}, "given as reference")
            verdicts.append(_judge_change(bound, figure, base))
        else:
            note = "" if not math.isnan(figure) else "not a number"
            passed = bound.limit.holds(figure)
            verdicts.append(
                Verdict(bound.metric, figure, str(bound.limit), passed=passed, note=note)
            )
    return verdicts


def enforce(verdicts: Iterable[Verdict]) -> None:
    """Raise when a verdict did not pass.

    Raises
    ------
    GateFailed
        Names every failed row with its figure and its bound.
    """
    failed = [v for v in verdicts if not v.passed]
    if failed:
        rows = "; ".join(_row(v) for v in failed)
        raise GateFailed(f"The gate failed: {rows}.", remedy="See the report's gate table.")


def _judge_change(bound: Bound, figure: float, base: float) -> Verdict:
    text = str(bound.limit)
    if not (math.isfinite(figure) and math.isfinite(base)):
        return Verdict(
            bound.metric, figure, text, passed=False, reference=base, note="not a finite number"
        )
    if abs(base) <= TINY:
        # Any rise is infinitely many per cent and no fall is any: judge the plain difference.
        difference = 0.0 if abs(figure - base) <= TINY else figure - base
        allowed = bound.limit.operator in ("<=", "<")
        passed = difference <= 0 if allowed else difference >= 0
        note = f"the reference is {base:g}, so a percentage has no meaning: compared as it is"
        return Verdict(bound.metric, figure, text, passed=passed, reference=base, note=note)
    change = (figure - base) / abs(base)
    return Verdict(
        bound.metric,
        figure,
        text,
        passed=bound.limit.holds(change),
        reference=base,
        change=change,
    )


def _look_up(metric: str, figures: Mapping[str, float], role: str) -> float:
    if metric not in figures:
        remedy = nearest(metric, figures) if figures else "No figure was."
        raise UsageError(f"The gate's metric {metric!r} was not {role}.", remedy=remedy)
    return float(figures[metric])


def _row(verdict: Verdict) -> str:
    change = "" if verdict.change is None else f" ({verdict.change:+.1%})"
    note = f" [{verdict.note}]" if verdict.note else ""
    return f"{verdict.name} = {verdict.measured:g}{change}, bound {verdict.bound}{note}"
