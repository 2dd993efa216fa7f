"""Files that a user writes in TOML: read, single values written anew, what is wrong is named."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from edgemat.errors import UsageError, nearest
from edgemat.files import shorten
from edgemat.section import Section

MAX_CHARACTERS, MAX_DOTS = 1_000_000, 500
"""Of a file, and of one of its lines: the parser's time is quadratic in a key's dots."""

S = TypeVar("S", bound=Section)
Keys = Callable[[tuple[int | str, ...]], Sequence[str]]
"""Of a place in a file: the keys that are known there."""


def read_toml(path: Path, *, what: str) -> dict[str, Any]:
    """Return what a file holds.

    Parameters
    ----------
    what:
        What it should be, in words: "recipe".

    Raises
    ------
    UsageError
        For a missing file, or one that is no TOML.
    """
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        folder = path.parent
        names = sorted(p.name for p in folder.glob("*.toml")) if folder.is_dir() else []
        remedy = nearest(path.name, names) if names else "Give the path of a .toml file."
        raise UsageError(f"There is no {what} {path}.", remedy=remedy) from error
    except OSError as error:
        raise UsageError(
            f"The {what} {path} cannot be read: {error.strerror}.",
            remedy="Give the path of a .toml file.",
        ) from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or 5,000 digits or brackets
        raise UsageError(
            f"{path} is not readable as TOML: {error}.", remedy="Mend that line."
        ) from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises
    ------
    ValueError
        When it is no TOML, or far longer than anybody writes.
    RecursionError
        When it is nested without end.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{len(text):,} characters are too many")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(".") > MAX_DOTS:
            raise ValueError(f"too many dots in line {number}")
    return tomllib.loads(text)


def check_section(
    path: Path, section: type[S], values: dict[str, Any], keys: Keys | None = None
) -> S:
    """Return the section that a file's values make.

    Parameters
    ----------
    keys:
        By default the section's own, wherever it is.

    Raises
    ------
    UsageError
        For a wrong key or value, which is named.
    """
    try:
        # By way of JSON, because there pydantic can be strict ("600" is no number) and still
        # takes a list for a tuple.
        return section.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise _explain(path, error, keys or (lambda place: list(section.model_fields))) from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply.", remedy="Use fewer brackets.") from error


def _explain(path: Path, error: ValidationError, keys: Keys) -> UsageError:
    """Turn one of pydantic's complaints into a sentence and a remedy."""
    # A misspelt key is also a missing one: the first complaint says what was meant.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    location = first["loc"]
    where = shorten(".".join(str(part) for part in location) or "the whole file")
    if first["type"] == "extra_forbidden":
        known = keys(location[:-1])
        return UsageError(
            f"{path}: there is no key {where!r}.", remedy=nearest(str(location[-1]), known)
        )
    if first["type"] == "missing":
        return UsageError(f"{path}: the key {where!r} is missing.", remedy="Add it.")
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (given: {shorten(repr(given))})" if isinstance(given, str | int | float) else ""
    remedy = first.get("ctx", {}).get("remedy", "Correct that value.")
    return UsageError(f"{path}: {where}: {message}{shown}.", remedy=remedy)


def override(values: dict[str, Any], changes: Iterable[str]) -> None:
    """Set values of a parsed file, in place: `--set models.0.train.steps=10`.

    Parameters
    ----------
    changes:
        KEY=VALUE each: keys with dots, numbers for places in a list, a TOML value. A word without
        quotes is text; an empty value takes the key out.

    Raises
    ------
    UsageError
        For a change of another form, or a place that is not there. Whether the key and the value
        are right, :func:`check_section` says.
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
        f"{change!r} leads nowhere.",
        remedy="Write the keys from the outermost on, with dots; in a list they are numbers from "
        "0, as in models.0.train.steps=10.",
    )
