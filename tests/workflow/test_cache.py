"""The cache: a step runs once per arguments, again when its files are gone or its data changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from edgemat.errors import DiskError, UsageError
from edgemat.workflow import identity
from edgemat.workflow.cache import Cache
from edgemat.workflow.identity import identity_of
from edgemat.workflow.imports import Source
from edgemat.workflow.step import Destination, Step, StepRecord

HERE = Source(Path(__file__).parent, __name__)


def make(calls: list[int], model: str, *, work: Path, folder: Path) -> StepRecord:
    work.mkdir(parents=True)
    (work / "checkpoint").write_text("unfinished")
    (folder / "picture.png").write_text("made")
    calls.append(1)
    return {"files": ["picture.png"], "model": f"{model}, call {len(calls)}"}


def run(cache: Cache, calls: list[int], model: str) -> StepRecord:
    destinations = {"work": Destination.WORK, "folder": Destination.FOLDER}
    call = partial(make, calls, model)
    return cache.run(
        Step("photo", "title", call, destinations=destinations, unkeyed={"calls": "they count"})
    )


def at(folder: Path) -> Cache:
    return Cache(folder, source=HERE)


def test_a_step_runs_once_per_arguments(tmp_path: Path) -> None:
    calls: list[int] = []
    first = run(at(tmp_path), calls, "a")
    again = at(tmp_path)
    assert run(again, calls, "a") == first and again.ran == []
    assert run(again, calls, "b")["model"] == "b, call 2" and again.ran == ["title"]


def test_a_step_runs_again_when_its_files_or_its_record_are_gone(tmp_path: Path) -> None:
    calls: list[int] = []
    run(at(tmp_path), calls, "a")
    (tmp_path / "picture.png").unlink()
    run(at(tmp_path), calls, "a")
    assert len(calls) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\0",
        b"[]",
        b"null",
        b"7",
        b'{"files": []}',
        b'{"record": {"files": []}, "sha256": null}',
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_a_damaged_record_counts_as_none_and_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    calls: list[int] = []
    first = run(at(tmp_path), calls, "a")
    (record,) = (tmp_path / "stages").iterdir()
    whole = record.read_bytes()
    record.write_bytes(content)
    again = run(at(tmp_path), calls, "a")
    assert (len(calls), first["files"]) == (2, again["files"])
    assert "is damaged" in " ".join(capsys.readouterr().err.split())
    assert run(at(tmp_path), calls, "a") == again and len(calls) == 2
    record.write_bytes(whole[: len(whole) // 2])  # as a full disk might leave it
    run(at(tmp_path), calls, "a")
    record.write_bytes(record.read_bytes().replace(b"call 3", b"call 9"))
    assert run(at(tmp_path), calls, "a")["model"] == "a, call 4"


def test_unfinished_work_is_cleared_when_the_step_is_done(tmp_path: Path) -> None:
    run(at(tmp_path), [], "a")
    assert not list((tmp_path / "work").iterdir())


def test_a_step_that_begins_anew_names_unfinished_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Days of training must not begin anew without a word: of changed data the key is another."""
    other = tmp_path / "work" / "0123456789abcdef"
    other.mkdir(parents=True)
    (other / "checkpoint.pt").write_text("unfinished")
    cache = at(tmp_path)
    run(cache, [], "a")
    said = capsys.readouterr().err.replace("\n", "")
    assert "title begins anew." in said and "0123456789abcdef is unfinished work" in said
    run(cache, [], "b")
    assert "unfinished" not in capsys.readouterr().err, "once is enough"


def test_leftovers_of_a_killed_run_are_cleared(tmp_path: Path) -> None:
    leftover = tmp_path / "artifacts" / ".building-1234"
    leftover.mkdir(parents=True)
    with at(tmp_path):
        assert not leftover.exists()


HOLD = """
import sys
from pathlib import Path
from edgemat.lock import work_alone
with work_alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    in_progress = tmp_path / "artifacts" / ".building-1234"
    in_progress.mkdir(parents=True)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(UsageError, match="Another process is at work in") as caught,
            at(tmp_path),
        ):
            pass
        assert "--output" in caught.value.remedy
        assert in_progress.exists(), "the other's unfinished work is not touched"
        other.kill()
    with at(tmp_path):
        assert not in_progress.exists(), "a killed process holds no lock"


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="is a file"):
        at(tmp_path / "file")


@pytest.mark.parametrize("kept", [False, True])
def test_data_are_known_by_their_contents(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that were copied or mounted anew are the same; a pixel more, and they are others."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(identity, "WORTH_KEEPING", 0 if kept else 50)
    (tmp_path / "data" / "alpha").mkdir(parents=True)
    file = tmp_path / "data" / "alpha" / "a.png"
    file.write_bytes(b"one")
    first = identity_of(tmp_path / "data")
    assert len(list((tmp_path / "cache").rglob("*"))) == (3 if kept else 0)
    assert identity_of(tmp_path / "data") == first
    os.utime(file, ns=(1, 1))
    assert identity_of(tmp_path / "data") == first
    copy = shutil.copytree(tmp_path / "data", tmp_path / "copy")
    assert identity_of(copy) == first
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    changed = identity_of(tmp_path / "data")
    assert changed == first if kept else changed != first  # size and time say: the same
    os.utime(file, ns=(2, 2))
    assert identity_of(tmp_path / "data") != first
    file.rename(file.with_name("b.png"))
    assert identity_of(tmp_path / "data") not in (first, changed)


def test_a_damaged_or_absent_cache_of_contents_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "WORTH_KEEPING", 0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.png").write_bytes(b"one")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = identity_of(tmp_path / "data")
    (entry,) = (tmp_path / "cache").rglob("contents/*")
    entry.write_bytes(b"\xff" + entry.read_bytes()[1:])
    assert identity_of(tmp_path / "data") == first
    (tmp_path / "blocked").write_text("a file in the cache's place")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    assert identity_of(tmp_path / "data") == first
