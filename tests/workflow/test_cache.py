"""The cache: a stage runs once per inputs, again when its files are gone or its data changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edgemat.errors import DiskError
from edgemat.workflow.cache import CODE, ROOT, Stages, identity_of


def run(stages: Stages, calls: list[int], **inputs: Any) -> dict[str, Any]:
    def make(work: Path) -> dict[str, Any]:
        work.mkdir(parents=True)
        (work / "checkpoint").write_text("unfinished")
        (stages.folder / "picture.png").write_text("made")
        calls.append(1)
        return {"files": ["picture.png"], "count": len(calls)}

    return stages.run("photo", "title", inputs, make)


def test_a_stage_runs_once_per_inputs(tmp_path: Path) -> None:
    calls: list[int] = []
    first = run(Stages(tmp_path), calls, model="a")
    again = Stages(tmp_path)
    assert run(again, calls, model="a") == first and again.ran == []
    assert run(again, calls, model="b")["count"] == 2 and again.ran == ["title"]


def test_a_stage_runs_again_when_its_files_or_its_record_are_gone(tmp_path: Path) -> None:
    calls: list[int] = []
    run(Stages(tmp_path), calls, model="a")
    (tmp_path / "picture.png").unlink()
    run(Stages(tmp_path), calls, model="a")
    record = next((tmp_path / "stages").iterdir())
    record.write_text(record.read_text()[:-5])  # as a full disk might leave it
    run(Stages(tmp_path), calls, model="a")
    assert len(calls) == 3


def test_unfinished_work_is_cleared_when_the_stage_is_done(tmp_path: Path) -> None:
    run(Stages(tmp_path), [], model="a")
    assert not list((tmp_path / "work").iterdir())


def test_leftovers_of_a_killed_run_are_cleared(tmp_path: Path) -> None:
    leftover = tmp_path / "artifacts" / ".building-1234"
    leftover.mkdir(parents=True)
    Stages(tmp_path)
    assert not leftover.exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="is a file"):
        Stages(tmp_path / "file")


def test_changed_data_have_another_identity(tmp_path: Path) -> None:
    (tmp_path / "alpha").mkdir()
    file = tmp_path / "alpha" / "a.png"
    file.write_bytes(b"one")
    first = identity_of(tmp_path)
    assert identity_of(tmp_path) == first
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert identity_of(tmp_path) != first


def test_the_code_that_stages_depend_on_exists() -> None:
    for names in CODE.values():
        for name in names:
            assert (ROOT / name).exists(), name
