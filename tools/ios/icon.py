"""`python -m tools.ios.icon`: draw the app's icon, light and dark.

A head and shoulders before a plain ground on the left, before chequers, which stand for
transparency, on the right. Drawn four times as large and reduced, because Pillow does not smooth.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 1024
_OVER = 4
FOLDER = Path("ios_demo/MattingDemo/Resources/Assets.xcassets/AppIcon.appiconset")
# ground, the two chequers, person
LIGHT = ((126, 196, 160), (255, 255, 255), (221, 227, 224), (24, 64, 52))
DARK = ((22, 62, 50), (44, 50, 48), (58, 66, 63), (150, 222, 184))
Colour = tuple[int, int, int]


def draw_icon(ground: Colour, light: Colour, dark: Colour, person: Colour) -> Image.Image:
    """Return the icon, 1024 x 1024 px RGB."""
    side = SIDE * _OVER
    step = side // 8
    rows, columns = np.indices((side, side), sparse=True)
    chequered = ((rows // step + columns // step) % 2).astype(bool)[..., None]
    pixels = np.where(chequered, np.array(dark, np.uint8), np.array(light, np.uint8))
    pixels[:, : side // 2] = ground
    icon = Image.fromarray(pixels)
    brush = ImageDraw.Draw(icon)
    middle, head = side // 2, side * 0.19
    brush.ellipse((middle - head, side * 0.19, middle + head, side * 0.19 + 2 * head), fill=person)
    shoulders = side * 0.37
    brush.ellipse((middle - shoulders, side * 0.64, middle + shoulders, side * 1.38), fill=person)
    return icon.resize((SIDE, SIDE), Image.Resampling.BOX)


def main() -> None:
    """Write both icons into the asset catalog."""
    for name, colours in (("icon.png", LIGHT), ("icon-dark.png", DARK)):
        draw_icon(*colours).save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    main()
