"""The history of results: appended to, never changed, whole whatever happens."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy_results import toy_result

from edgemat.bench.result import Result
from edgemat.bench.store import SCHEMA, RunStore
from edgemat.errors import ArtifactError, DiskError, UsageError
from edgemat.files import sha256_file

A, B, C = ("ab" * 32, "bc" * 32, "cd" * 32)


def run(sha256: str = A, name: str = "portrait") -> Result:
    return toy_result(name=name, model_sha256=sha256)


def test_history_is_what_was_appended(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "new" / "runs.sqlite")
    assert store.history(A) == {}
    kept = [run(A, "first"), run(B), run(A, "third")]
    assert [store.append(one) for one in kept] == [1, 2, 3]
    again = RunStore(store.path)
    assert again.history() == dict(enumerate(kept, start=1))
    assert again.history(A) == {1: kept[0], 3: kept[2]}
    assert again.history(C) == {}
    assert again.get(3) == kept[2]
    with pytest.raises(UsageError, match="no result number 4") as caught:
        again.get(4)
    assert "1 to 3" in caught.value.remedy


def test_a_damaged_database_is_named_with_its_remedy(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs.sqlite")
    store.path.write_bytes(b"this is no database" * 100)
    for action in (store.history, lambda: store.append(run())):
        with pytest.raises(ArtifactError, match="Move it away"):
            action()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs.sqlite")
    store.append(run())
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = sha256_file(store.path)
    with pytest.raises(ArtifactError, match="newer edgemat"):
        store.append(run())
    assert sha256_file(store.path) == before


def test_a_database_of_an_older_version_is_left_alone(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs.sqlite")
    store.append(run())
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(ArtifactError, match="older edgemat"):
        store.history()


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DiskError):
        RunStore(tmp_path).append(run())


def test_a_failed_append_leaves_nothing(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs.sqlite")
    store.append(run())
    with pytest.raises(RuntimeError, match="in the middle"), store._transaction(write=True) as c:
        c.execute("DELETE FROM runs")
        raise RuntimeError("in the middle")
    assert len(store.history(A)) == 1


WRITER = """
import sys
from pathlib import Path
from edgemat.bench.store import RunStore
from toy_results import toy_result
store, n = RunStore(Path(sys.argv[1])), 0
while True:
    store.append(toy_result(warmup_runs=n)); n += 1; print(n, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_the_store_is_whole_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert writer.stdout is not None
    for _ in range(20):
        assert writer.stdout.readline()
    time.sleep(0.003)
    writer.send_signal(signal.SIGKILL)
    said = 20 + len(writer.stdout.read().splitlines())
    writer.wait()
    store = RunStore(path)
    numbers = [r.warmup_runs for r in store.history(A).values()]
    assert numbers == list(range(len(numbers)))
    assert said <= len(numbers) <= said + 1
    store.append(run())
