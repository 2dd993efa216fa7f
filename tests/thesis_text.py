"""Words of the thesis, by line, and what they give.

They are compared with the text where it is: ``EDGEMAT_THESIS`` names the file, which is not
edgemat's to bring.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

CITED = re.compile(r"^(\w+) = .*# (\d{3,4}(?:, \d{3,4})*)", re.M)
QUOTED = re.compile(r"\b(\d{3,4})(?::|,| of| says) \"([^\"]+)\"")
PLAIN = {0xD7: "x", 0x2113: "l", 0x2013: "-"}  # a multiplication sign, the l of norms, a dash


class Said(NamedTuple):
    """Words of one line of the text in plain letters, and the values that they give."""

    line: int
    words: str
    values: dict[str, object]


def cited_lines(toml: str) -> set[tuple[str, int]]:
    """Return the keys of a file, each with a line that is cited beside it."""
    return {(key, int(line)) for key, lines in CITED.findall(toml) for line in lines.split(", ")}


def quotations(toml: str) -> set[tuple[int, str]]:
    """Return the lines and words that a file's comments quote."""
    return {(int(line), words) for line, words in QUOTED.findall(toml.replace("\n#", ""))}


def lines_of_the_text() -> list[str]:
    """Return the text's lines, the first at 0; skips the test where there is none."""
    text = os.environ.get("EDGEMAT_THESIS")
    if not text:
        pytest.skip("set EDGEMAT_THESIS to the thesis' text")
    return Path(text).read_text(encoding="utf-8").translate(PLAIN).split("\n")


def not_in_the_text(found: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the words that do not stand at their lines."""
    lines = lines_of_the_text()
    return [(line, words) for line, words in sorted(found) if words not in lines[line - 1]]
