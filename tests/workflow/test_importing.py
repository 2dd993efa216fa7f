"""`edgemat import`: a released checkpoint becomes an artefact that everything else takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import released_layouts as made
import torch
from calling import Call
from narrow_families import NARROW
from PIL import Image

import edgemat
from edgemat.artifacts.artifact import Artifact
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import sha256_file
from edgemat.images import resize
from edgemat.models.released.families import FAMILIES
from edgemat.models.released.load import load_released


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, family in NARROW.items():
        monkeypatch.setitem(FAMILIES, name, family)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def dim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a narrow DIM."""
    path = tmp_path_factory.mktemp("released") / "deep.pth.tar"
    state = {f"module.{k}": v for k, v in made.filled(made.dim(1 / 8)).items()}
    torch.save({"state_dict": state, "epoch": 30}, path)
    return path


@pytest.fixture(scope="module")
def imported(dim: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, "dim", NARROW["dim"])  # type: ignore[arg-type]
        return edgemat.import_checkpoint(
            dim, size=(64, 96), images=2, output=tmp_path_factory.mktemp("shelf")
        )


def photo(folder: Path) -> tuple[Path, Path]:
    """Write a photograph of 75 x 100 px with a trimap."""
    random = np.random.default_rng(3)
    blocks = random.integers(0, 256, (10, 13, 3), dtype=np.uint8)
    Image.fromarray(np.kron(blocks, np.ones((8, 8, 1), np.uint8))[:75, :100]).save(folder / "p.png")
    trimap = np.zeros((75, 100), np.uint8)
    trimap[20:60, 20:80], trimap[35:45, 40:60] = 128, 255
    Image.fromarray(trimap).save(folder / "t.png")
    return folder / "p.png", folder / "t.png"


def test_the_manifest_says_what_it_is_of_and_how_it_is_fed(imported: Artifact, dim: Path) -> None:
    manifest = imported.manifest
    assert (manifest.kind, manifest.architecture, manifest.task) == ("float", "dim", "trimap")
    assert manifest.config == {"width": 1 / 8} and manifest.parent is None
    assert manifest.feeding.fit == "resize"
    assert (manifest.feeding.height, manifest.feeding.width, manifest.feeding.stride) == (
        64,
        96,
        32,
    )
    origin = manifest.origin
    assert origin is not None and origin.file == "deep.pth.tar" and origin.family == "dim"
    assert origin.sha256 == sha256_file(dim) and origin.bytes == dim.stat().st_size
    assert origin.mean == (0.485, 0.456, 0.406) and origin.deviation == (0.229, 0.224, 0.225)
    assert "ask" in manifest.licence and "deep.pth.tar" in manifest.data_notice
    assert manifest.validation is not None and manifest.validation.images == 2
    assert manifest.scores["unknown"].sad > 0
    assert imported.golden.exists() and imported.mattes.exists()


def test_the_weights_that_are_stored_are_the_checkpoints(imported: Artifact, dim: Path) -> None:
    released = load_released(dim).network.state_dict()
    stored = edgemat.load(Artifact(imported.path)).state_dict()
    assert stored.keys() == released.keys()
    assert all(torch.equal(stored[name], released[name]) for name in stored)


def test_it_is_the_same_artefact_each_time(imported: Artifact, dim: Path, tmp_path: Path) -> None:
    again = edgemat.import_checkpoint(dim, size=(64, 96), images=2, output=tmp_path)
    assert again.path.name == imported.path.name


def test_a_matte_is_made_as_its_paper_does(imported: Artifact, tmp_path: Path) -> None:
    image, trimap = (np.array(Image.open(path)) for path in photo(tmp_path))
    alpha = edgemat.matte(image, trimap, model=imported)
    network = edgemat.load(imported)
    whole = resize(image, (96, 128)), resize(trimap, (96, 128), method="nearest")
    x = torch.from_numpy(np.dstack(whole)).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        expected = network(x).alpha.clamp(0, 1)[0, 0].numpy()
    unknown = trimap == 128
    expected = resize(expected, (75, 100), method="bicubic")
    np.testing.assert_allclose(alpha[unknown], expected[unknown], atol=1e-4)


@pytest.mark.slow
def test_the_way_of_an_app_developer(
    call: Call, dim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the file to a .tflite and a cut-out, by commands."""
    monkeypatch.chdir(tmp_path)
    picture, trimap = photo(tmp_path)
    status, out, err = call(
        *("import", dim, "--name", "hair", "--size", 64, 96, "--images", 2, "--json"),
        *("-o", "artefacts", "--licence", "research only"),
    )
    assert status == 0, err
    (manifest,) = json.loads(out)
    assert (manifest["name"], manifest["licence"]) == ("hair", "research only")
    matte = ("matte", picture, "--trimap", trimap)
    assert call(*matte, "-o", "float.png", "--model", "artefacts/hair")[0] == 0
    convert = ("convert", "artefacts/hair", "--target", "tflite-fp32", "--images", 2)
    status, _, err = call(*convert)
    assert status == 0, err
    (file,) = (tmp_path / "artefacts").glob("hair-tflite-fp32@*")
    made_of_it = Artifact(file).manifest
    assert made_of_it.feeding.fit == "resize" and made_of_it.origin is not None
    assert made_of_it.agreements[0].psnr_db > 70
    assert call(*matte, "-o", "file.png", "--model", file)[0] == 0
    assert np.array(Image.open("file.png")).shape == (75, 100, 4)
    status, out, err = call("evaluate", file, "--images", 2, "--json")
    assert status == 0, err
    scores, expected = json.loads(out)["unknown"], Artifact(file).manifest.scores["unknown"]
    assert scores["sad"] == pytest.approx(expected.sad, rel=1e-4)


def test_another_fit_and_another_pictures_size_can_be_asked_for(dim: Path, tmp_path: Path) -> None:
    tiles = edgemat.import_checkpoint(dim, fit="tiles", size=(64, 64), images=1, output=tmp_path)
    assert tiles.manifest.feeding.fit == "tiles"
    for options, message in (
        ({"size": (64, 100)}, "takes multiples of 32 px"),
        ({"size": (0, 64)}, "takes multiples of 32 px"),
        ({"fit": "letterbox"}, "a letterbox is for networks without one"),
        ({"name": "../hair"}, "is no name for an artefact"),
        ({"family": "dimm"}, "no family of released networks"),
        ({"data": str(tmp_path / "none")}, "none"),
    ):
        with pytest.raises(UsageError, match=message):
            edgemat.import_checkpoint(dim, output=tmp_path / "never", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "never").exists()


def test_a_network_for_depth_is_an_artefact_that_mattes_nothing(call: Call, tmp_path: Path) -> None:
    checkpoint = tmp_path / "fast.pth.tar"
    torch.save({"state_dict": made.filled(made.fastdepth())}, checkpoint)
    network = edgemat.import_checkpoint(checkpoint)
    manifest = network.manifest
    assert (manifest.task, manifest.scores, network.path.parent) == ("depth", {}, tmp_path)
    x = torch.rand(1, 3, 64, 64)
    expected = load_released(checkpoint).network(x)
    assert torch.equal(edgemat.load(network)(x), expected)
    picture, _ = photo(tmp_path)
    for words in (
        ("matte", picture, "-o", tmp_path / "o.png", "--model", network.path),
        ("convert", network.path, "--target", "tflite-fp32"),
        ("export", network.path, "--to", tmp_path / "exported"),
        ("evaluate", network.path),
        ("quantize", network.path),
        ("prune", network.path),
        ("sensitivity", network.path),
        ("gate", network.path, "--sad", "<=5"),
        ("verify", network.path),
    ):
        status, _, err = call(*words)
        assert status == 2 and "is a network for depth: it mattes nothing" in err, err
    assert not (tmp_path / "exported").exists()
    with pytest.raises(UsageError, match="does depth and mattes nothing"):
        edgemat.import_checkpoint(checkpoint, fit="resize")
    with pytest.raises(ArtifactError, match="network for depth"):
        edgemat.evaluate(network)


def test_one_picture_of_noise_is_no_checkpoint(call: Call, tmp_path: Path) -> None:
    picture, _ = photo(tmp_path)
    for words, message in (
        ((picture,), "is not a readable weights file"),
        ((tmp_path / "none",), "There is no checkpoint"),
        ((tmp_path,), "is a folder"),
        ((picture, "--as", "a2v"), "Did you mean 'a2u'?"),
        ((picture, "--fit", "squeeze"), "squeeze"),
    ):
        status, out, err = call("import", *words)
        assert status == 2 and message in err and not out, err
