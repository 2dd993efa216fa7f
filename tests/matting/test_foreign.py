"""Strangers' .tflite files: fed as their input says, or refused with what to say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import TinyGraph, conv_options
from typer.testing import CliRunner

from edgemat.cli import app
from edgemat.errors import ArtifactError, UsageError
from edgemat.images import write_image
from edgemat.matting.foreign import Convention
from edgemat.matting.matte import matte
from edgemat.matting.predict import load_predictor

SIZE = 32
IMAGE = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
RED = IMAGE[..., 0] / np.float32(255)


def network(
    path: Path, *, white: float = 1.0, mean: float = 0.0, factor: float = 1.0, integer: str = ""
) -> Path:
    """A file whose alpha is the red channel, where ``pixels * white - mean`` is its input.

    Parameters
    ----------
    factor:
        On the output, so that it is no alpha.
    integer:
        "UINT8" or "INT8": the input's type, its quantization covering 0..white minus mean.
    """
    graph = TinyGraph()
    shape = (1, SIZE, SIZE, 3)
    zero = round(mean / white * 255) - (128 if integer == "INT8" else 0)
    source = graph.tensor(shape, dtype=integer, quantization=(white / 255, zero)) if integer else -1
    real = graph.tensor(shape)
    if integer:
        graph.op("DEQUANTIZE", [source], [real])
    weights = np.array([factor / white, 0, 0], np.float32)
    kernel = graph.tensor((1, 1, 1, 3), content=weights)
    bias = graph.tensor((1,), content=np.array([factor * mean / white], np.float32))
    alpha = graph.tensor((1, SIZE, SIZE, 1))
    graph.op("CONV_2D", [real, kernel, bias], [alpha], conv_options())
    return graph.write(path, inputs=[source if integer else real], outputs=[alpha])


@pytest.mark.parametrize("integer", ["UINT8", "INT8"])
@pytest.mark.parametrize(("white", "mean"), [(1.0, 0.0), (255.0, 0.0), (2.0, 1.0)])
def test_an_integer_input_says_itself_how_it_is_fed(
    tmp_path: Path, integer: str, white: float, mean: float
) -> None:
    path = network(tmp_path / "theirs.tflite", white=white, mean=mean, integer=integer)
    # the mean is a whole number of steps away from what was asked for
    np.testing.assert_allclose(matte(IMAGE, model=path), RED, atol=1.01 / 255)


def test_a_file_for_0_to_1_needs_nothing_said(tmp_path: Path) -> None:
    alpha = matte(IMAGE, model=network(tmp_path / "plain.tflite"))
    np.testing.assert_allclose(alpha, RED, atol=1e-6)


def test_a_file_for_0_to_255_is_refused_until_that_is_said(tmp_path: Path) -> None:
    path = network(tmp_path / "bright.tflite", white=255.0)
    with pytest.raises(ArtifactError, match=r"0\.\.255") as caught:
        matte(IMAGE, model=path)
    assert "--scale 255" in caught.value.remedy
    said = load_predictor(path, convention=Convention(scale=255))
    np.testing.assert_allclose(matte(IMAGE, model=said), RED, atol=1e-6)


def test_logits_are_refused_until_that_is_said(tmp_path: Path) -> None:
    path = network(tmp_path / "logits.tflite", factor=8.0)
    with pytest.raises(ArtifactError, match="not an alpha") as caught:
        matte(IMAGE, model=path)
    assert "--logits" in caught.value.remedy
    said = load_predictor(path, convention=Convention(logits=True))
    np.testing.assert_allclose(matte(IMAGE, model=said), 1 / (1 + np.exp(-8 * RED)), atol=1e-5)


def test_what_is_not_finite_is_no_matte(tmp_path: Path) -> None:
    path = network(tmp_path / "broken.tflite", factor=float("nan"))
    with pytest.raises(ArtifactError, match="not finite"):
        matte(IMAGE, model=load_predictor(path, convention=Convention()))


def test_the_command_takes_what_is_said(tmp_path: Path) -> None:
    path = network(tmp_path / "theirs.tflite", white=2.0, mean=1.0)
    photo, out = tmp_path / "photo.png", tmp_path / "cutout.png"
    write_image(photo, IMAGE)
    command = ["matte", str(photo), "-o", str(out), "--model", str(path)]
    said = ["--scale", "2", "--mean", "1,1,1", "--std", "1"]
    result = CliRunner().invoke(app, [*command, *said])
    assert result.exit_code == 0 and out.exists()
    for wrong in (["--std", "0"], ["--mean", "1,2"], ["--mean", "x"]):
        with pytest.raises(UsageError):
            CliRunner().invoke(app, [*command, *wrong], catch_exceptions=False)
