"""The sets of the other tasks are read as they are laid out, and what is missing is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from calling import Call

from edgemat.data.layouts.check import SMALL_SETS, SMALL_SIZES, check_set
from edgemat.data.layouts.pictures import PAIR_SETS
from edgemat.errors import UsageError
from edgemat.images import write_image

SIDE = 40
PICTURES, OF_PARTS = {"train": 3, "test": 2}, {"train": "ab", "test": "z"}
FORMS = ("idx", "idx.gz", "folder of npz", "npz")
"""How people have a small set."""


def write_pictures(root: Path, name: str) -> Path:
    """Write a set of pictures: a and b to train on and z to test; a and b where it has one part."""
    random = np.random.default_rng(0)
    for part, (inside, truth) in PAIR_SETS[name].parts.items():
        for stem in OF_PARTS.get(part, "ab"):
            colours = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            write_image(root / inside / f"{stem}.png", colours)
            if truth is not None:
                write_image(root / truth / f"{stem}.png", colours[..., 0] % 38)
    return root


def write_small(root: Path, form: str) -> Path:
    """Write a set of small pictures in one of :data:`FORMS`; returns what a user names."""
    root.mkdir(parents=True)
    arrays = {part: np.zeros((count, 28, 28), np.uint8) for part, count in PICTURES.items()}
    if "npz" in form:
        file = root / "small.npz"
        np.savez(file, x_train=arrays["train"], x_test=arrays["test"])
        return root if form.startswith("folder") else file
    for part, name in (("train", "train"), ("test", "t10k")):
        values = arrays[part]
        head = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in values.shape)
        file, content = root / f"{name}-images-idx3-ubyte", head + values.tobytes()
        if form.endswith("gz"):
            file, content = file.with_name(f"{file.name}.gz"), gzip.compress(content)
        file.write_bytes(content)
    return root


@pytest.mark.parametrize("name", PAIR_SETS)
def test_every_set_of_pictures_is_counted(name: str, tmp_path: Path) -> None:
    entry = PAIR_SETS[name]
    found = check_set(name, write_pictures(tmp_path, name))
    assert found.counts == {part: len(OF_PARTS.get(part, "ab")) for part in entry.parts}
    assert found.sizes is not None and found.sizes.shortest == found.sizes.longest == SIDE
    # two or three pictures are no complete set, and that alone is said
    assert len(found.problems) == len(entry.sizes), found.problems


def test_a_complete_set_has_no_problems(tmp_path: Path) -> None:
    for n in range(12):
        write_image(tmp_path / f"{n:02d}.png", np.full((SIDE, SIDE, 3), n, np.uint8))
    assert check_set("set12", tmp_path).problems == []


PAIRED = [name for name, one in PAIR_SETS.items() if any(truth for _, truth in one.parts.values())]


@pytest.mark.parametrize("name", PAIRED)
def test_what_is_wrong_with_pairs_is_named(name: str, tmp_path: Path) -> None:
    path = write_pictures(tmp_path, name)
    inside, truth = PAIR_SETS[name].parts["test"]
    assert truth is not None
    write_image(path / truth / "z.png", np.zeros((SIDE, SIDE + 1), np.uint8))
    (path / inside / "a.png").write_bytes((path / inside / "z.png").read_bytes())
    write_image(path / truth / "a.png", np.zeros((SIDE, SIDE), np.uint8))
    problems = check_set(name, path).problems
    assert "z: picture and truth differ in size." in problems
    assert "a is in both parts." in problems
    (path / truth / "z.png").unlink()
    with pytest.raises(UsageError, match="z has no partner"):
        check_set(name, path)


@pytest.mark.parametrize("name", PAIR_SETS)
def test_a_folder_without_its_pictures_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are no pictures") as caught:
        check_set(name, tmp_path)
    assert "edgemat data layouts" in caught.value.remedy


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SMALL_SETS)
def test_every_small_set_is_counted_in_every_form(name: str, form: str, tmp_path: Path) -> None:
    found = check_set(name, write_small(tmp_path / "small", form))
    assert found.counts == PICTURES and found.expected == SMALL_SIZES
    assert len(found.problems) == 2, "it is not complete"


def test_idx_files_come_before_arrays_beside_them(tmp_path: Path) -> None:
    path = write_small(tmp_path / "small", "idx")
    np.savez(path / "other.npz", x_train=np.zeros((9, 28, 28), np.uint8))
    assert check_set("mnist", path).counts == PICTURES


def test_of_two_files_of_arrays_none_is_guessed(tmp_path: Path) -> None:
    path = write_small(tmp_path / "small", "folder of npz")
    (path / "other.npz").write_bytes((path / "small.npz").read_bytes())
    with pytest.raises(UsageError, match="has no train-images-idx3-ubyte") as caught:
        check_set("fashion-mnist", path)
    assert ".npz file" in caught.value.remedy


def test_the_file_that_the_remedy_offers_is_taken(tmp_path: Path, call: Call) -> None:
    path = write_small(tmp_path / "small", "npz")
    for named in (path, path.parent):
        _, shown, _ = call("data", "check", "fashion-mnist", str(named), "--json")
        assert json.loads(shown)["counts"] == PICTURES
    status, _, error = call("data", "check", "set12", str(path))
    assert status == 2 and "There is no folder" in error
