"""The picture sheet: for each photograph its mattes, and below them the person cut out.

A flat green ground shows what numbers hide: holes in a body, blobs of background, hard or foggy
hair.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edgemat.images import F32, U8, resize, to_uint8

CELL = 200
"""Side of a cell in pixels; a picture is fitted into it."""
GAP, TITLE, CAPTION = 6, 40, 16
_ROW = 2 * (CELL + GAP) + CAPTION
GREEN = np.array([70, 190, 90], np.float32)
PAPER, INK, FAINT = (255, 255, 255), (20, 20, 20), (120, 120, 120)
TITLE_SIZE, CAPTION_SIZE = 14, 11
TITLE_LETTERS = 26
PHOTOGRAPH, TRUTH = "photograph", "truth"


@dataclass(frozen=True)
class Strip:
    """One photograph's part of the sheet.

    Attributes
    ----------
    image:
        HxWx3 uint8, at most a cell in size, as all the mattes are.
    truth:
        HxW float32; None where there is none.
    mattes:
        Contestant to matte; those that made none have an empty cell.
    notes:
        Contestant to the line under its matte.
    """

    name: str
    image: U8
    truth: F32 | None
    mattes: Mapping[str, F32]
    notes: Mapping[str, str]


def make_strip(
    name: str, image: U8, truth: F32 | None, mattes: Mapping[str, F32], notes: Mapping[str, str]
) -> Strip:
    """Reduce a photograph and its mattes to the size of a cell."""
    scale = CELL / max(image.shape[:2])
    size = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    return Strip(
        name,
        resize(image, size, method="bilinear"),
        None if truth is None else resize(truth, size, method="bilinear"),
        {key: resize(alpha, size, method="bilinear") for key, alpha in mattes.items()},
        dict(notes),
    )


def sheet_size(strips: int, columns: int) -> tuple[int, int]:
    """Return height and width of a sheet in pixels."""
    return TITLE + strips * _ROW, GAP + columns * (CELL + GAP)


def draw_sheet(strips: Sequence[Strip], contestants: Sequence[str]) -> U8:
    """Draw the sheet, HxWx3 uint8; see :func:`sheet_size`.

    Columns are the photograph, the truth (where a photograph has one) and the contestants in the
    given order; each photograph has two rows, grey mattes and cut-outs.
    """
    truth = [TRUTH] if any(strip.truth is not None for strip in strips) else []
    columns = [*truth, *contestants]
    height, width = sheet_size(len(strips), 1 + len(columns))
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    title_font = ImageFont.load_default(TITLE_SIZE)
    for number, title in enumerate((PHOTOGRAPH, *columns)):
        place = _left(number), GAP
        pen.text(place, _two_lines(title), fill=INK, font=title_font, spacing=1)
    for row, strip in enumerate(strips):
        _draw_strip(sheet, pen, strip, columns, top=TITLE + row * _ROW)
    return np.asarray(sheet)


def _draw_strip(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, strip: Strip, columns: Sequence[str], *, top: int
) -> None:
    font = ImageFont.load_default(CAPTION_SIZE)
    middle, bottom = top + CELL + GAP, top + 2 * CELL + GAP
    _paste(sheet, strip.image, column=0, top=top)
    pen.text((_left(0), middle), strip.name, fill=INK, font=font)
    for number, name in enumerate(columns, start=1):
        alpha = strip.truth if name == TRUTH else strip.mattes.get(name)
        if alpha is None:
            pen.text((_left(number), top), "none", fill=FAINT, font=font)
            continue
        _paste(sheet, np.repeat(to_uint8(alpha)[..., None], 3, axis=2), column=number, top=top)
        _paste(sheet, _on_green(strip.image, alpha), column=number, top=middle)
        pen.text((_left(number), bottom), strip.notes.get(name, ""), fill=FAINT, font=font)


def _on_green(image: U8, alpha: F32) -> U8:
    return to_uint8((image * alpha[..., None] + GREEN * (1 - alpha[..., None])) / 255)


def _paste(sheet: Image.Image, picture: U8, *, column: int, top: int) -> None:
    height, width = picture.shape[:2]
    place = _left(column) + (CELL - width) // 2, top + (CELL - height) // 2
    sheet.paste(Image.fromarray(np.ascontiguousarray(picture)), place)


def _left(column: int) -> int:
    return GAP + column * (CELL + GAP)


def _two_lines(title: str) -> str:
    """Break a long name, between words where it has some; what needs a third line is cut."""
    return "\n".join(textwrap.wrap(title, TITLE_LETTERS)[:2])
