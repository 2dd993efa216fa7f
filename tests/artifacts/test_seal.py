"""Seals: whatever changes in an artefact's folder after it was written is noticed."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from toy_artifacts import tflite_artifact

from edgemat.artifacts.artifact import GOLDEN, MANIFEST, MATTES, Artifact, MattingErrors
from edgemat.artifacts.draft import draft_child, write_artifact
from edgemat.artifacts.golden import read_mattes, read_pixels, read_truths
from edgemat.artifacts.shipped import SHELF
from edgemat.errors import ArtifactError

FLIPS = 1_000
ERRORS = MattingErrors(sad=1.8579692806308934, mse=0.0567, grad=3.7, conn=1.8)
PIXELS = np.arange(2 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 32, 32, 3)
ALPHAS = np.linspace(0, 1, 2 * 32 * 32, dtype=np.float32).reshape(2, 32, 32)


def with_golden(shelf: Path) -> Artifact:
    """Write an artefact with golden pictures."""
    toy = tflite_artifact(shelf / "toy", scores={"unknown": ERRORS})

    def fill(folder: Path) -> None:
        shutil.copyfile(toy.payload, folder / "model.tflite")
        np.savez_compressed(folder / GOLDEN, pixels=PIXELS, alphas=ALPHAS, truths=ALPHAS)
        np.savez_compressed(folder / MATTES, alphas=ALPHAS)

    return write_artifact(shelf, fill, draft_child(toy))


def test_no_flipped_bit_of_a_manifest_goes_unnoticed(tmp_path: Path) -> None:
    path = tflite_artifact(tmp_path, scores={"unknown": ERRORS}).path
    whole = (path / MANIFEST).read_bytes()
    draw = random.Random(7)
    for _ in range(FLIPS):
        place, bit = draw.randrange(len(whole)), draw.randrange(8)
        flipped = bytearray(whole)
        flipped[place] ^= 1 << bit
        (path / MANIFEST).write_bytes(flipped)
        with pytest.raises(ArtifactError):
            Artifact(path, check=False)
    (path / MANIFEST).write_bytes(whole)
    Artifact(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"demonstration": true', '"demonstration": false'),
        ('"licence": "Apache-2.0"', '"licence": "MIT"'),
        ('"sad": 1.8579692806308934', '"sad": 0.0'),
        ('"macs": 0.0', '"macs": 0.00'),
    ],
)
def test_an_edited_manifest_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tflite_artifact(tmp_path, scores={"unknown": ERRORS}).path / MANIFEST
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ArtifactError, match="changed after it was written"):
        Artifact(path.parent, check=False)


def test_a_new_manifest_without_its_seal_is_refused_and_one_from_before_is_not(
    tmp_path: Path,
) -> None:
    path = tflite_artifact(tmp_path).path / MANIFEST
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"seal": None}))
    with pytest.raises(ArtifactError, match="lost its seal"):
        Artifact(path.parent)
    del fields["seal"], fields["files"]
    path.write_text(json.dumps(fields | {"schema_version": 1}))
    Artifact(path.parent)  # under the same name


def test_a_manifest_in_a_folder_of_another_hash_is_refused(tmp_path: Path) -> None:
    path = tflite_artifact(tmp_path).path
    Artifact(path.rename(tmp_path / "without a hash"))
    other = (tmp_path / "without a hash").rename(tmp_path / "hair-tflite-int8@01234567")
    with pytest.raises(ArtifactError, match="not what its name says"):
        Artifact(other)


@pytest.mark.parametrize("name", [GOLDEN, MATTES])
def test_the_files_beside_the_payload_are_hashed(tmp_path: Path, name: str) -> None:
    made = with_golden(tmp_path)
    assert set(made.manifest.files) == {GOLDEN, MATTES}
    Artifact(made.path)
    content = (made.path / name).read_bytes()
    (made.path / name).write_bytes(content[:-1] + b"x")
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        Artifact(made.path)
    (made.path / name).unlink()
    with pytest.raises(ArtifactError, match=f"has no file {name}"):
        Artifact(made.path)


@pytest.mark.parametrize("path", sorted(SHELF.glob("*@*")), ids=lambda path: path.name)
def test_what_is_shipped_is_sealed(path: Path) -> None:
    manifest = Artifact(path).manifest
    assert manifest.seal is not None
    assert {*manifest.files, manifest.payload, MANIFEST} == {file.name for file in path.iterdir()}


# Golden pictures


def test_golden_pictures_come_back(tmp_path: Path) -> None:
    made = with_golden(tmp_path)
    np.testing.assert_array_equal(read_pixels(made), PIXELS)
    np.testing.assert_array_equal(read_truths(made), ALPHAS)
    np.testing.assert_array_equal(read_mattes(made), ALPHAS)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"no zip"],
)
def test_a_damaged_zip_is_named(tmp_path: Path, content: bytes) -> None:
    made = with_golden(tmp_path)
    made.golden.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"golden\.npz cannot be used") as caught:
        read_pixels(made)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"alphas": ALPHAS}, "no item"),
        ({"pixels": PIXELS.astype(np.float32)}, "float32"),
        ({"pixels": PIXELS.astype(object)}, "not an array of numbers"),
        ({"pixels": PIXELS[:, :16]}, "is uint8 of shape"),
        ({"pixels": PIXELS[:0]}, "is uint8 of shape"),
        ({"pixels": np.zeros((65, 32, 32, 3), np.uint8)}, "is uint8 of shape"),
        ({"pixels": np.zeros((0x7FFFFFFF, 0), np.uint8)}, "is uint8 of shape"),
    ],
)
def test_arrays_of_another_kind_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], reason: str
) -> None:
    made = with_golden(tmp_path)
    np.savez_compressed(made.golden, **arrays)
    with pytest.raises(ArtifactError, match=reason):
        read_pixels(made)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    made = with_golden(tmp_path)
    np.savez_compressed(made.golden, pixels=np.zeros((1, 9000, 9000, 3), np.uint8))
    with pytest.raises(ArtifactError, match="is uint8 of shape"):
        read_pixels(made)


def test_mattes_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    made = with_golden(tmp_path)
    np.savez_compressed(made.mattes, alphas=np.full((1, 32, 32), np.nan, np.float32))
    with pytest.raises(ArtifactError, match="not finite"):
        read_mattes(made)
