"""Every file mode is read to the right numbers, and every bad file gives one clear sentence."""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from edgemat import images
from edgemat.errors import DiskError, ImageError, UsageError
from edgemat.images import (
    check_same_size,
    read_grey,
    read_image,
    read_rgba,
    read_trimap,
    resize,
    to_uint8,
    write_image,
)

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def _save(path: Path, array: np.ndarray, **options: Any) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def _png(*, width: int, height: int, bits: int, rows: bytes) -> bytes:
    """Return an RGB PNG file (PNG specification, section 11.2) of unfiltered rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _halves(left: tuple[int, ...], right: tuple[int, ...]) -> np.ndarray:
    """40 x 64 px, the left half of one colour and the right half of another."""
    picture = np.empty((40, 64, len(left)), np.uint8)
    picture[:, :32], picture[:, 32:] = left, right
    return picture


# --- modes -----------------------------------------------------------------------------------


def test_16_bit_grey_png_keeps_its_precision(tmp_path: Path) -> None:
    ramp = np.arange(40 * 64, dtype=np.uint16).reshape(40, 64) * 25
    path = _save(tmp_path / "deep.png", ramp)
    np.testing.assert_array_equal(read_grey(path), (ramp / 65535).astype(np.float32))
    expected = np.round(ramp / 65535 * 255).astype(np.uint8)
    np.testing.assert_array_equal(read_image(path), np.repeat(expected[..., None], 3, axis=2))


def test_16_bit_colour_png_gives_its_high_bytes(tmp_path: Path) -> None:
    # Pillow cannot write 16-bit RGB, so the file is put together by hand.
    row = b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0x0000) * 40
    path = tmp_path / "deep.png"
    path.write_bytes(_png(width=40, height=32, bits=16, rows=row * 32))
    picture = read_image(path)
    assert picture.shape == (32, 40, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[0, 0], [255, 128, 0])


def test_palette_means_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    Image.fromarray(_halves(RED, BLUE)).convert("P", palette=Image.Palette.ADAPTIVE).save(path)
    assert Image.open(path).mode == "P"
    np.testing.assert_array_equal(read_image(path), _halves(RED, BLUE))
    assert read_rgba(path)[1] is None


def test_palette_with_transparency_has_an_alpha(tmp_path: Path) -> None:
    indices = Image.fromarray(np.repeat(np.array([[0] * 32 + [1] * 32], np.uint8), 40, axis=0), "P")
    indices.putpalette([*RED, *GREEN])
    path = tmp_path / "transparent.png"
    indices.save(path, transparency=1)
    rgb, alpha = read_rgba(path)
    np.testing.assert_array_equal(rgb, _halves(RED, GREEN))
    assert alpha is not None and alpha[0, 0] == 1 and alpha[0, -1] == 0


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Image.fromarray(_halves(RED, BLUE)).convert("CMYK").save(path, quality=95)
    assert Image.open(path).mode == "CMYK"
    difference = read_image(path).astype(int) - _halves(RED, BLUE)
    assert np.abs(difference[:, [5, -5]]).max() <= 6  # JPEG rounding, away from the edge


def test_grey_with_alpha_keeps_both(tmp_path: Path) -> None:
    path = _save(tmp_path / "la.png", _halves((200, 255), (50, 51)))
    rgb, alpha = read_rgba(path)
    np.testing.assert_array_equal(rgb[0, [0, -1]], [[200] * 3, [50] * 3])
    assert alpha is not None
    np.testing.assert_allclose(alpha[0, [0, -1]], [1, 0.2], rtol=1e-6)


def test_a_photograph_drops_its_alpha_and_keeps_the_colours_below(tmp_path: Path) -> None:
    path = _save(tmp_path / "rgba.png", _halves((10, 20, 30, 0), (40, 50, 60, 255)))
    np.testing.assert_array_equal(read_image(path), _halves((10, 20, 30), (40, 50, 60)))


def test_alpha_is_read_from_the_alpha_channel(tmp_path: Path) -> None:
    path = _save(tmp_path / "rgba.png", _halves((255, 255, 255, 0), (0, 0, 0, 51)))
    np.testing.assert_allclose(read_grey(path)[0, [0, -1]], [0, 0.2], rtol=1e-6)


def test_an_opaque_alpha_channel_hides_no_mask(tmp_path: Path) -> None:
    path = _save(tmp_path / "rgba.png", _halves((255, 255, 255, 255), (0, 0, 0, 255)))
    np.testing.assert_array_equal(read_grey(path)[0, [0, -1]], [1, 0])


def test_colour_gives_its_luma(tmp_path: Path) -> None:
    path = _save(tmp_path / "colour.png", _halves(GREEN, BLUE))
    np.testing.assert_allclose(read_grey(path)[0, [0, -1]], [0.587, 0.114], atol=0.5 / 255)


def test_one_bit_pictures_are_black_and_white(tmp_path: Path) -> None:
    path = _save(tmp_path / "bits.png", np.tile([False, True], (40, 32)))
    np.testing.assert_array_equal(read_grey(path)[0, :2], [0, 1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int) -> None:
    # What each value asks of the viewer, by the EXIF standard (tag 0x0112).
    upright: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90,
    }
    stored = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _save(tmp_path / "turned.png", stored, exif=exif)
    expected = upright[orientation](stored)
    np.testing.assert_array_equal(read_image(path), expected)


def test_trimap_greys_are_sorted_into_three(tmp_path: Path) -> None:
    greys = np.zeros((40, 64), np.uint8)
    greys[0, :6] = [25, 26, 100, 229, 230, 255]
    path = _save(tmp_path / "trimap.png", greys)
    assert read_trimap(path)[0, :6].tolist() == [0, 128, 128, 128, 255, 255]


def test_trimap_ignores_an_alpha_channel(tmp_path: Path) -> None:
    path = _save(tmp_path / "trimap.png", _halves((0, 0, 0, 255), (128, 128, 128, 0)))
    assert read_trimap(path)[0, [0, -1]].tolist() == [0, 128]


# --- bad input -------------------------------------------------------------------------------


READERS = [read_image, read_rgba, read_grey, read_trimap]


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(ImageError, match=r"absent\.png does not exist"):
        read(tmp_path / "absent.png")


@pytest.mark.parametrize("read", READERS)
def test_a_folder_or_text_is_no_image(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "notes.jpg").write_text("not a picture")
    with pytest.raises(ImageError, match=r"notes\.jpg is not an image"):
        read(tmp_path / "notes.jpg")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    path = _save(tmp_path / f"cut.{suffix}", noise)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_bytes_never_escape_as_other_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (48, 48, 3), np.uint8)
    for suffix in ("png", "jpg", "gif", "tif", "bmp", "webp"):
        good = _save(tmp_path / f"good.{suffix}", noise).read_bytes()
        for k in range(40):
            data = bytearray(good)
            for place in rng.integers(0, min(len(data), 400), 4):
                data[place] = int(rng.integers(256))
            path = tmp_path / f"{k}.{suffix}"
            path.write_bytes(data)
            try:
                read_image(path)
            except ImageError as error:
                assert error.remedy


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.filterwarnings("ignore::edgemat.errors.PictureWarning")
def test_damaged_animations_never_escape_as_other_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = [Image.fromarray(rng.integers(0, 256, (48, 48), np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "good.gif", save_all=True, append_images=frames[1:])
    good = (tmp_path / "good.gif").read_bytes()
    for kept in range(len(good) - 1, 800, -7):  # ends in the middle of a later frame
        path = tmp_path / "bad.gif"
        path.write_bytes(good[:kept])
        try:
            read_image(path)
        except ImageError as error:
            assert error.remedy


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_tiff_tags_of_a_wrong_type_never_escape_as_other_errors(tmp_path: Path) -> None:
    good = _save(tmp_path / "good.tif", np.zeros((40, 40, 3), np.uint8)).read_bytes()
    assert good[:2] == b"II"
    directory = struct.unpack_from("<I", good, 4)[0]
    for entry in range(struct.unpack_from("<H", good, directory)[0]):
        for kind in range(1, 14):  # the types of TIFF 6.0 and IFD, in place of the right one
            data = bytearray(good)
            struct.pack_into("<H", data, directory + 2 + 12 * entry + 2, kind)
            path = tmp_path / "bad.tif"
            path.write_bytes(data)
            try:
                read_image(path)
            except ImageError as error:
                assert "bad.tif" in error.message and error.remedy


def test_too_small_and_too_large_say_the_limit(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="at least 32 px"):
        read_image(_save(tmp_path / "tiny.png", np.zeros((31, 100), np.uint8)))
    with pytest.raises(ImageError, match="larger than 12,000 px"):
        read_image(_save(tmp_path / "long.png", np.zeros((32, 12_001), np.uint8)))
    assert read_image(_save(tmp_path / "ok.png", np.zeros((32, 12_000), np.uint8))).shape[0] == 32


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png(width=20_000, height=20_000, bits=8, rows=b""))
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match="larger than 12,000 px"):
        read_image(path)
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("value", "sentence"), [(np.nan, "not finite"), (np.inf, "not finite"), (7.0, "from 0 to 7")]
)
def test_float_pictures_must_be_finite_and_in_range(
    tmp_path: Path, value: float, sentence: str
) -> None:
    values = np.zeros((40, 40), np.float32)
    values[3, 4] = value
    with pytest.raises(ImageError, match=sentence):
        read_grey(_save(tmp_path / "float.tif", values))


def test_float_pictures_in_range_are_exact(tmp_path: Path) -> None:
    values = np.random.default_rng(3).random((40, 40), np.float32)
    np.testing.assert_array_equal(read_grey(_save(tmp_path / "float.tif", values)), values)


def test_sizes_that_differ_are_both_told() -> None:
    with pytest.raises(ImageError, match="the trimap is 50 x 40 px but the photo is 60 x 40 px"):
        check_same_size(
            np.zeros((40, 60, 3)), np.zeros((40, 50)), names=("the photo", "the trimap")
        )
    check_same_size(np.zeros((40, 60, 3)), np.zeros((40, 60)), names=("the photo", "the trimap"))


# --- writing ---------------------------------------------------------------------------------


def test_a_cut_out_comes_back_as_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rgb = rng.integers(0, 256, (40, 50, 3), np.uint8)
    alpha = (rng.integers(0, 256, (40, 50)) / 255).astype(np.float32)
    write_image(tmp_path / "cut.png", np.dstack([rgb, to_uint8(alpha)]))
    read_rgb, read_alpha = read_rgba(tmp_path / "cut.png")
    np.testing.assert_array_equal(read_rgb, rgb)
    np.testing.assert_array_equal(read_alpha, alpha)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_lossless_formats_come_back_as_written(
    tmp_path: Path, shape: tuple[int, ...], suffix: str
) -> None:
    picture = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    path = tmp_path / f"picture.{suffix}"
    write_image(path, picture)
    back = read_image(path)
    np.testing.assert_array_equal(back if picture.ndim == 3 else back[..., 0], picture)


def test_what_cannot_be_written_is_refused_before_a_file_exists(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known image suffix"):
        write_image(tmp_path / "a.xyz", np.zeros((40, 40), np.uint8))
    with pytest.raises(UsageError, match="transparency"):
        write_image(tmp_path / "a.jpg", np.zeros((40, 40, 4), np.uint8))
    with pytest.raises(ImageError, match="not finite"):
        write_image(tmp_path / "a.png", np.full((40, 40), np.nan, np.float32))
    with pytest.raises(ImageError, match="int64"):
        write_image(tmp_path / "a.png", np.zeros((40, 40), np.int64))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    write_image(path, np.zeros((40, 40), np.uint8))
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskError, match="disk is full"):
        write_image(path, np.ones((40, 40), np.uint8))
    assert path.read_bytes() == before
    with pytest.raises(DiskError, match="disk is full"):
        write_image(tmp_path / "b.png", np.ones((40, 40), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


# --- resizing --------------------------------------------------------------------------------


def test_area_averages_exactly() -> None:
    values = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_allclose(resize(values, (2, 2), method="area"), [[2.5, 4.5], [10.5, 12.5]])


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(2, 20), st.integers(2, 20)),
               elements=st.floats(0, 1, width=32)),
    st.integers(1, 30), st.integers(1, 30),
    st.sampled_from(["area", "bicubic", "bilinear", "nearest"]),
)  # fmt: skip
def test_resizing_keeps_the_range_and_type(
    values: np.ndarray, height: int, width: int, method: images.Method
) -> None:
    out = resize(values, (height, width), method=method)
    assert out.shape == (height, width) and out.dtype == np.float32
    tolerance = 1e-6
    assert out.min() >= values.min() - tolerance and out.max() <= values.max() + tolerance


def test_nearest_invents_no_trimap_value() -> None:
    trimap = np.random.default_rng(6).choice(np.array([0, 128, 255], np.uint8), (37, 53))
    assert set(np.unique(resize(trimap, (90, 41), method="nearest"))) <= {0, 128, 255}


def test_channels_of_a_float_picture_are_resized_alone() -> None:
    picture = np.random.default_rng(7).random((30, 40, 3), np.float32)
    out = resize(picture, (13, 17))
    for k in range(3):
        np.testing.assert_array_equal(out[..., k], resize(picture[..., k], (13, 17)))
