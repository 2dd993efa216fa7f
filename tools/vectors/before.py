"""Vectors of what happens to a picture before the network sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageOps

from edgemat.errors import UsageError
from edgemat.images import F32, PIXEL_SCALE, U8, Method, resize
from edgemat.matting.matte import fit_trimap
from edgemat.matting.tiling import Letterbox, resized_rows, tile_axis
from tools.vectors.pictures import Vector, alpha, as_json, picture, trimap


def resizing() -> Vector:
    """`edgemat.images.resize` and, for some rows of the result, `resized_rows` of the tiling.

    Columns are combined before rows. Where a picture loses more of its height than of its width,
    Pillow 13 does it the other way round, and bytes are rounded in between: they differ by 2 then.
    That happens where an imported network wants pictures stretched; else the aspect ratio is kept.
    """
    sizes: list[tuple[U8 | F32, tuple[int, int], Method]] = [
        (picture(23, 31, seed=1), (12, 16), "bilinear"),
        (picture(17, 29, seed=2), (9, 9), "bilinear"),
        (picture(7, 5, seed=3), (16, 11), "bicubic"),
        (picture(8, 11, seed=4), (13, 17), "bicubic"),
        (picture(13, 16, seed=5), (6, 5), "area"),
        (trimap(9, 11, seed=6), (14, 7), "nearest"),
        (trimap(11, 9, seed=7), (5, 25), "nearest"),
        (alpha(6, 8, seed=8), (13, 17), "bilinear"),
        (alpha(16, 18, seed=9), (7, 8), "area"),
        (alpha(16, 15, seed=10), (9, 4), "bilinear"),
    ]
    whole = [
        {
            "input": as_json(source),
            "size": size,
            "method": method,
            "output": as_json(resize(source, size, method=method)),
        }
        for source, size, method in sizes
    ]
    bands: list[tuple[U8 | F32, tuple[int, int], slice]] = [
        (picture(6, 7, seed=11), (19, 15), slice(5, 12)),
        (picture(21, 14, seed=12), (10, 9), slice(4, 10)),
        (alpha(5, 6, seed=13)[..., None], (17, 11), slice(0, 9)),
    ]
    rows = [
        {
            "input": as_json(source),
            "size": size,
            "rows": [rows.start, rows.stop],
            "output": as_json(resized_rows(source, size, rows)),
        }
        for source, size, rows in bands
    ]
    return {"whole": whole, "rows": rows}


def letterboxes() -> Vector:
    """`edgemat.matting.tiling.Letterbox`; halves among them are rounded to the even neighbour."""
    sizes = [
        ((480, 640), (288, 288)), ((4032, 3024), (288, 288)), ((32, 12_000), (288, 288)),
        ((100, 100), (288, 288)), ((288, 288), (288, 288)), ((720, 1280), (288, 512)),
        ((64, 35), (32, 32)), ((64, 37), (32, 32)), ((200, 50), (64, 96)),
    ]  # fmt: skip
    cases = []
    for size, frame in sizes:
        fit = Letterbox.fit(size, frame)
        (top, bottom), (left, right) = fit.margins
        cases.append(
            {
                "picture": size, "frame": frame, "height": fit.height, "width": fit.width,
                "top": top, "bottom": bottom, "left": left, "right": right,
                "enlarges": fit.enlarges,
            }
        )  # fmt: skip
    return {"fit": cases}


def inputs() -> Vector:
    """The network's input from a photograph, and from a tile with its trimap.

    ``portrait``: resized into the frame, divided by 255, edges repeated; as in `edgemat.matte`.
    ``trimap``: one tile as it is, the trimap as fourth channel.
    """
    portrait = []
    for size, frame, seed in [((26, 19), (12, 12), 21), ((7, 10), (15, 12), 22)]:
        image = picture(*size, seed=seed)
        fit = Letterbox.fit(size, frame)
        method: Method = "bicubic" if fit.enlarges else "bilinear"
        small = resize(image, (fit.height, fit.width), method=method)
        x = fit.pad(small.astype(np.float32) * PIXEL_SCALE)
        portrait.append({"image": as_json(image), "frame": frame, "input": as_json(x)})
    image, known = picture(8, 8, seed=23), trimap(8, 8, seed=24)
    tile = np.dstack([image, known]).astype(np.float32) * PIXEL_SCALE
    four = [{"image": as_json(image), "trimap": as_json(known), "input": as_json(tile)}]
    return {"portrait": portrait, "trimap": four}


def trimaps() -> Vector:
    """`edgemat.matting.matte.fit_trimap`: another size, other greys, another shape (refused)."""
    grey = resize(trimap(9, 12, seed=31), (12, 16), method="bilinear")
    fitted = [
        {"trimap": as_json(given), "size": size, "output": as_json(fit_trimap(given, size))}
        for given, size in [(grey, (12, 16)), (grey, (24, 32)), (grey, (6, 8))]
    ]
    refused = []
    for size in [(12, 17), (100, 135), (100, 132), (16, 12)]:
        try:
            fit_trimap(grey, size)
            accepted = True
        except UsageError:
            accepted = False
        refused.append({"trimap": grey.shape, "picture": size, "accepted": accepted})
    return {"fit": fitted, "shape": refused}


def orientations() -> Vector:
    """A stored picture turned upright, for each of EXIF's eight orientations."""
    stored = picture(3, 4, seed=41)
    cases = []
    for number in range(1, 9):
        image = Image.fromarray(stored)
        image.getexif()[0x0112] = number
        upright = np.asarray(ImageOps.exif_transpose(image))
        cases.append({"exif": number, "stored": as_json(stored), "upright": as_json(upright)})
    return {"upright": cases}


def buffers() -> Vector:
    """Pixel buffers of cameras, whose rows are padded, and the pictures in them."""
    image = picture(4, 5, seed=51)
    packed = []
    for order, offsets in [("rgba", (0, 1, 2)), ("bgra", (2, 1, 0))]:
        buffer = np.full((4, 32), 77, np.uint8)  # 12 bytes of each row are padding
        for channel, offset in enumerate(offsets):
            buffer[:, offset : 5 * 4 : 4] = image[..., channel]
        packed.append(
            {
                "order": order, "row_stride": 32, "height": 4, "width": 5,
                "buffer": as_json(buffer.ravel()), "image": as_json(image),
            }
        )  # fmt: skip
    planar = [_yuv_case(chroma_step) for chroma_step in (1, 2)]
    return {"packed": packed, "yuv420": planar}


def yuv420_to_rgb(luma: U8, blue: U8, red: U8) -> U8:
    """Return HxWx3 RGB from full-range BT.601 (JFIF), as Android's cameras give it.

    Parameters
    ----------
    luma:
        HxW.
    blue, red:
        Cb and Cr, (H/2)x(W/2), rounded up; each stands for a square of four pixels.
    """
    height, width = luma.shape
    y = luma.astype(np.float64)
    cb, cr = (
        np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1)[:height, :width].astype(np.float64) - 128
        for plane in (blue, red)
    )
    rgb = np.dstack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb])
    return np.clip(rgb.round(), 0, 255).astype(np.uint8)


def _yuv_case(step: int) -> dict[str, Any]:
    """Return a camera's three planes; with a step of 2, Cb and Cr take turns in one buffer."""
    luma, blue, red = (picture(5, 6, seed=seed)[..., 0] for seed in (52, 53, 54))
    blue, red = blue[:3, :3], red[:3, :3]
    rows = np.zeros((5, 8), np.uint8)
    rows[:, :6] = luma
    chroma = []
    for plane in (blue, red):
        buffer = np.zeros((3, 10), np.uint8)
        buffer[:, : 3 * step : step] = plane
        # Android's last row ends with its last value, without the padding
        chroma.append(as_json(buffer.ravel()[: 2 * 10 + 2 * step + 1]))
    return {
        "height": 5, "width": 6,
        "luma": as_json(rows.ravel()[: 4 * 8 + 6]), "luma_row_stride": 8,
        "blue": chroma[0], "red": chroma[1],
        "chroma_row_stride": 10, "chroma_pixel_stride": step,
        "image": as_json(yuv420_to_rgb(luma, blue, red)),
    }  # fmt: skip


def tilings() -> Vector:
    """`edgemat.matting.tiling.tile_axis`: where tiles begin, and the weights of their pixels."""
    cases = []
    for length, size in [(8, 8), (9, 8), (20, 8), (37, 16), (1000, 320), (12_000, 320)]:
        spans = tile_axis(length, size)
        case: dict[str, Any] = {
            "length": length, "size": size, "starts": [span.start for span in spans],
        }  # fmt: skip
        if size <= 16:
            case["weights"] = as_json(np.stack([span.weights for span in spans]))
        cases.append(case)
    return {"axis": cases}
