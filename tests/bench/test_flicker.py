"""Flicker: what dtSSD counts, what a moved still's truth is, and what smoothing does to it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="stills are moved by it")

from toy_artifacts import tflite_artifact, write_portrait_model

from edgemat.artifacts.shipped import find_artifact
from edgemat.bench.flicker import (
    SEED,
    SHARES,
    Scene,
    clip_scene,
    dtssd,
    measure_flicker,
    move,
    moved_people,
)
from edgemat.cli import app
from edgemat.data.drawn.source import ProceduralSource
from edgemat.data.folder import FolderSource
from edgemat.data.sections import PEOPLE
from edgemat.errors import UsageError
from edgemat.images import F32, to_float
from edgemat.terminal import run_app


def flat(value: float) -> F32:
    return np.full((4, 6), value, np.float32)


def test_dtssd_is_of_changes_alone() -> None:
    truth = [flat(0.2), flat(0.4), flat(0.4)]
    shifted = [one + np.float32(0.1) for one in truth]
    assert dtssd(shifted, truth) == pytest.approx(0, abs=1e-5)
    # changes of 0.3 and -0.1 where the truth has 0.2 and 0: 0.1 twice
    assert dtssd([flat(0.2), flat(0.5), flat(0.4)], truth) == pytest.approx(10, rel=1e-5)
    half = flat(0.2)
    half[:, :3] = 0.4  # half of the pixels change by 0.2
    assert dtssd([flat(0.2), half]) == pytest.approx(100 * 0.2 / 2**0.5, rel=1e-5)


def test_a_moved_still_s_truth_moves_with_it() -> None:
    rows, columns = np.mgrid[:200, :300]
    alpha = ((rows - 90) ** 2 + (columns - 140) ** 2 < 55**2).astype(np.uint8) * 255
    picture = np.dstack([alpha, 255 - alpha, np.zeros_like(alpha)])
    scene = move(picture, alpha, frames=6, seed=3)
    assert scene.truths is not None and len(scene.frames) == len(scene.truths) == 6
    for frame, truth in zip(scene.frames, scene.truths, strict=True):
        assert np.abs(to_float(frame)[..., 0] - truth).mean() < 0.01  # a sensor's noise
    assert dtssd(scene.truths) > 1, "it moves"
    longer = move(picture, alpha, frames=9, seed=3)
    np.testing.assert_array_equal(longer.frames[5], scene.frames[5], "more frames, same speed")


def test_smoothing_steadies_noise_on_a_still_picture(tmp_path: Path) -> None:
    path = tmp_path / "red.tflite"
    write_portrait_model(path)
    random = np.random.default_rng(1)
    still = np.full((32, 32), 0.5, np.float32)
    frames = [
        np.dstack([random.integers(100, 156, (32, 32)), *[np.zeros((32, 32))] * 2]).astype(np.uint8)
        for _ in range(8)
    ]
    found = measure_flicker({"red": path}, [Scene(frames, [still] * 8)])
    assert [one.smoothing for one in found] == list(SHARES)
    assert found[1].dtssd < 0.9 * found[0].dtssd
    assert found[0].mad is not None and found[0].frames == 8


def test_people_are_those_that_are_held_out() -> None:
    scenes = moved_people(ProceduralSource(1, size=(64, 64)), count=2, frames=2)
    source = FolderSource(PEOPLE, seed=0, size=(64, 64), part="held-out")
    for index, scene in enumerate(scenes):
        matte = source[index]
        expected = move(matte.colours, matte.alpha, frames=2, seed=SEED + index).truths
        assert scene.truths is not None and expected is not None
        np.testing.assert_array_equal(scene.truths[1], expected[1])
    assert len(scenes) == 2


def test_a_shipped_model_is_measured_in_float_and_int8(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["flicker", "--people", "1", "--frames", "2", "--json"]
    assert run_app(app, words) == 0
    rows = json.loads(capsys.readouterr().out)
    names = [find_artifact("portrait").name, find_artifact("portrait", target="tflite-int8").name]
    assert [row["file"] for row in rows] == [names[0]] * 2 + [names[1]] * 2
    assert all(row["mad"] is not None and row["frames"] == 2 for row in rows)
    assert run_app(app, [*words, "portrait", "portrait"]) == 2
    assert "named twice" in capsys.readouterr().err


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    taker = find_artifact("trimap", target="tflite-int8")
    two = Scene([np.zeros((32, 32, 3), np.uint8)] * 2, None)
    with pytest.raises(UsageError, match="takes a trimap"):
        measure_flicker({"taker": taker}, [two])
    path = tmp_path / "red.tflite"
    write_portrait_model(path)
    with pytest.raises(UsageError, match="two frames"):
        measure_flicker({"red": path}, [Scene(two.frames[:1], None)])


def test_the_command_measures_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in (40, 60, 80):
            image = np.full((48, 64, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    assert len(clip_scene(path, frames=2).frames) == 2
    words = ["flicker", str(tflite_artifact(tmp_path / "shelf").path), "--clip", str(path)]
    assert run_app(app, [*words, "--frames", "3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["smoothing"] for row in rows] == list(SHARES)
    assert rows[0]["mad"] is None and rows[0]["dtssd"] > rows[1]["dtssd"]
    assert run_app(app, [*words, "--frames", "3"]) == 0
    assert "dtSSD" in capsys.readouterr().out
    assert run_app(app, [*words, "--people", "3"]) == 2
    assert "of its own" in capsys.readouterr().err
