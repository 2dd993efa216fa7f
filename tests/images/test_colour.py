"""Colour profiles: what is read becomes sRGB, what is written says that it is."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

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


def display_p3() -> bytes:
    """An ICC profile of Display P3: its primaries adapted to D50 (ICC.1, 8.3.3), sRGB's curve."""

    def tag(kind: bytes, body: bytes) -> bytes:
        return kind + b"\0" * 4 + body

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return tag(b"XYZ ", b"".join(map(number, values)))

    curve = tag(
        b"para",
        struct.pack(">HH", 3, 0)
        + b"".join(map(number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))),
    )
    text = tag(b"text", b"P3\0\0")
    tags = {
        b"wtpt": xyz(0.96420, 1.0, 0.82491),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
        b"desc": tag(b"desc", struct.pack(">I", 3) + b"P3\0" + b"\0" * 78), b"cprt": text,
    }  # fmt: skip
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s", 0, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += b"\x07\xd0\0\x01\0\x01\0\0\0\0\0\0" + b"acsp" + b"\0" * 28
    header += number(0.96420) + number(1.0) + number(0.82491)
    profile = bytearray(header.ljust(128, b"\0") + table + body)
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)


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
