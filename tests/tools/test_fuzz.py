"""The fuzzer: it sees each kind of fault, repeats its inputs, and finds no fault in the readers."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from tools.fuzz.__main__ import Tally, fuzz
from tools.fuzz.mutate import mutate
from tools.fuzz.readers import READERS
from tools.fuzz.worker import damage, find_reader, list_files

ROOT = Path(__file__).parents[2]
LIGHT = [
    *("picture", "manifest", "sealed", "golden", "recipe", "result", "history", "bars"),
    *("frontier", "spec", "posted", "request", "runner", "record", "schema"),
]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workers import what this process can."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reader", "fault"),
    [
        ("right", None),
        ("mute", "no remedy: This is wrong."),
        ("raises", "KeyError"),
        ("aborts", "the process ended, status -6"),
        ("floods", "MB"),
        ("burns", "0.3 s"),
    ],
)
def test_each_kind_of_fault_is_seen(
    monkeypatch: pytest.MonkeyPatch, reader: str, fault: str | None
) -> None:
    if reader == "burns":
        monkeypatch.setattr("tools.fuzz.__main__.MOST_SECONDS", 0.2)
    (outcome,) = fuzz(inputs=2, names=[reader], table="toy_readers")
    assert isinstance(outcome, Tally) and outcome.tried == 2
    assert len(outcome.faults) == (0 if fault is None else 2)
    assert all(fault in text for _, text in outcome.faults if fault)


@pytest.mark.slow
def test_the_size_of_who_starts_it_is_no_fault() -> None:
    ballast = np.ones(150_000_000)  # 1.2 GB
    (outcome,) = fuzz(inputs=2, names=["right"], table="toy_readers")
    assert ballast.size and not outcome.faults


def test_the_same_number_is_the_same_input(tmp_path: Path) -> None:
    reader, right = find_reader("tools.fuzz.readers", "result"), tmp_path / "right"
    right.mkdir()
    reader.write(right)
    contents = []
    for folder in ("one", "two"):
        for index in range(20):
            contents.append(damage(reader, right, tmp_path / f"{folder}{index}", 7, index))
    read = [file.read_bytes() for file in contents]
    assert read[:20] == read[20:] and len(set(read)) > 15


def test_damage_is_of_many_kinds() -> None:
    draw, whole = random.Random(1), b'{"a": [1, 2.5], "b": "text"}'
    found = {mutate(whole, draw, is_json=True) for _ in range(300)}
    assert len(found) > 200
    assert any(len(one) > 4000 for one in found) and any(len(one) < 10 for one in found)


@pytest.mark.parametrize("name", LIGHT)
def test_what_is_not_damaged_is_read(tmp_path: Path, name: str) -> None:
    """Else the fuzzer would try nothing but the first check."""
    reader = next(one for one in READERS if one.name == name)
    reader.write(tmp_path)
    for file in list_files(reader, tmp_path):
        reader.mend(tmp_path)
        reader.read(file)


def test_all_shares_are_ten_thousand() -> None:
    assert sum(reader.share for reader in READERS) == 10_000


@pytest.mark.slow
@pytest.mark.long
def test_a_short_round_finds_nothing() -> None:
    found = {one.reader: one.faults for one in fuzz(inputs=600, names=LIGHT, seed=7)}
    assert found == {name: [] for name in LIGHT}
