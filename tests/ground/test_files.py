"""Files that are never half written, full disks, and hashes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemat.errors import DiskError
from edgemat.files import (
    atomic_path,
    sha256_file,
    sha256_tree,
    size_bytes,
    write_json,
    write_text,
)


def write(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


# One step or none


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "value.json"
    write_json(path, {"b": 1, "a": [2]})
    write_json(path, {"b": 3, "a": [4]})
    assert path.read_text() == '{\n  "a": [\n    4\n  ],\n  "b": 3\n}\n'
    assert [p.name for p in path.parent.iterdir()] == ["value.json"]


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        assert path.read_text() == "old"
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_keeps_the_suffix_and_lies_on_the_same_disk(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "weights.npz") as temporary:
        assert temporary.suffix == ".npz"
        assert temporary.parent.parent == tmp_path
        temporary.write_bytes(b"x")


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with atomic_path(path, directory=True) as temporary:
        write(temporary, {"a": "1", "sub/b": "2"})
        assert not path.exists()
    assert sorted(p.name for p in path.rglob("*")) == ["a", "b", "sub"]
    assert path.stat().st_mode & 0o777 == 0o755
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_fails_does_not_appear(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="no"),
        atomic_path(tmp_path / "folder", directory=True) as temporary,
    ):
        write(temporary, {"a": "1"})
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


# Disks that refuse


def test_a_full_disk_is_said_and_the_old_content_stays(full_disk: Path) -> None:
    path = full_disk / "a.txt"
    write_text(path, "old")
    with pytest.raises(DiskError, match="disk is full") as caught:
        write_text(path, "new" * 100_000)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 3
    assert path.read_text() == "old"
    assert list(full_disk.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EFBIG, "disk is full"),
        (errno.EACCES, "not permitted"),
        (errno.EROFS, "not permitted"),
    ],
)
def test_what_the_system_refuses_is_a_disk_error(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(DiskError, match=words), atomic_path(tmp_path / "a"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DiskError, match="cannot be written") as caught:
        write_text(tmp_path / "taken" / "a.txt", "text")
    assert "taken" in caught.value.message


def test_a_folder_in_the_way_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(DiskError, match="cannot be written"):
        write_text(tmp_path / "taken", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), atomic_path(tmp_path / "a"):
        raise ConnectionError("not the disk's fault")


# Hashes


def test_hashes_of_known_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, {"abc": "abc"}) / "abc"
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert sha256_file(path) == known
    assert sha256_tree(path) == known
    assert size_bytes(path) == 3


def test_a_file_longer_than_one_chunk_is_hashed_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(2**20 + 1))
    before = sha256_file(path)
    path.write_bytes(bytes(2**20) + b"\x01")
    assert sha256_file(path) != before


TREE = {"manifest.json": "{}", "data/weights.bin": "123", "data/more.bin": "45"}


@pytest.mark.parametrize(
    "other",
    [
        TREE | {"data/weights.bin": "124"},
        TREE | {"empty": ""},
        {name: TREE[name] for name in ("manifest.json", "data/weights.bin")},
        {name.replace("data/", "date/"): text for name, text in TREE.items()},
        # the same bytes, cut differently
        TREE | {"data/weights.bin": "12", "data/more.bin": "345"},
        # contents swapped between names
        TREE | {"data/weights.bin": "45", "data/more.bin": "123"},
    ],
)
def test_a_trees_hash_depends_on_names_and_contents(tmp_path: Path, other: dict[str, str]) -> None:
    one, two = write(tmp_path / "one", TREE), write(tmp_path / "two", other)
    assert sha256_tree(one) != sha256_tree(two)


@given(names=st.permutations(sorted(TREE)))
def test_a_trees_hash_depends_on_neither_place_nor_order(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = write(tmp_path_factory.mktemp("tree"), {name: TREE[name] for name in names})
    reference = write(tmp_path_factory.mktemp("tree"), TREE)
    assert sha256_tree(folder) == sha256_tree(reference)
    assert size_bytes(folder) == 7
