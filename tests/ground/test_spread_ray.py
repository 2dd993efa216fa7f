"""Work spread over a real Ray of two workers on this machine: nothing lost, nothing doubled.

Ray is too large for requirements.txt, so that these skip unless it is there:
pip install "edgemat[ray]", then pytest tests/ground/test_spread_ray.py.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from toy_artifacts import tflite_artifact
from toy_onnx import write_teacher

from edgemat.data.label import LABELS_FILE, label_folder
from edgemat.errors import ImageError
from edgemat.images import F32, U8, read_image, write_image
from edgemat.spread import LOCAL, RETRIES, _connected, _import_ray, spread

pytestmark = pytest.mark.long
COUNT = 16


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    """A local Ray as `--ray local` starts it: once for all, as it takes half a minute."""
    if find_spec("ray") is None:  # it is for edgemat to import, with nothing sent home
        pytest.skip("Ray is not installed")
    ray = _import_ray(LOCAL)
    here = Path(__file__).parent
    places = str(here), str(here.parent), os.environ.get("PYTHONPATH", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(places))  # workers find what these tests name
        with _connected(ray, LOCAL, 2):
            assert ray.cluster_resources()["CPU"] == 2
            yield
    assert not ray.is_initialized()


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Discs whose red channel is the matte, with truth, and a damaged one among the photographs."""
    y, x = np.mgrid[:72, :96]
    for n in range(COUNT):
        alpha = np.clip((24 - np.hypot(y - 36, x - 36 - n)) / 6 + 0.5, 0, 1)
        image = np.dstack([255 * alpha * 0.95, np.full_like(alpha, n), np.full_like(alpha, 60)])
        write_image(tmp_path / "photos" / "image" / f"p{n:02}.png", image.astype(np.uint8))
        write_image(tmp_path / "photos" / "alpha" / f"p{n:02}.png", (255 * alpha).astype(np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def damage(photos: Path) -> None:
    (photos / "image" / "bad.png").write_text("no picture at all")


def files_of(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def number_of(image: U8) -> int:
    return int(image[0, 0, 1])


# ---- workers that die ------------------------------------------------------------------------


def slowly_red(begun: Path, image: U8) -> F32:
    """Draw the red channel, and leave word of who began it."""
    (begun / f"{number_of(image):02}-{os.getpid()}").touch()
    time.sleep(0.5)
    return image[..., 0].astype(np.float32) / 255


def test_of_two_workers_one_is_killed_and_nothing_is_lost_or_doubled(photos: Path) -> None:
    damage(photos)
    begun = photos.parent / "begun"
    begun.mkdir()
    dead: list[int] = []

    def kill_one(done: int, count: int) -> None:
        """In the middle, kill who has begun a photograph that has no label yet."""
        if dead or done < count // 3:
            return
        here = {path.stem for path in (photos.parent / "out" / "alpha").iterdir()}
        for word in sorted(begun.iterdir(), reverse=True):
            number, pid = word.name.split("-")
            if f"p{number}" not in here:
                os.kill(int(pid), signal.SIGKILL)
                dead.append(int(pid))
                return

    draw = partial(slowly_red, begun)
    counted: list[int] = []

    def progress(done: int, count: int) -> None:
        counted.append(done)
        kill_one(done, count)

    labels = label_folder(
        photos, photos.parent / "out", draw=draw, workers=2, ray=LOCAL, progress=progress
    )
    assert len(dead) == 1 and dead[0] != os.getpid()
    words = [path.name.split("-") for path in begun.iterdir()]
    assert len({pid for _, pid in words}) >= 2  # both had work
    times = Counter(number for number, _ in words)
    assert len(times) == COUNT and max(times.values()) == 2  # the dead one's was begun again
    # each once: told, listed, and written as without a cluster
    assert counted == list(range(1, COUNT + 2))
    names = [f"p{n:02}" for n in range(COUNT)]
    assert sorted(one.name for one in labels) == ["bad", *names]
    assert [one.name for one in labels if one.left_out] == ["bad"]
    with (photos.parent / "out" / LABELS_FILE).open(newline="") as file:
        listed = [row[0] for row in csv.reader(file)][1:]
    assert sorted(listed) == ["bad", *names]
    alone = photos.parent / "alone"
    assert label_folder(photos, alone, draw=draw) == labels
    assert files_of(alone) == files_of(photos.parent / "out")


def deadly(image: U8) -> F32:
    if number_of(image) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return image[..., 0].astype(np.float32) / 255


def test_a_photograph_that_kills_every_worker_does_not_stop_the_rest(photos: Path) -> None:
    for n in range(6, COUNT):
        (photos / "image" / f"p{n:02}.png").unlink()
    labels = label_folder(photos, photos.parent / "out", draw=deadly, workers=2, ray=LOCAL)
    left_out = {one.name: one.left_out for one in labels if one.left_out}
    assert list(left_out) == ["p01"] and len(labels) == 6
    assert f"p01 has ended its worker {RETRIES + 1} times." in left_out["p01"]
    made = sorted(path.stem for path in (photos.parent / "out" / "alpha").iterdir())
    assert made == ["p00", "p02", "p03", "p04", "p05"]


def picky(number: int) -> int:
    if number == 2:
        raise ImageError("2 is not liked.", remedy="Leave it out.")
    return number // (number - 3)


def test_what_work_raises_comes_back_as_it_was() -> None:
    with pytest.raises(ImageError, match="2 is not liked") as caught:
        list(spread(picky, [2], ray=LOCAL))
    assert caught.value.remedy == "Leave it out."
    with pytest.raises(ZeroDivisionError) as other:  # and where it happened
        list(spread(picky, [3], ray=LOCAL))
    assert "in picky" in "".join(other.value.__notes__)


# ---- the commands ----------------------------------------------------------------------------


def test_matte_cuts_the_same_out(photos: Path, call: Call) -> None:
    damage(photos)
    model = str(tflite_artifact(photos.parent / "shelf").path)
    same = ("matte", "photos/image", "--model", model, "--json")
    status, alone, _ = call(*same, "-o", "alone")
    assert status == 1
    on_ray = (*same, "-o", "out", "--jobs", 2, "--ray", "local")
    status, told, _ = call(*on_ray)
    assert status == 1
    found, expected = json.loads(told), json.loads(alone)
    assert sorted(found["written"]) == [p.replace("alone", "out") for p in expected["written"]]
    assert found["failed"] == expected["failed"] and len(found["written"]) == COUNT
    assert files_of(photos.parent / "out") == files_of(photos.parent / "alone")
    # a second time there is only what failed
    (photos.parent / "out" / "p05.png").unlink()
    again = json.loads(call(*on_ray)[1])
    assert again["written"] == ["out/p05.png"] and len(again["skipped"]) == COUNT - 1
    assert read_image(photos.parent / "out" / "p05.png").shape == (72, 96, 3)


def test_evaluate_finds_the_same_errors(photos: Path, call: Call) -> None:
    model = str(tflite_artifact(photos.parent / "shelf").path)
    command = ("evaluate", model, "photos", "--all", "--json")
    status, alone, _ = call(*command)
    assert status == 0
    status, told, _ = call(*command, "--processes", 2, "--ray", "local")
    assert status == 0
    assert json.loads(told) == json.loads(alone)
    assert len(json.loads(told)[0]["pictures"]) == COUNT


def test_data_label_draws_the_same(photos: Path, call: Call) -> None:
    pytest.importorskip("onnxruntime")
    damage(photos)
    memories = {"r1i": 16, "r2i": 20, "r3i": 40, "r4i": 64}
    write_teacher(photos.parent / "rvm.onnx", memories=memories)
    command = ("data", "label", "photos", "--teacher", "rvm.onnx", "--where", "rvm.onnx", "--json")
    told = []
    for folder, more in (("alone", ()), ("out", ("--jobs", 2, "--ray", "local"))):
        status, printed, _ = call(*command[:3], folder, *command[3:], *more)
        assert status == 0
        told.append(json.loads(printed))
    assert told[0] == told[1] and len(told[1]) == COUNT + 1
    assert files_of(photos.parent / "out") == files_of(photos.parent / "alone")


# ---- nobody else is told ---------------------------------------------------------------------


def test_a_local_cluster_listens_to_this_machine_alone_and_sends_nothing_home() -> None:
    import ray
    from ray._common.usage.usage_lib import usage_stats_enabled

    assert [node["NodeManagerAddress"] for node in ray.nodes()] == ["127.0.0.1"]
    assert ray.get_runtime_context().gcs_address.startswith("127.0.0.1:")
    assert not usage_stats_enabled()
