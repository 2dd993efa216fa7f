"""Foreground and background colours: PyMatting's, computed by diagonals in numpy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from real_command import ENVIRONMENT, ROOT

from edgemat.images import F32, to_float, write_image
from edgemat.matting.foreground import cut_out
from edgemat.matting.layers import estimate_layers
from edgemat.matting.pymatting_method import load_method

SIZES = [(40, 60), (61, 33), (50, 50), (2, 2), (1, 7), (90, 3), (130, 200)]


def scene(height: int, width: int) -> tuple[F32, F32]:
    """Noise, the hardest of pictures, and a disc with a soft rim."""
    image = np.random.default_rng(0).random((height, width, 3), dtype=np.float32)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip((min(height, width) / 3 - distance) / 6 + 0.5, 0, 1)
    return image, alpha.astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_they_are_pymattings(size: tuple[int, int]) -> None:
    pytest.importorskip("pymatting")
    reference = load_method("foreground.estimate_foreground_ml", purpose="A test")
    image, alpha = scene(*size)
    for found, expected in zip(
        estimate_layers(image, alpha), reference(image, alpha, return_background=True), strict=True
    ):
        # a quarter of a step of 8 bits: the 2x2 systems are ill-conditioned in float32
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", range(2))
def test_the_cut_outs_that_the_apps_must_make_are_pymattings(
    case: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a step of 8 bits, in every pixel and channel of both vectors."""
    pytest.importorskip("pymatting")
    reference = load_method("foreground.estimate_foreground_ml", purpose="A test")

    def pymattings(image: F32, alpha: F32) -> tuple[F32, F32]:
        foreground, background = reference(image, alpha, return_background=True)
        return foreground, background

    monkeypatch.setattr("edgemat.matting.foreground.estimate_layers", pymattings)
    cases = json.loads((ROOT / "tests" / "vectors" / "foreground.json").read_text())["cut_out"]
    assert len(cases) == 2
    image, alpha, rgba = (
        np.reshape(cases[case][name]["values"], cases[case][name]["shape"]).astype(np.uint8)
        for name in ("image", "alpha_bytes", "rgba")
    )
    made = cut_out(image, to_float(alpha))
    assert np.abs(made.astype(int) - rgba).max() <= 1


@pytest.mark.parametrize("size", [*SIZES, (1, 1)])
def test_a_picture_may_lie_on_its_side(size: tuple[int, int]) -> None:
    image, alpha = scene(*size)
    turned = estimate_layers(image.swapaxes(0, 1), alpha.T)
    for found, other in zip(estimate_layers(image, alpha), turned, strict=True):
        assert found.shape == image.shape and found.dtype == np.float32
        np.testing.assert_allclose(found, other.swapaxes(0, 1), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_matte_that_says_nothing_gives_colours_in_range(value: float) -> None:
    image, alpha = scene(20, 30)
    for layer in estimate_layers(image, np.full_like(alpha, value)):
        assert np.isfinite(layer).all() and layer.min() >= 0 and layer.max() <= 1


def test_cutting_out_imports_neither_numba_nor_scipy() -> None:
    code = (
        "import sys, numpy as np\n"
        "from edgemat.matting.foreground import cut_out\n"
        "import edgemat.matting.matte\n"
        "cut_out(np.zeros((40, 50, 3), np.uint8), np.ones((40, 50), np.float32))\n"
        "print({'numba', 'scipy', 'pymatting', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_command_refines_a_photograph_without_numba_or_scipy(tmp_path: Path) -> None:
    """By the shipped models, which is what happens where nothing else is asked for."""
    colours = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    write_image(tmp_path / "photo.png", colours)
    code = (
        "import sys\n"
        "from edgemat.cli import app\n"
        "app(['matte', 'photo.png', '-o', 'cut.png', '--json'], standalone_mode=False)\n"
        "print({'numba', 'scipy', 'pymatting', 'torch'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env=ENVIRONMENT
    )
    told, imported = done.stdout.rsplit("\n", 2)[:2]
    assert json.loads(told)["refined_by"] is not None
    assert imported == "set()"
