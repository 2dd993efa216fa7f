"""Mattes that are kept: computed once, and again whenever what they come from is another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgemat.convert.kept_mattes import FOLDER, keeping
from edgemat.folders import cache_folder
from edgemat.images import F32


class Counted:
    """A runtime that says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, x: F32) -> F32:
        self.asked += 1
        return x[..., :1] * np.float32(0.5)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "model.aimodel"
    path.mkdir()
    (path / "main.mlirb").write_bytes(b"one")
    return path


def picture(side: int = 4) -> F32:
    return np.linspace(0, 1, side * side * 3, dtype=np.float32).reshape(1, side, side, 3)


def test_a_picture_is_computed_once(file: Path) -> None:
    run = Counted()
    first = keeping(run, file, runtime="a 1")(picture())
    second = keeping(run, file, runtime="a 1")(picture())
    assert run.asked == 1
    np.testing.assert_array_equal(second, first)
    assert second.dtype == np.float32 and second.shape == (1, 4, 4, 1)


def test_another_file_picture_or_runtime_is_computed_anew(file: Path) -> None:
    run = Counted()
    keeping(run, file, runtime="a 1")(picture())
    keeping(run, file, runtime="a 2")(picture())
    other = picture()
    other[0, 0, 0, 0] = np.float32(1e-7)
    keeping(run, file, runtime="a 1")(other)
    (file / "main.mlirb").write_bytes(b"two")
    keeping(run, file, runtime="a 1")(picture())
    assert run.asked == 4


def test_a_damaged_or_foreign_file_of_the_cache_is_not_believed(file: Path) -> None:
    run = Counted()
    whole = keeping(run, file, runtime="a 1")(picture())
    (kept,) = (cache_folder() / FOLDER).iterdir()
    content = kept.read_bytes()
    changed = [bytearray(content) for _ in range(3)]
    for number, place in enumerate((0, 40, -1)):
        changed[number][place] ^= 1
    damages = [b"", content[:-3], content + b"0", b"PK\x03\x04", *map(bytes, changed)]
    for damage in damages:
        kept.write_bytes(damage)
        np.testing.assert_array_equal(keeping(run, file, runtime="a 1")(picture()), whole)
        assert kept.read_bytes() == content
    assert run.asked == 1 + len(damages)


def test_a_cache_that_cannot_be_written_is_none(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    run = Counted()
    for _ in range(2):
        assert keeping(run, file, runtime="a 1")(picture()).shape == (1, 4, 4, 1)
    assert run.asked == 2
