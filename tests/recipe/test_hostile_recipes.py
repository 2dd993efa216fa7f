"""Recipes that no parser should choke on: digits without end, brackets without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.bench.quality import load_bars
from edgemat.errors import UsageError
from edgemat.recipe.load import load_recipe, read_recipe

HOSTILE = [
    b"seed = " + b"9" * 5_000,
    b"a = " + b"[" * 50_000,
    b"a = " + b"{a=" * 50_000,
    b"a." * 50_000 + b"a = 1",
    b"\xff\xfe\x00",
    b'name = "x"\nseed = ' + b"9" * 4_000,
    b'name = "\\u0000"',
]


@pytest.mark.parametrize("read", [read_recipe, load_recipe, load_bars])
@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: content[:8].decode("latin-1"))
def test_it_is_one_sentence(tmp_path: Path, read: object, content: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    assert callable(read)
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "a.toml")
    assert caught.value.remedy and len(caught.value.message) < 1000
