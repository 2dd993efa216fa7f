"""Readers with known faults, for the fuzzer's own test."""

from __future__ import annotations

import os
import time
from pathlib import Path

from edgemat.errors import UsageError
from tools.fuzz.reader import Reader


def _write(folder: Path) -> None:
    (folder / "a.json").write_text('{"a": [1, 2], "b": "text"}')


def _refuse(file: Path) -> None:
    raise UsageError("This is wrong.", remedy="Mend it.")


def _refuse_without_remedy(file: Path) -> None:
    raise UsageError("This is wrong.")


def _raise(file: Path) -> None:
    raise KeyError("a")


def _abort(file: Path) -> None:
    if file.parent.name == "input":  # the damaged one
        os.abort()


def _flood(file: Path) -> None:
    if file.parent.name == "input":
        bytearray(1_100_000_000)[::4096] = b"x" * 268_555


def _burn(file: Path) -> None:
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass


READERS = (
    Reader("right", _write, _refuse, 10_000),
    Reader("mute", _write, _refuse_without_remedy, 10_000),
    Reader("raises", _write, _raise, 10_000),
    Reader("aborts", _write, _abort, 10_000),
    Reader("floods", _write, _flood, 10_000),
    Reader("burns", _write, _burn, 10_000),
)
