"""Single values of a recipe written anew: `--set models.0.train.steps=10`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgemat.errors import UsageError
from edgemat.section import parse_toml


def override(values: dict[str, Any], changes: Iterable[str]) -> None:
    """Set values of a parsed recipe, in place.

    Parameters
    ----------
    changes:
        KEY=VALUE each: keys with dots, numbers for places in a list, a TOML value. A word without
        quotes is text; an empty value takes the key out.

    Raises
    ------
    UsageError
        For a change of another form, or a place that is not there. Whether the key and the value
        are right, the recipe's own check says.
    """
    for change in changes:
        path, equals, text = change.partition("=")
        keys = [key.strip() for key in path.split(".")]
        if not equals or not all(keys):
            raise UsageError(
                f"{change!r} changes nothing.", remedy="Write KEY=VALUE, such as seed=2."
            )
        place: Any = values
        for key in keys[:-1]:
            place = _inside(place, key, change)
        if isinstance(place, list):
            raise _nowhere(change)
        if text.strip():
            place[keys[-1]] = _value(text.strip())
        else:
            place.pop(keys[-1], None)


def _inside(place: Any, key: str, change: str) -> Any:
    if isinstance(place, dict):
        inner = place.setdefault(key, {})
    elif isinstance(place, list) and key.isdigit() and int(key) < len(place):
        inner = place[int(key)]
    else:
        raise _nowhere(change)
    if not isinstance(inner, dict | list):
        raise _nowhere(change)
    return inner


def _value(text: str) -> Any:
    try:
        return parse_toml(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _nowhere(change: str) -> UsageError:
    return UsageError(
        f"{change!r} leads nowhere in this recipe.",
        remedy="Models are numbered from 0: models.0.train.steps=10.",
    )
