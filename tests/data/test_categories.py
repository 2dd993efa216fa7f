"""categories.csv: which category each picture of a set is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.data.categories import read_categories
from edgemat.errors import UsageError


def test_names_have_categories(tmp_path: Path) -> None:
    assert read_categories(tmp_path, ["a", "b"]) == {}
    text = '\ufeffa, fur\n\n"b, the second",glass\nc,net\n'
    (tmp_path / "categories.csv").write_text(text, encoding="utf-8")
    found = read_categories(tmp_path, ["a", "b, the second"])
    assert found == {"a": "fur", "b, the second": "glass"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,fur\nb\n", r"Line 2 of .*categories.csv is no NAME,CATEGORY"),
        (b"a,fur,hair\n", "Line 1"),
        (b"a,\n", "Line 1"),
        (b"a,fur\na,glass\n", "names a twice"),
        (b"b,fur\n", "no category for a"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_is_no_table_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "categories.csv").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_categories(tmp_path, ["a"])
