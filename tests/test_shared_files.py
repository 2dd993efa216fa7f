"""What tests share: made once, told apart by all that goes into it, and left as it is; and how
tests are dealt to several processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from conftest import deal
from shared_files import VARIABLE, made_once
from torch import nn


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))


def test_who_asks_at_the_same_time_waits_for_the_first() -> None:
    made: list[Path] = []

    def fill(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.2)
        (folder / "file").write_text("whole")

    def ask(number: int) -> tuple[Path, str]:
        folder = made_once("thing", ("a", 1), fill)
        return folder, (folder / "file").read_text()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert found == [(made[0], "whole")] * 4 and len(made) == 1


def test_other_ingredients_make_another_thing() -> None:
    places = {made_once("thing", value, Path.touch) for value in ("a", "b", ("a",), 1, 1.0)}
    assert len(places) == 5


def test_what_failed_half_way_is_made_anew() -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ValueError

    with pytest.raises(ValueError):
        made_once("thing", "a", fail)
    whole = made_once("thing", "a", lambda folder: (folder / "whole").touch())
    assert [path.name for path in whole.iterdir()] == ["whole"]


def test_a_test_that_changes_it_is_caught() -> None:
    folder = made_once("thing", "a", lambda folder: (folder / "file").write_text("right"))
    (folder / "file").write_text("wrong")
    with pytest.raises(AssertionError, match="which others share"):
        made_once("thing", "a", Path.touch)


def test_networks_are_told_apart_by_weights_settings_and_parts() -> None:
    pytest.importorskip("nncf")
    from shared_networks import content_of

    def network(seed: int, *, padding: int = 0, last: type[nn.Module] = nn.ReLU) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 4, 3, padding=padding), last())

    assert content_of(network(1)) == content_of(network(1))
    others = (network(2), network(1, padding=1), network(1, last=nn.ReLU6), network(1).eval())
    assert len({content_of(other) for other in (network(1), *others)}) == 5


class Item:
    """A test as pytest collects it, by file and mark."""

    def __init__(self, path: str, mark: str | None = None) -> None:
        self.path, self.mark = path, mark

    def get_closest_marker(self, name: str) -> str | None:
        return self.mark if name == self.mark else None


def some_tests() -> Iterator[Item]:
    for path, count, mark in (("a", 7, None), ("b", 3, "slow"), ("c", 2, "long"), ("d", 9, None)):
        yield from (Item(path, mark) for _ in range(count))


@pytest.mark.parametrize("hands", [2, 3])
def test_each_process_begins_with_slow_files_and_has_as_many_tests(hands: int) -> None:
    tests = list(some_tests())
    parts = deal(tests, hands)  # type: ignore[arg-type]
    assert sorted(map(id, tests)) == sorted(id(item) for part in parts for item in part)
    assert [part[0].path for part in parts[:2]] == ["b", "c"]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
