"""`edgemat matte` with folders, patterns, pipes: names kept, what is done skipped, errors named."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from PIL import Image
from toy_artifacts import write_portrait_model

from edgemat.errors import EdgematError, UsageError
from edgemat.images import read_grey, read_rgba, read_trimap
from edgemat.matting.batch import Batch
from edgemat.matting.cutting import Cutter
from edgemat.matting.finish import Finish
from edgemat.matting.jobs import Naming, plan
from edgemat.matting.made import NOTES
from edgemat.matting.watch import watch
from edgemat.workflow.api.matte_files import matte_files

MODEL = ("--model", "portrait.tflite")


def write_photo(path: Path) -> Path:
    """A photograph of which the model sees the right half: its matte is the red channel."""
    pixels = np.full((48, 64, 3), 90, np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, 64)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two good photographs, a bad one, what is no picture, and a model."""
    write_portrait_model(tmp_path / "portrait.tflite")
    write_photo(tmp_path / "photos" / "one.png")
    write_photo(tmp_path / "photos" / "deep" / "two.jpg")
    (tmp_path / "photos" / "bad.jpg").write_text("no picture at all")
    (tmp_path / "photos" / "notes.txt").write_text("no picture, and not called so")
    write_photo(tmp_path / "photos" / ".hidden" / "x.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != NOTES]
    return sorted(path.relative_to(folder).as_posix() for path in files)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_folder_keeps_its_names_and_a_bad_file_stops_nothing(
    folder: Path, call: Call, jobs: int
) -> None:
    status, printed, errors = call("matte", "photos", "-o", "out", "--jobs", jobs, *MODEL)
    assert status == 1
    assert names(folder / "out") == ["deep/two.png", "one.png"]
    assert printed == "2 written, 0 there already, 1 failed.\n"
    assert "photos/bad.jpg is not an image" in errors
    _, alpha = read_rgba(folder / "out" / "deep" / "two.png")
    assert alpha is not None and alpha[24, 60] > 0.9 and alpha[24, 3] < 0.1


def test_what_is_done_is_skipped_until_it_changes(folder: Path, call: Call) -> None:
    (folder / "photos" / "bad.jpg").unlink()
    command = ("matte", "photos", "-o", "out", "--json", *MODEL)
    assert call(*command)[0] == 0
    first = (folder / "out" / "one.png").stat().st_mtime_ns
    told = json.loads(call(*command)[1])
    assert told["written"] == [] and sorted(told["skipped"]) == ["out/deep/two.png", "out/one.png"]
    assert (folder / "out" / "one.png").stat().st_mtime_ns == first
    assert len(json.loads(call(*command, "--overwrite")[1])["written"]) == 2
    later = (folder / "out" / "one.png").stat().st_mtime + 5
    __import__("os").utime(folder / "photos" / "one.png", (later, later))
    assert json.loads(call(*command)[1])["written"] == ["out/one.png"]


def test_what_was_made_otherwise_is_not_done(folder: Path, call: Call) -> None:
    (folder / "photos" / "bad.jpg").unlink()
    command = ("matte", "photos", "-o", "out", "--format", "jpg", "--json", *MODEL)
    assert len(json.loads(call(*command, "--blur", "5")[1])["written"]) == 2
    assert len(json.loads(call(*command, "--only-mask")[1])["written"]) == 2
    assert read_grey(folder / "out" / "one.jpg")[24, 60] > 0.9
    notes = folder / "out" / NOTES
    notes.write_text(notes.read_text() + '\n{"file": "one.j')  # as a killed run leaves it
    assert len(json.loads(call(*command, "--only-mask")[1])["skipped"]) == 2
    assert len(json.loads(call(*command, "--blur", "5")[1])["written"]) == 2


@pytest.mark.parametrize("kind", ["webp", "tiff", "avif"])
def test_a_pattern_and_another_format(folder: Path, call: Call, kind: str) -> None:
    status, _, _ = call("matte", "photos/**/*.png", "-o", "out", "--format", kind, *MODEL)
    assert status == 0
    assert names(folder / "out") == [f"one.{kind}"], "hidden folders are passed over"
    _, alpha = read_rgba(folder / "out" / f"one.{kind}")
    assert alpha is not None and alpha[24, 60] > 0.9


def test_the_mask_alone_and_the_trimap_that_it_suggests(folder: Path, call: Call) -> None:
    arguments = ("--only-mask", "--trimap-out", "trimaps", "--format", "jpg")
    assert call("matte", "photos/one.png", "photos/deep", "-o", "out", *arguments, *MODEL)[0] == 0
    mask = read_grey(folder / "out" / "one.jpg")
    np.testing.assert_allclose(mask[24], np.linspace(0, 1, 64), atol=0.05)
    assert names(folder / "trimaps") == ["one.png", "two.png"]
    trimap = read_trimap(folder / "trimaps" / "one.png")
    assert trimap[24, [0, 32, 63]].tolist() == [0, 128, 255]


def test_trimaps_of_a_folder_go_by_name(folder: Path, call: Call) -> None:
    painted = np.zeros((48, 64), np.uint8)
    painted[:, 10:] = 255
    (folder / "trimaps").mkdir()
    Image.fromarray(painted).save(folder / "trimaps" / "one.png")
    (folder / "photos" / "bad.jpg").unlink()
    status, _, errors = call("matte", "photos", "-o", "out", "--trimap", "trimaps", *MODEL)
    assert status == 1 and "two.png does not exist" in errors
    _, alpha = read_rgba(folder / "out" / "one.png")
    assert alpha is not None
    np.testing.assert_array_equal(alpha, painted / np.float32(255))


def test_a_pipe(folder: Path) -> None:
    command = [sys.executable, "-m", "edgemat.cli", "matte", "-", *MODEL]
    photo = (folder / "photos" / "one.png").read_bytes()
    root = str(Path(__file__).parents[2])
    environment = __import__("os").environ | {"PYTHONPATH": root}
    done = subprocess.run(command, input=photo, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    picture = Image.open(io.BytesIO(done.stdout))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (64, 48))
    done = subprocess.run(command, input=b"no picture", capture_output=True, env=environment)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Standard input is not an image" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["photos", "-o", "out", "--format", "jpg"], "cannot hold transparency"),
        (["photos", "-o", "out", "--format", "xyz"], "image suffix"),
        (["photos", "-o", "photos"], "would be taken for its pictures"),
        (["photos", "-o", "portrait.tflite"], "is a file"),
        (["none*.jpg", "-o", "out"], "Nothing is called none*.jpg"),
        (["empty", "-o", "out"], "no pictures in empty"),
        (["photos/one.png", "twin/one.png", "-o", "out"], "would both become out/one.png"),
        (["photos/one.png", "-o", "photos/one.png"], "would be written over"),
        (["photos", "-o", "out", "--trimap-out", "photos"], "one.png would be written over"),
        (["photos", "-o", "out", "--trimap-out", "out"], "the result and its trimap"),
        (["photos/one.png", "-o", "out.png", "--trimap-out", "out.png"], "result and its trimap"),
        (["photos/one.png", "-o", "t.png", "--trimap", "t.png"], "would be written over"),
        (["-", "photos", "-o", "out"], "Through a pipe goes one picture"),
        (["photos", "-o", "out", "--only-mask", "--blur", "3"], "exclude each other"),
        (["photos", "-o", "out", "--smooth", "1"], "smoothing of 1 is impossible"),
        (["photos/one.png", "-o", "out.png", "--watch"], "--watch is for folders"),
        (["photos", "-o", "out", "--watch", "--json"], "--json tells what was done"),
        (["-", "-o", "out.png", "--json"], "--json tells what was done"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(
    folder: Path, call: Call, arguments: list[str], said: str
) -> None:
    (folder / "empty").mkdir()
    write_photo(folder / "twin" / "one.png")
    before = names(folder)
    status, printed, errors = call("matte", *arguments, *MODEL)
    assert (status, printed) == (2, "") and said in errors and "Traceback" not in errors
    assert names(folder) == before


def test_a_missing_file_stops_nothing_either(folder: Path, call: Call) -> None:
    """Whether a result of that name is there or not."""
    write_photo(folder / "out" / "gone.png")
    sources = ("photos/gone.jpg", "photos/gone.mp4", "photos/one.png")
    status, printed, errors = call("matte", *sources, "-o", "out", *MODEL)
    assert status == 1 and printed == "1 written, 0 there already, 2 failed.\n"
    assert errors.count("does not exist") == 2


def test_two_of_one_name_fail_alone_and_leave_what_is_there(folder: Path, call: Call) -> None:
    (folder / "photos" / "bad.jpg").unlink()
    for name in ("twin.jpg", "twin.jpeg"):
        write_photo(folder / "photos" / name)
    (folder / "out").mkdir()
    (folder / "out" / "twin.png").write_bytes(b"of an earlier run")
    command = ("matte", "photos", "-o", "out", "--overwrite", *MODEL)
    status, printed, errors = call(*command)
    assert (status, printed) == (1, "2 written, 0 there already, 2 failed.\n")
    assert errors.count("would both become out/twin.png") == 2
    assert names(folder / "out") == ["deep/two.png", "one.png", "twin.png"]
    assert (folder / "out" / "twin.png").read_bytes() == b"of an earlier run"
    (folder / "photos" / "twin.jpeg").unlink()
    assert call(*command)[:2] == (0, "3 written, 0 there already, 0 failed.\n")


@pytest.mark.parametrize("option", ["--trimap-out", "--trimap", "--mask"])
def test_a_video_beside_photographs_fails_alone(folder: Path, call: Call, option: str) -> None:
    """Also where a photograph has its name, whose trimap it would have written."""
    (folder / "photos" / "bad.jpg").unlink()
    (folder / "photos" / "one.mp4").write_text("no video, which nobody finds out")
    for name in ("one.png", "deep/two.png"):
        (folder / "trimaps" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, 64), 255, np.uint8)).save(folder / "trimaps" / name)
    given = "new" if option == "--trimap-out" else "trimaps"
    command = ("matte", "photos", "-o", "out", option, given, *MODEL, "--json")
    status, printed, _ = call(*command)
    told = json.loads(printed)
    assert status == 1 and sorted(told["written"]) == ["out/deep/two.png", "out/one.png"]
    assert [one["source"] for one in told["failed"]] == ["photos/one.mp4"]
    assert "is a video" in told["failed"][0]["error"]
    status, _, errors = call("matte", "photos/one.mp4", "-o", "out", option, given, *MODEL)
    assert status == 2 and "is a video" in errors, "where no other file is left it ends at once"


def test_a_new_trimap_makes_a_new_result(folder: Path, call: Call) -> None:
    trimap = folder / "t.png"
    Image.fromarray(np.full((48, 64), 255, np.uint8)).save(trimap)
    command = ("matte", "photos/one.png", "-o", "out", "--trimap", "t.png", "--json", *MODEL)
    (folder / "out").mkdir()
    assert json.loads(call(*command)[1])["written"] == ["out/one.png"]
    later = (folder / "out" / "one.png").stat().st_mtime + 5
    __import__("os").utime(trimap, (later, later))
    assert json.loads(call(*command)[1])["written"] == ["out/one.png"]


def test_results_within_the_source_are_no_sources(folder: Path, call: Call) -> None:
    for _ in range(2):
        call("matte", "photos", "-o", "photos/out", *MODEL)
    assert names(folder / "photos" / "out") == ["deep/two.png", "one.png"]


def test_a_full_disk_ends_it_all(folder: Path, call: Call, full_disk: Path) -> None:
    (full_disk / "filler").write_bytes(bytes(60 * 1024))
    status, _, errors = call("matte", "photos", "-o", full_disk, "--format", "tiff", *MODEL)
    assert status == 3 and "The disk is full" in errors
    assert [path.name for path in full_disk.iterdir() if path.is_file()] == ["filler"]


def test_from_python_each_has_an_outcome(folder: Path) -> None:
    shares: list[float] = []
    outcomes = matte_files(
        "photos", "out", model="portrait.tflite", progress=lambda done, _: shares.append(done)
    )
    assert {o.job.source.name: o.error is None for o in outcomes} == {
        "one.png": True, "two.jpg": True, "bad.jpg": False
    }  # fmt: skip
    assert shares == sorted(shares) and shares[-1] == 3
    assert isinstance(next(o.error for o in outcomes if o.error), EdgematError)
    with pytest.raises(UsageError, match="no artefact none"):
        matte_files("photos", "out", model="none")


def test_a_watched_folder_waits_for_a_file_to_be_written(folder: Path) -> None:
    (folder / "photos" / "bad.jpg").unlink()
    naming = Naming(folder / "out")
    batch = Batch(Cutter(folder / "portrait.tflite", Finish()), 0.0, {})
    rounds = 0
    late = folder / "photos" / "late.png"
    whole = (folder / "photos" / "one.png").read_bytes()

    def is_over() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds in (3, 4, 5):  # it grows between two glances
            late.write_bytes(whole[: len(whole) * (rounds - 2) // 3])
        return rounds > 8

    done = [
        (rounds, outcome.job.source.name, outcome.error)
        for outcome in watch(
            batch,
            lambda: plan([folder / "photos"], naming, may_be_empty=True),
            pause_s=0.02,
            is_over=is_over,
        )
    ]
    assert done == [(2, "two.jpg", None), (2, "one.png", None), (6, "late.png", None)]


def test_a_watched_file_is_done_when_its_twin_is_gone(folder: Path) -> None:
    (folder / "photos" / "bad.jpg").unlink()
    twin = write_photo(folder / "photos" / "one.jpg")
    naming = Naming(folder / "out")
    rounds = 0

    def is_over() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 4:
            twin.unlink()
        return rounds > 6

    done = [
        (rounds, outcome.job.source.name, outcome.error is None)
        for outcome in watch(
            Batch(Cutter(folder / "portrait.tflite", Finish()), 0.0, {}),
            lambda: plan([folder / "photos"], naming, may_be_empty=True),
            pause_s=0.02,
            is_over=is_over,
        )
    ]
    assert done == [
        (2, "two.jpg", True), (2, "one.jpg", False), (2, "one.png", False), (4, "one.png", True)
    ]  # fmt: skip
