"""Figures as a reader wants them: significant digits, signs, units, dashes for the unknown."""

from __future__ import annotations

import math
import re
from datetime import datetime

EM_DASH = "\u2014"
_NARROW_SPACE = "\u202f"
_MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3, *, trim: bool = False) -> str:
    """Return a figure with `digits` significant digits; an em dash for None and NaN.

    With `trim` zeros at the end of the fraction are left out, as for a count.

    >>> from edgemat.report.figures import number
    >>> number(0.01234), number(28400.0), number(0.0000123)
    ('0.0123', '28,400', '1.23·10⁻⁵')
    """
    if value is None or math.isnan(value):
        return EM_DASH
    if math.isinf(value):
        return "∞" if value > 0 else _MINUS + "∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -4 <= power < 6:
        text = f"{value:,.{max(digits - 1 - power, 0)}f}"
        text = text.rstrip("0").rstrip(".") if trim and "." in text else text
    else:
        text = f"{mantissa}·10{str(power).translate(_SUPERSCRIPT)}"
    return text.replace("-", _MINUS)


def change(fraction: float | None) -> str:
    """Return a relative change with its sign, in per cent; an em dash for None and NaN."""
    if fraction is None or math.isnan(fraction):
        return EM_DASH
    if math.isinf(fraction):
        return ("+" if fraction > 0 else _MINUS) + f"∞{_NARROW_SPACE}%"
    text = f"{fraction * 100:+.1f}".replace("-", _MINUS)
    return ("±0.0" if text[1:] == "0.0" else text) + f"{_NARROW_SPACE}%"


def megabytes(size: int) -> str:
    """Return bytes as MB (10⁶ bytes), or kB below 0.1 MB."""
    if size < 100_000:
        return f"{size / 1e3:.1f}{_NARROW_SPACE}kB"
    return f"{size / 1e6:.2f}{_NARROW_SPACE}MB"


def known(value: object) -> str:
    """Return a value as text; an em dash for None, NaN and empty text, yes and no for bools."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return EM_DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def signs(bound: str) -> str:
    """Return a bound with the signs that print uses: "<= +5 %" is "≤ +5 %"."""
    bound = bound.replace("<=", "≤").replace(">=", "≥").replace("==", "=")
    return bound.replace(" %", f"{_NARROW_SPACE}%").replace("-", _MINUS)


def moment(iso: str) -> str:
    """Return an ISO 8601 time as a reader writes it: "2026-11-22 10:00 UTC"."""
    time = datetime.fromisoformat(iso)
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".strip()


def anchor(*words: object) -> str:
    """Return the name by which a place in a page is linked to, equal for equal words.

    >>> from edgemat.report.figures import anchor
    >>> anchor("gate", "portrait", "tflite-int8", "sad", "unknown region")
    'gate-portrait-tflite-int8-sad-unknown-region'
    """
    kept = re.findall(r"[a-z0-9]+", " ".join(str(word) for word in words if word != "").lower())
    return "-".join(kept)
