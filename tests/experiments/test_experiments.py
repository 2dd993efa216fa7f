"""The thesis' small experiments: their figures, their data, and the order that they show."""

from __future__ import annotations

import gzip
import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from edgemat.cli import app
from edgemat.data.sections import PEOPLE
from edgemat.data.small_pictures import SIDE, built_in, read_small_pictures
from edgemat.errors import UsageError
from edgemat.experiments.denoise import read_grey_pictures, run_denoising
from edgemat.experiments.fidelity import fidelity
from edgemat.experiments.fit import known_models
from edgemat.experiments.reconstruct import run_reconstruction
from edgemat.images import U8, read_rgba, write_image
from edgemat.terminal import run_app

PICTURES: U8 = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
IDX = {"train-images-idx3-ubyte": PICTURES[:4], "t10k-images-idx3-ubyte": PICTURES[4:]}


def idx(pictures: U8) -> bytes:
    return struct.pack(">4I", 0x803, *pictures.shape) + pictures.tobytes()


def test_a_constant_error_has_known_figures() -> None:
    truth = [np.full((16, 16), 0.5, np.float32), np.zeros((8, 8), np.float32)]
    off = fidelity([picture + np.float32(0.1) for picture in truth], truth)
    assert off.psnr == pytest.approx(20, abs=1e-5)
    assert (off.mae, off.mse) == pytest.approx((0.1, 0.1))
    assert off.mse == pytest.approx(10 ** (-off.psnr / 20))  # as the thesis prints it
    same = fidelity(truth, truth)
    assert (same.psnr, same.ssim, same.mae) == (math.inf, 1, 0)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.6), (0.0, 1.0), (0.2, 0.9)])
def test_the_ssim_of_constant_pictures_by_its_formula(a: float, b: float) -> None:
    """No variance, no covariance: (2 a b + C1) / (a^2 + b^2 + C1), with C1 = 0.01^2 for 0..1."""
    found, truth = (np.full((16, 16), value, np.float32) for value in (a, b))
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert fidelity([found], [truth]).ssim == pytest.approx(expected, abs=1e-6)


def test_the_ssim_of_a_checkerboard_and_its_negative_by_hand() -> None:
    """Means 24/49 and 25/49 of 7 x 7 windows, or the other way round; covariance is negative.

    With n = 49 values, variances are 24 * 25 / 49 / 48 (divided by n - 1), the covariance their
    negative; C1 = 0.01^2 and C2 = 0.03^2.
    """
    board = (np.indices((16, 16)).sum(0) % 2).astype(np.float32)
    low, high, variance = 24 / 49, 25 / 49, 24 * 25 / 49 / 48
    luminance = (2 * low * high + 1e-4) / (low**2 + high**2 + 1e-4)
    structure = (-2 * variance + 9e-4) / (2 * variance + 9e-4)
    found = fidelity([board], [1 - board]).ssim
    assert found == pytest.approx(luminance * structure, abs=1e-6)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read(tmp_path: Path, packed: bool) -> None:
    for name, pictures in IDX.items():
        content = idx(pictures)
        if packed:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (tmp_path / name).write_bytes(content)
    read = read_small_pictures(tmp_path)
    assert np.array_equal(read.train, PICTURES[:4])
    assert np.array_equal(read.test, PICTURES[4:])


@pytest.mark.parametrize("names", [("x_train", "x_test"), ("train_images", "test_images")])
def test_npz_files_are_read(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "fashion.npz"
    np.savez(path, **{names[0]: PICTURES[:4], names[1]: PICTURES[4:]})
    assert np.array_equal(read_small_pictures(path).train, PICTURES[:4])


def write_damaged(folder: Path) -> dict[str, Path]:
    """Write every kind of unusable data; returns what is said of each to where it lies."""
    whole = idx(PICTURES)
    for name, content in {
        "short": whole[:-1],
        "labels": struct.pack(">2I", 0x801, 5) + bytes(5),
        "torn": gzip.compress(whole)[:-20],
    }.items():
        suffix = ".gz" if name == "torn" else ""
        (folder / name).mkdir()
        (folder / name / f"train-images-idx3-ubyte{suffix}").write_bytes(content)
    (folder / "empty").mkdir()
    (folder / "text.npz").write_text("no archive")
    np.savez(folder / "half.npz", x_train=PICTURES)
    np.savez(folder / "float.npz", x_train=PICTURES / 255, x_test=PICTURES)
    return {
        "5 pictures of 28 x 28 px are not in it": folder / "short",
        "it is no idx file": folder / "labels",
        "cannot be read": folder / "torn",
        "has no train-images-idx3-ubyte": folder / "empty",
        "text.npz cannot be read": folder / "text.npz",
        "no array x_test": folder / "half.npz",
        "holds float64": folder / "float.npz",
        "There is no file": folder / "nowhere",
    }


def test_unusable_data_are_named(tmp_path: Path) -> None:
    for said, path in write_damaged(tmp_path).items():
        with pytest.raises(UsageError, match=said):
            read_small_pictures(path)


def test_networks_of_other_tasks_are_refused() -> None:
    assert known_models("denoising", ["dncnn"]) == ("dncnn",)
    with pytest.raises(UsageError, match="no network 'dncn' for denoising") as error:
        known_models("denoising", ["dncn"])
    assert "dncnn" in str(error.value.remedy)
    with pytest.raises(UsageError, match="for reconstruction"):
        known_models("reconstruction", ["dncnn"])


def write_photographs(folder: Path, count: int) -> Path:
    """Write rendered people before grey, 128 x 128 px."""
    folder.mkdir()
    for file in sorted(PEOPLE.glob("*.webp"))[:count]:
        colours, alpha = read_rgba(file)
        assert alpha is not None
        mixed = colours * alpha[..., None] + 90 * (1 - alpha[..., None])
        height, width = (side // 2 for side in alpha.shape)
        crop = mixed[height - 64 : height + 64, width - 64 : width + 64]
        write_image(folder / f"{file.stem}.png", crop.round().astype(np.uint8))
    return folder


def test_every_tenth_photograph_is_held_out(tmp_path: Path) -> None:
    train, test = read_grey_pictures(write_photographs(tmp_path / "in", 11))
    assert (len(train), len(test)) == (10, 1)
    assert train[0].shape == (128, 128) and 0 <= train[0].min() < train[0].max() <= 1


def test_too_few_and_too_small_photographs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 0 pictures"):
        read_grey_pictures(tmp_path / "nowhere")
    folder = write_photographs(tmp_path / "in", 10)
    write_image(folder / "small.png", np.zeros((36, 64, 3), np.uint8))
    with pytest.raises(UsageError, match=r"small.png has 64 x 36 px"):
        read_grey_pictures(folder)


def test_the_command_prints_and_writes_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "fashion.npz", tmp_path / "out.json"
    np.savez(data, x_train=PICTURES[:4], x_test=PICTURES[4:])
    words = ["experiments", "reconstruct", "--data", str(data), "--steps", "1", "--width", "0.25"]
    words += ["--model", "reconstruct-avgpool-nn", "-o", str(out)]
    assert run_app(app, words) == 0
    assert "reconstruct-avgpool-nn" in capsys.readouterr().out
    assert json.loads(out.read_text())["order_of_table_3_2"] is None
    assert run_app(app, [*words, "--model", "indexnet-slim"]) == 2
    assert "for reconstruction" in capsys.readouterr().err


@pytest.mark.long
def test_an_index_network_reconstructs_better_than_what_sees_no_guide() -> None:
    """Max-unpooling and blind upsampling are a tie on so few pictures: see docs/experiments.md."""
    pictures = built_in()
    assert pictures.train.shape[1:] == (SIDE, SIDE)
    outcomes = run_reconstruction(
        pictures,
        models=[
            "reconstruct-avgpool-nn",
            "reconstruct-maxpool-unpool",
            "reconstruct-index-hin",
        ],
        steps=500,
        width=0.5,
    )
    blind, unpooled, guided = (one.fidelity.psnr for one in outcomes)
    assert guided > max(blind, unpooled) + 1.0, outcomes


@pytest.mark.long
def test_an_index_network_denoises_better_than_max_unpooling(tmp_path: Path) -> None:
    outcomes = run_denoising(write_photographs(tmp_path / "in", 20), steps=100, width=0.25)
    unpooled, guided = (one.fidelity.psnr for one in outcomes)
    assert guided > unpooled + 0.3, outcomes
