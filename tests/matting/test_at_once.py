"""Pictures that go through a network at once: resized to its stride, or padded by reflection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from toy_mattes import write_channel_model

from edgemat.artifacts.artifact import Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.artifacts.vocabulary import Fit
from edgemat.errors import UsageError
from edgemat.images import F32, U8, resize
from edgemat.matting.at_once import MAX_PIXELS
from edgemat.matting.matte import matte
from edgemat.matting.predict import load_predictor


def feeding(fit: Fit | None, *, channels: int = 4, stride: int = 32) -> Feeding:
    return Feeding(
        layout="NHWC",
        height=96,
        width=128,
        channels=4 if channels == 4 else 3,
        stride=stride,
        trimap_channel=3 if channels == 4 else None,
        fit=fit,
    )


class File:
    """Takes one size; gives its first channel as alpha, and keeps what it saw."""

    def __init__(self, fit: Fit | None, *, channels: int = 4, stride: int = 32) -> None:
        self.feeding = feeding(fit, channels=channels, stride=stride)
        self.seen: list[F32] = []

    def predict(self, x: F32) -> F32:
        self.seen.append(x[0])
        return x[..., :1]


class Network(File):
    """Takes any size, as torch does."""

    any_size = True


def noise(height: int, width: int) -> U8:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def trimap(height: int, width: int) -> U8:
    known = np.full((height, width), 128, np.uint8)
    known[: height // 4], known[-height // 4 :] = 0, 255
    return known


# ---- resized -------------------------------------------------------------------------------------


def test_a_network_sees_the_whole_picture_at_the_next_multiple_of_its_stride() -> None:
    image, known, model = noise(70, 100), trimap(70, 100), Network("resize")
    alpha = matte(image, known, model=model)
    (seen,) = model.seen
    assert seen.shape == (96, 128, 4)
    np.testing.assert_array_equal(seen[..., :3], resize(image, (96, 128)) * np.float32(1 / 255))
    bytes_seen = np.rint(seen[..., 3] * 255).astype(np.uint8)
    np.testing.assert_array_equal(bytes_seen, resize(known, (96, 128), method="nearest"))
    unknown = known == 128
    back = resize(np.ascontiguousarray(seen[..., 0]), (70, 100), method="bicubic")
    np.testing.assert_array_equal(alpha[unknown], back[unknown])
    assert (alpha[known == 0] == 0).all() and (alpha[known == 255] == 1).all()


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    image, known, model = noise(64, 160), trimap(64, 160), Network("resize")
    alpha = matte(image, known, model=model)
    np.testing.assert_array_equal(model.seen[0][..., :3], image * np.float32(1 / 255))
    np.testing.assert_array_equal(
        alpha[known == 128], (image[..., 0] * np.float32(1 / 255))[known == 128]
    )


@pytest.mark.parametrize("size", [(40, 50), (96, 128), (300, 333)])
def test_a_file_sees_the_whole_picture_at_its_one_size(size: tuple[int, int]) -> None:
    model = File("resize")
    assert matte(noise(*size), trimap(*size), model=model).shape == size
    assert [x.shape for x in model.seen] == [(96, 128, 4)]


def test_a_network_that_was_traced_at_one_size_is_fed_as_a_file() -> None:
    model = Network("resize")
    model.any_size = False
    matte(noise(40, 50), trimap(40, 50), model=model)
    assert model.seen[0].shape == (96, 128, 4)


def test_a_network_without_a_trimap_can_be_fed_so_too() -> None:
    model = Network("resize", channels=3)
    assert matte(noise(50, 70), model=model).shape == (50, 70)
    assert model.seen[0].shape == (64, 96, 3)


# ---- padded --------------------------------------------------------------------------------------


def test_a_picture_is_continued_by_its_reflection_to_the_right_and_below() -> None:
    image, known, model = noise(70, 100), trimap(70, 100), Network("pad", stride=16)
    alpha = matte(image, known, model=model)
    seen = np.rint(model.seen[0] * 255).astype(np.uint8)
    assert seen.shape == (80, 112, 4)
    np.testing.assert_array_equal(seen[:70, :100], np.dstack([image, known]))
    np.testing.assert_array_equal(seen[70, :100, :3], image[68])  # the last row is not repeated
    np.testing.assert_array_equal(seen[:70, 103, :3], image[:, 95])
    np.testing.assert_array_equal(seen[75, :100, 3], known[63])
    unknown = known == 128
    np.testing.assert_allclose(alpha[unknown], image[..., 0][unknown] / 255, atol=1e-6)


def test_a_file_pads_what_is_no_larger_and_cuts_what_is_into_tiles() -> None:
    small, large = File("pad"), File("pad")
    matte(noise(80, 128), trimap(80, 128), model=small)
    assert len(small.seen) == 1
    pixels = np.rint(small.seen[0] * 255)
    np.testing.assert_array_equal(pixels[80], pixels[78])
    image, known = noise(150, 128), trimap(150, 128)
    alpha = matte(image, known, model=large)
    assert len(large.seen) > 1
    unknown = known == 128
    np.testing.assert_allclose(alpha[unknown], image[..., 0][unknown] / 255, atol=1e-5)


# ---- the rest ------------------------------------------------------------------------------------


def test_tiles_can_be_asked_for_without_a_trimap() -> None:
    image, model = noise(150, 300), File("tiles", channels=3)
    np.testing.assert_allclose(matte(image, model=model), image[..., 0] / 255, atol=1e-5)
    assert len(model.seen) > 2


@pytest.mark.parametrize("fit", ["resize", "pad"])
def test_a_picture_that_is_too_large_for_a_network_is_refused(fit: Fit) -> None:
    side = int(MAX_PIXELS**0.5) + 40
    image, known = np.zeros((side, side, 3), np.uint8), trimap(side, side)
    with pytest.raises(UsageError, match="sees all of it at once") as caught:
        matte(image, known, model=Network(fit))
    assert "--fit tiles" in caught.value.remedy


def test_feeding_says_how_and_stays_as_it_was_where_it_does_not() -> None:
    assert "fit" not in feeding(None).model_dump_json()
    assert feeding("pad").model_dump(mode="json")["fit"] == "pad"
    assert [feeding(None, channels=c).fitting for c in (3, 4)] == ["letterbox", "tiles"]
    with pytest.raises(ValidationError, match="letterbox is for pictures without a trimap"):
        feeding("letterbox")


def test_a_file_of_an_artefact_is_fed_as_its_manifest_says(tmp_path: Path) -> None:
    made = write_artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=4, size=(96, 128)),
        Draft(
            name="hair-tflite-fp32",
            kind="tflite",
            target="tflite-fp32",
            payload="model.tflite",
            parent=None,
            architecture="indexnet-m2o-nlc",
            config={},
            task="trimap",
            feeding=feeding("resize"),
            cost=Cost(parameters=1, macs=0.0),
            demonstration=True,
            licence="none",
            data_notice="none",
        ),
    )
    image, known = noise(48, 64), trimap(48, 64)
    predictor = load_predictor(made)
    assert predictor.feeding.fit == "resize"
    unknown = known == 128
    larger = resize(image, (96, 128))[..., 0].astype(np.float32) / np.float32(255)
    expected = resize(larger, (48, 64), method="bicubic")
    np.testing.assert_allclose(
        matte(image, known, model=predictor)[unknown], expected[unknown], atol=1e-5
    )
