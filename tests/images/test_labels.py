"""Masks and trimaps in other numbers than 0..255: understood where certain, else refused."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgemat.errors import ImageError, PictureWarning
from edgemat.images import image_size, read_grey, read_image, read_trimap

DISC = np.hypot(*np.mgrid[-32:32, -32:32])  # distance from the middle


def save(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def numbered(background: int, unknown: int, foreground: int) -> np.ndarray:
    regions = [DISC < 12, DISC < 24]
    return np.select(regions, [foreground, unknown], background).astype(np.uint8)


def palette(path: Path, classes: np.ndarray, colours: list[int]) -> Path:
    image = Image.fromarray(classes)
    image.putpalette(colours)
    image.save(path)
    return path


def test_a_mask_of_0_and_1_is_read_as_one_of_0_and_255(tmp_path: Path) -> None:
    mask = (DISC < 20).astype(np.uint8)
    with pytest.warns(PictureWarning, match="0 and 1"):
        assert (read_grey(save(tmp_path / "mask.png", mask)) == mask).all()


def test_a_jpeg_of_0_and_1_is_a_black_mask_with_noise(tmp_path: Path) -> None:
    halves = np.repeat(np.array([[0, 1]], np.uint8), 32, axis=1).repeat(64, axis=0)
    path = save(tmp_path / "mask.jpg", halves, quality=100)
    with Image.open(path) as image:
        assert np.unique(np.array(image)).tolist() == [0, 1]
    assert read_grey(path).max() == np.float32(1 / 255)


@pytest.mark.parametrize("where", ["16 bit", "alpha"])
def test_0_and_1_are_a_mask_wherever_they_stand(tmp_path: Path, where: str) -> None:
    mask = (DISC < 20).astype(np.uint8)
    path = save(tmp_path / "mask.png", elsewhere(mask, where))
    with pytest.warns(PictureWarning, match="0 and 1"):
        assert (read_grey(path) == mask).all()


@pytest.mark.parametrize("where", ["16 bit", "alpha"])
def test_class_numbers_are_no_mask_wherever_they_stand(tmp_path: Path, where: str) -> None:
    classes = np.where(DISC < 20, 15, 0).astype(np.uint8)
    with pytest.raises(ImageError, match="class numbers"):
        read_grey(save(tmp_path / "classes.png", elsewhere(classes, where)))


def test_a_trimap_of_numbers_in_16_bits_is_one(tmp_path: Path) -> None:
    with pytest.warns(PictureWarning, match="read as unknown"):
        found = read_trimap(save(tmp_path / "t.png", numbered(0, 1, 2).astype(np.uint16)))
    assert (found == numbered(0, 128, 255)).all()


def elsewhere(values: np.ndarray, where: str) -> np.ndarray:
    """Return an 8-bit mask as 16-bit grey, or in the alpha channel of a colour picture."""
    if where == "16 bit":
        return values.astype(np.uint16)
    return np.dstack([np.full((*values.shape, 3), 90, np.uint8), values])


@pytest.mark.parametrize("void", [[], [255]])
def test_class_numbers_are_no_mask(tmp_path: Path, void: list[int]) -> None:
    classes = np.select([DISC < 10, DISC < 20], [15, 1], 0).astype(np.uint8)
    classes[0, : len(void)] = void
    path = save(tmp_path / "classes.png", classes)
    with pytest.raises(ImageError, match="class numbers") as caught:
        read_grey(path)
    assert "--labels" in caught.value.remedy
    assert (read_grey(path, labels=(15,)) == (DISC < 10)).all()
    with pytest.raises(ImageError, match="none of the labels 7"):
        read_grey(path, labels=(7,))


def test_a_palette_of_class_colours_is_no_mask(tmp_path: Path) -> None:
    classes = np.where(DISC < 10, 15, 0).astype(np.uint8)
    colours = [0] * 45 + [192, 128, 128]  # Pascal VOC's person
    path = palette(tmp_path / "voc.png", classes, colours)
    for read in (read_grey, read_trimap):
        with pytest.raises(ImageError, match="class numbers"):
            read(path)
    assert (read_grey(path, labels=(15,)) == (DISC < 10)).all()


def test_a_palette_of_greys_is_a_mask(tmp_path: Path) -> None:
    shades = np.select([DISC < 10, DISC < 20], [2, 1], 0).astype(np.uint8)
    path = palette(tmp_path / "grey.png", shades, [0, 0, 0, 102, 102, 102, 255, 255, 255])
    assert read_grey(path)[32, [32, 48, 63]].tolist() == [1, np.float32(0.4), 0]


def test_a_soft_mask_is_left_as_it_is(tmp_path: Path) -> None:
    soft = np.clip(255 - 8 * np.abs(DISC), 0, 255).astype(np.uint8)
    assert (read_grey(save(tmp_path / "soft.png", soft)) * 255 == soft).all()


def write_deep_colour(path: Path, values: np.ndarray) -> None:
    """Write HxWxC uint16 as a PNG, which Pillow cannot: unfiltered rows, big-endian (RFC 2083)."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        content += struct.pack(">I", len(body)) + kind + body + checksum
    path.write_bytes(content)


def deepened(values: np.ndarray, bits: int) -> np.ndarray:
    """Return 0..255 as 0 .. 2**bits - 1."""
    return np.round(values / 255 * ((1 << bits) - 1)).astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_few_bits_in_sixteen_of_a_colour_are_read_whole(
    tmp_path: Path, channels: int, bits: int
) -> None:
    shades = np.clip(255 - 8 * np.abs(DISC - 10), 0, 255)
    colours = np.dstack([shades, shades * 0.5, 255 - shades])
    deep = deepened(colours, bits)
    if channels == 4:
        deep = np.dstack([deep, np.where(DISC < 20, 65535, 0).astype(np.uint16)])
    write_deep_colour(tmp_path / "deep.png", deep)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = read_image(tmp_path / "deep.png")
    assert np.abs(found.astype(float) - colours).max() <= 1
    assert any(f"holds {bits} bits in 16" in str(one.message) for one in said) is (bits < 16)
    if channels == 4:
        assert (read_grey(tmp_path / "deep.png") == (DISC < 20)).all()


def test_black_in_sixteen_bits_is_a_colour(tmp_path: Path) -> None:
    write_deep_colour(tmp_path / "black.png", np.zeros((40, 40, 3), np.uint16))
    assert read_image(tmp_path / "black.png").max() == 0


def test_labels_in_sixteen_bits_of_a_colour_are_understood(tmp_path: Path) -> None:
    for name, values in (("mask", numbered(0, 0, 1)), ("trimap", numbered(0, 1, 2))):
        write_deep_colour(tmp_path / f"{name}.png", np.dstack([values.astype(np.uint16)] * 3))
    with pytest.warns(PictureWarning, match="values 0 and 1"):
        assert (read_grey(tmp_path / "mask.png") * 255 == numbered(0, 0, 255)).all()
    with pytest.warns(PictureWarning, match="read as unknown"):
        assert (read_trimap(tmp_path / "trimap.png") == numbered(0, 128, 255)).all()


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_twelve_bits_is_read_whole(tmp_path: Path, order: str, compression: int) -> None:
    colours = np.dstack([np.clip(255 - 8 * np.abs(DISC - n), 0, 255) for n in (5, 10, 15)])
    deep = deepened(colours, 12)
    write_deep_tiff(tmp_path / "deep.tif", deep, order, compression)
    with pytest.warns(PictureWarning, match="holds 12 bits in 16"):
        found = read_image(tmp_path / "deep.tif")
    assert np.abs(found.astype(float) - colours).max() <= 1


def test_a_tiff_whose_last_page_is_of_no_known_compression_is_damaged(tmp_path: Path) -> None:
    path, page = tmp_path / "pages.tif", Image.fromarray(np.zeros((40, 40, 3), np.uint8))
    page.save(path, save_all=True, append_images=[page])
    content, plain = path.read_bytes(), struct.pack("<HHIHH", 259, 3, 1, 1, 0)
    before, _, after = content.rpartition(plain)
    path.write_bytes(before + struct.pack("<HHIHH", 259, 3, 1, 10825, 0) + after)
    with pytest.raises(ImageError, match="not an image that can be read, or it is truncated"):
        read_image(path)


def write_deep_tiff(path: Path, values: np.ndarray, order: str, compression: int) -> None:
    """Write HxWx3 uint16 as a TIFF of one strip, of either byte order (TIFF 6.0)."""
    height, width, _ = values.shape
    body = values.astype(f"{order}u2").tobytes()
    body = zlib.compress(body) if compression == 8 else body
    short, long = 3, 4
    bits_at, entries = 8, 10
    table_at = bits_at + 6
    data_at = table_at + 2 + 12 * entries + 4
    tags = [
        (256, long, 1, width), (257, long, 1, height), (258, short, 3, bits_at),
        (259, short, 1, compression), (262, short, 1, 2), (273, long, 1, data_at),
        (277, short, 1, 3), (278, long, 1, height), (279, long, 1, len(body)), (284, short, 1, 1),
    ]  # fmt: skip
    content = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", table_at)
    content += struct.pack(f"{order}3H", 16, 16, 16) + struct.pack(f"{order}H", entries)
    for tag, kind, count, value in tags:
        inline = kind == short and count == 1
        packed = struct.pack(f"{order}HH", value, 0) if inline else struct.pack(f"{order}I", value)
        content += struct.pack(f"{order}HHI", tag, kind, count) + packed
    path.write_bytes(content + bytes(4) + body)


def test_one_pixel_that_is_not_opaque_does_not_make_the_alpha_channel_the_mask(
    tmp_path: Path,
) -> None:
    mask = np.where(DISC < 20, 255, 0).astype(np.uint8)
    rgba = np.dstack([mask, mask, mask, np.full_like(mask, 255)])
    rgba[0, 0, 3] = 254
    assert (read_grey(save(tmp_path / "mask.png", rgba)) * 255 == mask).all()


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_a_trimap_of_numbers_is_understood_by_where_they_lie(
    tmp_path: Path, order: tuple[int, int, int]
) -> None:
    with pytest.warns(PictureWarning, match="read as unknown"):
        found = read_trimap(save(tmp_path / "trimap.png", numbered(*order)))
    assert (found == numbered(0, 128, 255)).all()


@pytest.mark.parametrize("order", [(0, 1, 1), (1, 2, 3)])
def test_numbers_that_could_mean_two_things_are_refused(
    tmp_path: Path, order: tuple[int, int, int]
) -> None:
    with pytest.raises(ImageError, match="no greys of a trimap"):
        read_trimap(save(tmp_path / "trimap.png", numbered(*order)))


def test_a_trimap_in_the_alpha_channel_is_read_from_there(tmp_path: Path) -> None:
    white = np.full((64, 64, 3), 255, np.uint8)
    rgba = np.dstack([white, numbered(0, 128, 255)])
    with pytest.warns(PictureWarning, match="alpha channel"):
        assert (read_trimap(save(tmp_path / "t.png", rgba)) == numbered(0, 128, 255)).all()


@pytest.mark.parametrize("bits", [8, 12])
def test_a_16_bit_file_that_is_not_filled_is_widened(tmp_path: Path, bits: int) -> None:
    full = (1 << bits) - 1
    shades = np.linspace(0, full, 64 * 64).round().astype(np.uint16).reshape(64, 64)
    path = save(tmp_path / "deep.png", shades)
    with pytest.warns(PictureWarning, match=f"{bits} bits in 16"):
        found = read_image(path)
    assert found.max() == 255 and abs(int(found[32, 0, 0]) - 128) <= 1
    with pytest.warns(PictureWarning):
        np.testing.assert_allclose(read_grey(path), shades / full, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_the_size_told_is_the_size_read(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"turned{suffix}", np.zeros((40, 64, 3), np.uint8), exif=exif)
    assert image_size(path) == read_image(path).shape[:2]


def chunks_of(png: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG: kind, and all of its bytes."""
    found, place = [], 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        found.append((png[place + 4 : place + 8], png[place : place + length + 12]))
        place += length + 12
    return found


def test_a_png_is_turned_by_what_stands_behind_its_pixels_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "turned.png", np.zeros((40, 64, 3), np.uint8), exif=exif)
    chunks = chunks_of(path.read_bytes())
    told = [whole for kind, whole in chunks if kind == b"eXIf"]
    rest = [whole for kind, whole in chunks if kind != b"eXIf"]
    assert len(told) == 1
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join([*rest[:-1], *told, rest[-1]]))
    assert image_size(path) == read_image(path).shape[:2] == (64, 40)


def test_a_size_is_told_without_decoding(tmp_path: Path) -> None:
    """A folder of large mattes is opened by their headers: here, pixels that cannot be decoded.

    What follows a PNG's end is not looked at, however long it is.
    """
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = save(tmp_path / "turned.png", np.zeros((40, 64, 3), np.uint8), exif=exif)
    told = next(whole for kind, whole in chunks_of(turned.read_bytes()) if kind == b"eXIf")
    path = save(tmp_path / "broken.png", np.zeros((40, 64, 3), np.uint8))
    pixels = next(whole for kind, whole in chunks_of(path.read_bytes()) if kind == b"IDAT")
    path.write_bytes(path.read_bytes().replace(pixels[8:20], b"\xff" * 12) + told)
    with pytest.raises(ImageError):
        read_image(path)
    assert image_size(path) == (40, 64)


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".webp"])
def test_of_several_pictures_the_first_is_read_and_that_is_said(
    tmp_path: Path, suffix: str
) -> None:
    first, second = (Image.new("RGB", (64, 40), colour) for colour in ("red", "blue"))
    path = tmp_path / f"several{suffix}"
    first.save(path, save_all=True, append_images=[second])
    with pytest.warns(PictureWarning, match="first is read"):
        red, _, blue = read_image(path)[20, 32]
    assert red > 200 and blue < 50


def test_postscript_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow hands EPS to Ghostscript, whatever the file's name: a program from a stranger."""
    started: list[object] = []
    monkeypatch.setattr("subprocess.check_call", lambda *words, **_: started.append(words))
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n{} loop\n")
    for read in (read_image, read_grey, read_trimap, image_size):
        with pytest.raises(ImageError, match="not an image"):
            read(path)
    assert not started


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"), (b"\xff\x0a" + b"\0" * 30, "JPEG XL")],
)
def test_a_format_of_the_extra_says_what_to_install(tmp_path: Path, head: bytes, name: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(head)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    if name in caught.value.message:  # the extra is not installed here
        assert "edgemat[heif]" in caught.value.remedy
    else:
        assert "not an image" in caught.value.message


def test_a_truncated_file_has_no_size_and_says_so(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = save(tmp_path / "whole.png", np.zeros((64, 64, 3), np.uint8), exif=exif).read_bytes()
    for length in range(8, len(whole), 7):
        path = tmp_path / "cut.png"
        path.write_bytes(whole[:length])
        try:
            image_size(path)
        except ImageError:
            continue
