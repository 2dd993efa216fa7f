"""The identity of values, for the keys of the cache: equal for equal values only."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import re
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from edgemat.artifacts.artifact import Artifact
from edgemat.errors import DiskError
from edgemat.files import sha256_file, sha256_tree, write_text
from edgemat.folders import cache_folder
from edgemat.section import Section

WORTH_KEEPING = 50_000_000
"""Bytes of a folder from which on its hash is kept: a tenth of a second's reading."""


def describe(value: object) -> Any:
    """Return a value as JSON that is equal for equal values only.

    Artefacts count by their identity, paths by what lies there, and sections of a recipe also by
    what lies where they say.

    Raises
    ------
    TypeError
        For a value of which it is not known what makes it equal to another.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return identity_of(value)
    if isinstance(value, Artifact):
        return value.manifest.identity
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if isinstance(value, BaseModel):
        parts = {name: describe(getattr(value, name)) for name in type(value).model_fields}
        named = list(value.paths()) if isinstance(value, Section) else []
        return {"is": type(value).__name__, "of": parts, "files": describe(named)}
    if is_dataclass(value):
        parts = {one.name: describe(getattr(value, one.name)) for one in fields(value)}
        return {"is": type(value).__name__, "of": parts}
    raise TypeError(f"What makes a {type(value).__name__} equal to another is not known.")


def describe_call(call: partial[Any], *, without: Collection[str] = ()) -> Any:
    """Return a call as such JSON: the function's name, and all arguments but those left out."""
    bound = inspect.signature(call.func).bind_partial(*call.args, **call.keywords).arguments
    assert set(without) <= set(bound), f"not all of {list(without)} are arguments of this call"
    arguments = {name: describe(value) for name, value in bound.items() if name not in without}
    return {"is": f"{call.func.__module__}.{call.func.__qualname__}", "of": arguments}


def identity_of(path: Path) -> str:
    """Return what tells a user's file or folder apart: names and contents.

    A folder that was moved, copied or mounted anew is the same, so that days of training are
    resumed. What a large one holds is read once: its hash is kept in the user's cache for as long
    as names, sizes and times of change stay.
    """
    if path.is_file():
        return sha256_file(path)
    digest, size = hashlib.sha256(str(path.absolute()).encode()), 0
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        status = file.stat()
        size += status.st_size
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    if size < WORTH_KEEPING:
        return sha256_tree(path)
    kept = cache_folder() / "contents" / digest.hexdigest()
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if re.fullmatch(r"[0-9a-f]{64}", known := kept.read_text(encoding="ascii")):
            return known
    known = sha256_tree(path)
    with contextlib.suppress(OSError, DiskError):  # a cache that cannot be written is none
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, known)
    return known
