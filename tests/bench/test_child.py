"""Processes of their own: what is said of those that die or take too long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgemat.bench.child import run_child
from edgemat.errors import MissingToolError

TOY = """
import json, sys, time
task = json.loads(sys.argv[1])
sys.stderr.write("a warning of some library" + chr(10))
sys.stderr.flush()
time.sleep(task["sleeps"])
print("a line before")
print(task["answers"])
sys.exit(task["status"])
"""


@pytest.fixture(autouse=True)
def _toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy_child.py").write_text(TOY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


def run(*, sleeps: float = 0, status: int = 0, timeout_s: float = 60) -> object:
    task = {"answers": "[1, 2]", "sleeps": sleeps, "status": status}
    return run_child(
        "toy_child", task, measures="the size of a toy", timeout_s=timeout_s, remedy="Wait."
    )


def test_the_last_line_is_the_answer() -> None:
    assert run() == [1, 2]


def test_the_last_line_of_a_process_that_dies_is_said() -> None:
    with pytest.raises(MissingToolError, match="the size of a toy failed: a warning of some"):
        run(status=3)


def test_a_process_that_takes_too_long_is_said_to() -> None:
    with pytest.raises(MissingToolError) as caught:
        run(sleeps=60, timeout_s=0.5)
    said = "The process that measures the size of a toy took more than 0.5 s."
    assert caught.value.message == said
