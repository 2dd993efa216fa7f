"""What training takes: measured in small, and what is told of it."""

from __future__ import annotations

import errno
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from calling import Call

from edgemat.bench import throughput
from edgemat.bench.throughput import Setting, Throughput, measure_here, measure_opening
from edgemat.errors import EdgematError, MissingToolError
from edgemat.images import read_image

TINY = Setting("indexnet-slim", width=0.25, size=32, batch=2, source="procedural", cores=1, steps=1)


@pytest.fixture(autouse=True)
def _threads_as_before() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.long
def test_a_setting_is_measured() -> None:
    found = measure_here(TINY)
    assert found["loader_per_s"] > 0 and found["training_per_s"] > 0
    assert 0.05 < found["convolution_share"] < 0.95
    assert found["peak_mb"] is None or found["peak_mb"] > 50


@pytest.mark.parametrize("least", [1, 4, 9])
def test_the_loaders_rate_is_of_whole_rounds(least: int) -> None:
    """Eight processes give eight batches at once: 160 a second, however few are asked for."""

    def rounds() -> Iterator[int]:
        while True:
            time.sleep(0.05)
            yield from range(8)

    stream = rounds()
    next(stream)
    assert 20 < throughput._rate(stream, workers=8, least=least) < 161


def test_folders_are_made_where_links_are_few_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    links: Counter[int] = Counter()
    link = os.link

    def few(file: Path, name: Path) -> None:
        links[file.stat().st_ino] += 1
        if max(links.values()) > 9:
            raise OSError(errno.EMLINK, "Too many links")
        link(file, name)

    def none(file: Path, name: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(throughput, "LINKS", 10)
    monkeypatch.setattr(os, "link", few)
    assert measure_opening([25])[0].seconds > 0
    assert list(links.values()) == [9, 9, 4]
    monkeypatch.setattr(os, "link", none)
    assert measure_opening([25])[0].seconds > 0


def test_larger_folders_take_longer_to_open() -> None:
    small, large = measure_opening([5, 2000])
    assert (small.mattes, large.mattes) == (5, 2000)
    assert 0 < small.seconds < large.seconds < 60


def measured(task: dict[str, int]) -> dict[str, float]:
    area = task["size"] ** 2 * task["batch"]
    return {
        "loader_per_s": 30.0,
        "training_per_s": 10.0 * 32**2 / task["size"] ** 2,
        "convolution_share": 0.5,
        "peak_mb": 100 + area / 1000,
    }


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Every process answers at once; what it was asked is kept."""
    asked: list[dict[str, int]] = []

    def answer(module: str, task: dict[str, int], **_: object) -> dict[str, float]:
        asked.append(task)
        return measured(task)

    monkeypatch.setattr(throughput, "run_child", answer)
    return asked


WORDS = ("throughput", "indexnet-slim", "--source", "procedural", "--width", "0.25")


def test_sizes_and_batches_grow_by_themselves(
    quick: list[dict[str, int]], tmp_path: Path, call: Call
) -> None:
    plot = tmp_path / "growth.png"
    words = (*WORDS, "--size", "32", "--size", "64", "--batch", "2", "--batch", "4", "--set", "5")
    status, shown, error = call(*words, "--plot", str(plot), "--json")
    assert status == 0, error
    assert [(one["size"], one["batch"]) for one in quick] == [(32, 2), (64, 2), (32, 4)]
    value = json.loads(shown)
    assert [one["ratio"] for one in value["trainings"]] == [3, 12, 3]
    assert value["opened"][0]["mattes"] == 5
    assert read_image(plot).shape[0] > 300
    status, shown, _ = call(*words)
    assert status == 0 and "50 %" in shown and "A folder of 5 mattes" in shown


def test_a_loader_that_is_too_slow_fails(quick: list[dict[str, int]], call: Call) -> None:
    words = (*WORDS, "--size", "32", "--batch", "2")
    assert call(*words, "--at-least", "3")[0] == 0
    assert call(*words, "--at-least", "3.5")[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("throughput", "dncnn"), "dncnn"),
        (("throughput", "nothing"), "nothing"),
        ((*WORDS[:2], "--source", "nowhere"), "nowhere"),
        ((*WORDS, "--plot", "growth.xyz"), "growth.xyz"),
        ((*WORDS, "--size", "64", "--size", "40"), "multiples of 32 px, not 40"),
    ],
)
def test_what_cannot_be_measured_is_said_at_once(
    words: tuple[str, ...], said: str, quick: list[dict[str, int]], call: Call
) -> None:
    status, _, error = call(*words)
    assert (status, said in " ".join(error.split()), "Traceback" in error) == (2, True, False)
    assert not quick, "no process was started"


def test_a_process_that_dies_names_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(module: str, task: dict[str, int], *, measures: str, **_: object) -> None:
        raise MissingToolError(f"The process that measures {measures} failed.", remedy="")

    monkeypatch.setattr(throughput, "run_child", dies)
    with pytest.raises(EdgematError, match="indexnet-slim on 2 pictures of 32 px"):
        throughput.measure_growth([TINY])


def test_the_ratio_is_of_pictures() -> None:
    assert Throughput(TINY, 30.0, 10.0, 0.5, None).ratio == 3
