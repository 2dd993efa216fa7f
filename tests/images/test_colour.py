"""Colour profiles: what is read becomes sRGB, what is written says that it is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from toy_profiles import display_p3, linear_grey, of_ink

from edgemat.errors import PictureWarning
from edgemat.images import read_background, read_image, read_rgba, write_image
from edgemat.images.colour import srgb_profile

# Patches in sRGB, and the same in Display P3 by the two matrices of CSS Color 4 (section 10)
SRGB = np.array([[200, 60, 40], [60, 160, 70], [40, 80, 190], [215, 170, 140]], np.uint8)
TO_P3 = np.array(
    [[0.8224622, 0.1775378, 0], [0.0331942, 0.9668058, 0], [0.0170826, 0.0723974, 0.9105200]]
)


def linear(value: np.ndarray) -> np.ndarray:
    scaled = value / 255
    return np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * curve).astype(np.uint8)


def patches(colours: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(colours[None], 40, axis=0), 16, axis=1)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("read", [read_image, lambda p: read_rgba(p)[0], read_background])
def test_display_p3_is_read_as_the_same_colours(tmp_path: Path, suffix: str, read) -> None:  # type: ignore[no-untyped-def]
    wide = encoded(linear(SRGB.astype(float)) @ TO_P3.T)
    assert np.abs(wide.astype(int) - SRGB).max() > 10  # or the test would show nothing
    path = tmp_path / f"wide{suffix}"
    lossless = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(patches(wide)).save(path, icc_profile=display_p3(), **lossless)
    assert np.abs(read(path).astype(int) - patches(SRGB)).max() <= 2


def test_transparency_outlives_the_conversion(tmp_path: Path) -> None:
    wide = np.dstack([patches(SRGB), np.full((40, 64), 51, np.uint8)])
    Image.fromarray(wide).save(tmp_path / "wide.png", icc_profile=display_p3())
    colours, alpha = read_rgba(tmp_path / "wide.png")
    assert alpha is not None and (alpha == np.float32(0.2)).all()
    assert (colours != patches(SRGB)).any()


@pytest.mark.parametrize(("kind", "half"), [(np.uint8, 128), (np.uint16, 32896)])
def test_a_grey_profile_is_applied_at_any_depth(tmp_path: Path, kind: type, half: int) -> None:
    grey = np.full((40, 64), half, kind)
    grey[0, 0] = np.iinfo(kind).max  # or 15 bits could be meant
    Image.fromarray(grey).save(tmp_path / "grey.png", icc_profile=linear_grey())
    assert np.abs(read_image(tmp_path / "grey.png")[1:].astype(int) - 188).max() <= 1


@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_a_print_profile_is_converted_perceptually(tmp_path: Path, suffix: str) -> None:
    """L* 60 is 145 in sRGB, and 30 is 71: by CIE 1976 and sRGB's curve."""
    inks = Image.new("CMYK", (64, 40), (255, 0, 0, 0))
    profile = of_ink(perceptual=60, colorimetric=30)
    inks.save(tmp_path / f"print{suffix}", icc_profile=profile)
    assert np.abs(read_image(tmp_path / f"print{suffix}").astype(int) - 145).max() <= 2


def test_a_profile_that_does_not_fit_is_ignored_and_said(tmp_path: Path) -> None:
    grey = np.full((40, 64), 90, np.uint8)
    for name, profile in (("other.png", display_p3()), ("damaged.png", b"no profile at all")):
        Image.fromarray(grey).save(tmp_path / name, icc_profile=profile)
        with pytest.warns(PictureWarning, match="taken for sRGB"):
            assert (read_image(tmp_path / name) == 90).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_what_is_written_is_said_to_be_srgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write_image(path, patches(SRGB))
    with Image.open(path) as image:
        if suffix == ".png":
            assert image.info["srgb"] == 0
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(profile)
    again = tmp_path / f"again{suffix}"
    write_image(again, patches(SRGB))
    assert again.read_bytes() == path.read_bytes()


def test_a_mask_has_no_colours_to_speak_of(tmp_path: Path) -> None:
    write_image(tmp_path / "mask.png", np.zeros((40, 64), np.uint8))
    with Image.open(tmp_path / "mask.png") as image:
        assert not {"srgb", "icc_profile"} & image.info.keys()


def test_the_profile_that_is_written_never_changes() -> None:
    assert srgb_profile()[24:36] == bytes([7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])


def test_a_background_lets_white_through_where_it_is_transparent(tmp_path: Path) -> None:
    half = np.full((40, 64, 4), (200, 100, 0, 51), np.uint8)
    Image.fromarray(half).save(tmp_path / "half.png")
    assert read_background(tmp_path / "half.png")[0, 0].tolist() == [244, 224, 204]
