"""Comparing with peers: a run and its table, costs, the sheet, the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_peers import (
    LANDSCAPE,
    MEET,
    SELFIE,
    SIZE,
    SLIM,
    U2NETP,
    write_peer,
    write_photos,
    write_red_model,
)

from edgemat.bench.peers.contest import run_contest
from edgemat.bench.peers.contest_result import ContestResult, ContestSettings
from edgemat.bench.peers.contestants import Entry
from edgemat.bench.peers.entries import list_entries, open_entry
from edgemat.bench.peers.memory import peak_memory
from edgemat.bench.peers.pictures import Photo, find_photos
from edgemat.bench.peers.scores import summarise_scores
from edgemat.bench.peers.sheet import draw_sheet, make_strip, sheet_size
from edgemat.bench.peers.table import make_tables, to_markdown
from edgemat.bench.protocol import Protocol
from edgemat.cli import main
from edgemat.cli import peers as command_line
from edgemat.errors import MissingToolError, UsageError
from edgemat.images import U8, read_image, write_image

QUICK = Protocol(warmup_runs=1, warmup_seconds=0.0, runs=2, seconds=0.0, blocks=2)
CHEAP = ContestSettings(protocol=QUICK, photo_runs=2, costs=False, strips=2)


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
