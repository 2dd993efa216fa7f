"""Work spread over processes: each item once, errors as they are; addresses of clusters."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from toy_artifacts import write_portrait_model
from toy_onnx import write_teacher

from edgemat.data.teacher import Feed, Teacher
from edgemat.errors import EdgematError, ImageError, MissingToolError, UsageError
from edgemat.matting.cutting import Cutter, Frame
from edgemat.matting.finish import Finish
from edgemat.matting.predict import load_predictor
from edgemat.spread import spread


def halved(number: int) -> float:
    if number < 0:
        raise ImageError(f"{number} is negative.", remedy="Leave it out.")
    return number / 2


def killed(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_done_once_and_an_error_is_raised_as_it_was(workers: int) -> None:
    assert sorted(spread(halved, [4, 6, 8], workers=workers)) == [(0, 2.0), (1, 3.0), (2, 4.0)]
    with pytest.raises(ImageError, match="-1 is negative") as caught:
        list(spread(halved, [4, -1], workers=workers))
    assert caught.value.remedy == "Leave it out."


class Unreadable:
    """Work that no other process can open."""

    def __reduce__(self) -> tuple[object, ...]:
        return (halved, (-1,))

    def __call__(self, number: int) -> int:
        return number


def test_work_that_cannot_be_opened_says_why() -> None:
    with pytest.raises(ImageError, match="-1 is negative"):
        list(spread(Unreadable(), [1], workers=2))


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(EdgematError, match="A process died"):
        list(spread(killed, [1], workers=2))


def test_no_items_start_nothing() -> None:
    assert list(spread(halved, [], workers=8, ray="local")) == []


@pytest.mark.parametrize("address", ["here", "host:port", "host:0", ":7", "ray://host:10001"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no Ray cluster's address") as caught:
        spread(halved, [1], ray=address)
    assert "--ray local" in caught.value.remedy


@pytest.fixture
def closed() -> Iterator[str]:
    """An address of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_cluster_that_does_not_answer_is_named_soon(closed: str) -> None:
    start = time.monotonic()
    with pytest.raises(MissingToolError, match=f"No Ray cluster answers at {closed}"):
        spread(halved, [1], ray=closed)
    assert time.monotonic() - start < 10


def test_without_ray_the_extra_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "1")
    with pytest.raises(MissingToolError, match="needs ray") as caught:
        spread(halved, [1], ray="local")
    assert caught.value.remedy == 'Run: pip install "edgemat[ray]"'
    # and nothing would have been sent home, or listened to others, had it been there
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"


# ---- what holds a model goes to another process ------------------------------------------------


def test_a_cutter_opens_its_model_anew(tmp_path: Path) -> None:
    path = write_portrait_model(tmp_path / "portrait.tflite")
    cutter = Cutter(path, Finish(only_mask=True), workers=2)
    other = pickle.loads(pickle.dumps(cutter))
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    assert (other.alpha(Frame(image)) == cutter.alpha(Frame(image))).all()
    assert other.finish == cutter.finish and other.name == cutter.name
    with pytest.raises(UsageError, match="loaded already"):
        pickle.dumps(Cutter(load_predictor(path), Finish()))


@pytest.mark.parametrize("feed", [None, Feed((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))])
def test_a_teacher_opens_its_file_anew(tmp_path: Path, feed: Feed | None) -> None:
    pytest.importorskip("onnxruntime")
    memories = {"r1i": 16, "r2i": 20, "r3i": 40, "r4i": 64} if feed is None else {}
    file = write_teacher(tmp_path / "t.onnx", weights=(0.2, 0, 0), memories=memories)
    teacher = Teacher(file, feed=feed, side=64)
    other = pickle.loads(pickle.dumps(teacher))
    assert other.identity == teacher.identity
    image = np.full((40, 60, 3), 200, np.uint8)
    assert (other.predict(image) == teacher.predict(image)).all()
